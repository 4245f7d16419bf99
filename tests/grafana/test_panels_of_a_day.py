"""Every panel of every board over a simulated morning that a real Prometheus has kept; a worker is lost in it."""

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from attente.grafana.build import dashboards
from attente.grafana.preview.asking import panels_of
from attente.grafana.preview.drawing import draw
from attente.grafana.preview.pictures import browser
from attente.grafana.preview.prometheus import Prometheus
from attente.grafana.preview.variables import Times
from attente.grafana.texts import LANGS
from attente.model.instants import text_of
from attente.registry.entities import Norm, Per
from attente.sources.simulate import Network
from attente.sources.simulate.hours import instant
from backfill import MINUTE, Days, Stretch
from commands import Said, attente
from grafana.page_in_chromium import looked_at
from grafana.panel_queries import Asked, ask_all
from needs import cannot_run
from oracle import Figures, Present, Tally, compute
from tsdb import filled

pytestmark = pytest.mark.tools

ZONE = "Europe/Paris"
STEP_MS = 2 * MINUTE
TODAY, LAST_WEEK = date(2026, 11, 20), date(2026, 11, 13)
NORM = "within-20"

EMPTY_WHEN_ALL_IS_WELL = {
    "pipeline/odd_offices:contradictions": "no event of this day has no place in its ticket's life",
}
"""Queries that find nothing here, and why that is as it should be."""


def at(day: date, hour: int, minute: int = 0) -> int:
    """A local time in milliseconds since 1970."""
    return instant(day.toordinal(), hour * 60 + minute, ZONE)


def a_day(begin: int, *earlier: Stretch, dies: bool) -> Days:
    """A day of six offices until two minutes to twelve, when some wait beyond the norm, and a day a week before."""
    return Days(
        Network.generate(seed=7, offices=6, zone=ZONE),
        (LAST_WEEK.toordinal(), TODAY.toordinal()),
        (*earlier, Stretch(begin, at(TODAY, 11, 58))),
        STEP_MS,
        at(TODAY, 11, 14) if dies else None,
    )


@dataclass(frozen=True)
class World:
    """The day in a Prometheus, and by the oracle."""

    days: Days
    prometheus: Prometheus

    @property
    def now(self) -> int:
        """The end of the day so far, in milliseconds."""
        return self.days.stretches[-1].end

    @property
    def times(self) -> Times:
        """The last stretch."""
        begin, end = self.days.stretches[-1]
        return Times(begin / 1000, end / 1000, STEP_MS / 1000)

    @property
    def norm(self) -> Norm:
        """The one that is looked at."""
        return self.days.registry.norms[NORM]

    @cached_property
    def figures(self) -> Figures:
        """Of all events so far."""
        return compute(self.days.before(self.now), self.days.registry)

    @cached_property
    def today(self) -> Figures:
        """Of the events so far, what belongs to this day."""
        every = self.figures.all
        figures = self.figures
        kept = Tally(Counter({key: n for key, n in every.counts.items() if self._is_of_today(key.office, key.pane)}))
        return replace(figures, held=kept, sealed=Tally())

    def _is_of_today(self, office: str, pane: int | str) -> bool:
        return self.figures.day(office, int(pane)) == TODAY.isoformat()

    @cached_property
    def office(self) -> str:
        """Where most wait."""
        waiting = Counter(visit.office for visit in self.figures.present)
        return waiting.most_common(1)[0][0]

    def is_beyond(self, visit: Present) -> bool:
        """Whether somebody who waits now has waited longer than the norm allows."""
        norm = self.norm
        start, end = norm.clock.start.value, norm.clock.end.value
        waited = visit.before[start, end] + self.now - visit.began[start]
        return visit.channel in norm.channels and -(-waited // 1000) > norm.threshold_s

    @cached_property
    def answers(self) -> dict[str, Asked]:
        """Of every query, with the office and the norm that are looked at."""
        given = {"office": [self.office], "norm": [NORM]}
        return {asked.place: asked for asked in ask_all(self.prometheus, self.times, given)}

    @cached_property
    def of_the_network(self) -> dict[str, Asked]:
        """The same over all offices, where a board can show several."""
        return {asked.place: asked for asked in ask_all(self.prometheus, self.times, {"norm": [NORM]})}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    days = a_day(at(TODAY, 9, 58), Stretch(at(LAST_WEEK, 11, 48), at(LAST_WEEK, 11, 58)), dies=True)
    with filled(days, tmp_path_factory.mktemp("day")) as prometheus:
        yield World(days, prometheus)


def values(asked: Asked, label: str = "") -> dict[str, float]:
    """The newest value of each series, by a label."""
    return {series.labels.get(label, ""): series.last for series in asked.answer.series}


def value(asked: Asked) -> float:
    """The newest value of the only series."""
    (series,) = asked.answer.series
    return series.last


# ---- all of them


def test_every_query_of_every_panel_finds_something_but_for_what_is_absent_when_all_is_well(world: World) -> None:
    nothing = {place for place, asked in world.answers.items() if not asked.answer.series}
    assert len(world.answers) > 150
    assert nothing - EMPTY_WHEN_ALL_IS_WELL.keys() == set(), "these find nothing"
    assert EMPTY_WHEN_ALL_IS_WELL.keys() - nothing == set(), "these find something: take them off the list"


def test_every_value_that_a_panel_is_given_is_a_number(world: World) -> None:
    odd = {
        place: series.labels
        for place, asked in world.of_the_network.items()
        for series in asked.answer.series
        if not all(math.isfinite(each) for _, each in series.points)
    }
    assert not odd


# ---- what the oracle says


def test_the_network_board_tells_who_waits_and_for_how_long(world: World) -> None:
    figures, board = world.figures, world.of_the_network
    assert value(board["network/waiting:all"]) == len(figures.present) > 10
    assert value(board["network/waiting:beyond"]) == sum(map(world.is_beyond, figures.present)) > 0
    longest = world.now - min(waiting.since for waiting in figures.waiting.values())
    assert value(board["network/longest:longest"]) == pytest.approx(longest / 1000)
    assert value(board["network/desks:desks"]) == sum(figures.open_desks.values()) > 0
    assert value(board["network/desks:offices"]) == len(figures.open_offices) > 0


def test_the_network_board_tells_the_promise_of_the_day_with_those_who_wait_beyond_it(world: World) -> None:
    counts = world.today.total(world.norm, Per.VISIT)
    beyond = sum(map(world.is_beyond, world.figures.present))
    wanted = counts.answered_within / (counts.answered + beyond)
    assert value(world.of_the_network["network/met:day"]) == pytest.approx(wanted)
    assert wanted < 1


def test_the_office_board_tells_the_queue_of_each_service(world: World) -> None:
    shown = values(world.answers["office/waiting_by_service:waiting"], "service")
    waiting = {place: queue.visits for place, queue in world.figures.waiting.items()}
    assert {name: n for name, n in shown.items() if n} == {
        service: n for (office, service), n in waiting.items() if office == world.office
    }


@pytest.mark.parametrize(("ref", "percent"), [("median", 50), ("nine_of_ten", 90)])
def test_the_office_board_tells_how_long_visitors_waited_for_each_service(world: World, ref: str, percent: int) -> None:
    shown = values(world.answers[f"office/services:{ref}"], "service")
    assert len(shown) > 2
    for service, seconds in shown.items():
        waits = sorted(
            key.seconds
            for key, n in world.today.held.counts.items()
            if (key.office, key.service, key.name) == (world.office, service, "called/issued")
            for _ in range(n)
        )
        assert seconds == waits[math.ceil(percent * len(waits) / 100) - 1], service


def test_the_office_board_tells_how_long_its_kiosks_have_been_silent(world: World) -> None:
    heard = {
        kiosk: (world.now - beat[0]) / 1000
        for (office, kiosk), beat in world.figures.heartbeats.items()
        if office == world.office
    }
    assert values(world.answers["office/kiosks:silent"], "kiosk") == pytest.approx(heard)


@pytest.mark.parametrize("per", list(Per))
def test_the_readings_board_tells_all_four_service_levels_of_the_day(world: World, per: Per) -> None:
    levels = world.today.total(world.norm, per).levels()
    shown = values(world.of_the_network[f"readings/levels:{per.value}"], "left")
    assert shown == pytest.approx({left: float(level) for left, level in levels.items() if level is not None})
    assert len(set(shown.values())) == 4


@pytest.mark.parametrize("per", list(Per))
def test_the_readings_board_tells_the_four_counts_of_the_day(world: World, per: Per) -> None:
    counts = world.today.total(world.norm, per)
    shown = {
        (series.labels["outcome"], series.labels["within"]): series.last
        for series in world.of_the_network[f"readings/counts:{per.value}"].answer.series
    }
    assert shown == {
        ("answered", "within"): counts.answered_within,
        ("answered", "beyond"): counts.answered - counts.answered_within,
        ("left", "within"): counts.left_within,
        ("left", "beyond"): counts.left - counts.left_within,
    }


def test_the_budget_board_tells_the_failures_of_the_month_and_how_many_are_allowed(world: World) -> None:
    counts, board = world.figures.total(world.norm, Per.VISIT), world.of_the_network
    failures = counts.answered - counts.answered_within
    assert value(board["budget/failures:failures"]) == failures > 10
    assert value(board["budget/failures:allowed"]) == pytest.approx(counts.answered * 0.15)
    assert value(board["budget/met:month"]) == pytest.approx(1 - failures / counts.answered)


def test_the_pipeline_board_tells_what_was_refused_and_that_nothing_is_missing(world: World) -> None:
    account, board = world.figures.account, world.of_the_network
    shown = Counter[str]()
    for series in board["pipeline/refused_so_far:ever"].answer.series:
        shown[series.labels["reason"]] += int(series.last)
    assert shown == Counter({reason.value: n for reason, n in account.refused.items()})
    assert account.dead > 5
    assert value(board["pipeline/conservation:unaccounted"]) == 0


def test_the_alerts_of_the_network_board_name_the_office_where_somebody_waits_longest(world: World) -> None:
    firing = [series.labels for series in world.of_the_network["network/firing:firing"].answer.series]
    named = {labels["name"] for labels in firing if labels["alertname"] == "AttenteWaitBeyondNorm"}
    longest = min(world.figures.waiting.items(), key=lambda place: place[1].since)[0][0]
    offices = world.days.registry.offices
    assert offices[longest].name in named
    assert named <= {office.name for office in offices.values()}


# ---- a worker lost


def rates(world: World) -> dict[str, Asked]:
    """What is asked over time of counters that are truths of the network."""
    return {
        place: asked
        for place, asked in world.answers.items()
        if not asked.answer.asked.is_instant
        and ("rate(attente:" in asked.answer.asked.promql or "increase(attente:" in asked.answer.asked.promql)
    }


def test_a_worker_that_is_lost_makes_no_rate_jump(world: World, tmp_path: Path) -> None:
    #  10:58                  11:14       11:29                      11:58
    #  |---- two workers -----|--- one ---|------ two workers -------|       and the same without the loss
    calm = replace(world.days, stretches=(Stretch(at(TODAY, 10, 58), world.now),), dies_ms=None)
    asked = rates(world)
    assert len(asked) > 9
    with filled(calm, tmp_path, only=" ".join(each.answer.asked.promql for each in asked.values())) as prometheus:
        for place, each in asked.items():
            query = each.answer.asked
            begin = at(TODAY, 11, 14) / 1000  # then a rate over the calm day has all the points that it looks back to
            undisturbed = {
                (frozenset(series.labels.items()), instant): value
                for series in prometheus.range(query.promql, begin, world.now / 1000, STEP_MS / 1000)
                for instant, value in series.points
            }
            disturbed = {
                (frozenset(series.labels.items()), instant): value
                for series in world.prometheus.range(query.promql, begin, world.now / 1000, STEP_MS / 1000)
                for instant, value in series.points
            }
            assert disturbed, place
            greatest = max(undisturbed.values())
            for key, value in disturbed.items():
                # A step on no page makes Prometheus extrapolate over it; a counter taken twice would be a hundredfold.
                assert value <= 1.6 * max(undisturbed.get(key, 0.0), 0.25 * greatest), (place, key)


# ---- the preview


def previewed(world: World, folder: Path, *more: str) -> Said:
    """What the command says when it draws this day."""
    begin, end = world.days.stretches[-1]
    shown = ("--at", text_of(end), "--range", f"{(end - begin) // 1000}s", "--scrape", f"{STEP_MS // 1000}s")
    where = ("--prometheus", world.prometheus.url, "--out", str(folder), "--zone", ZONE)
    return attente("dashboards", "preview", *where, *shown, *more)


def test_a_preview_draws_every_board_with_all_its_panels_and_nothing_is_cut(world: World, tmp_path: Path) -> None:
    pages: dict[str, str] = {}
    for lang in LANGS:
        said = previewed(world, tmp_path / lang, "--lang", lang, "--var", f"office={world.office}")
        assert said.returncode == 0, said.stderr
        pages |= {f"{lang}/{file.stem}": file.read_text() for file in (tmp_path / lang).glob("*.html")}
    found = looked_at(pages)
    assert "errors" not in found
    wanted = {
        f"{lang}/{uid.removeprefix('attente-')}": sorted(
            panel["title"] for panel in panels_of(board) if panel["type"] != "row"
        )
        for lang in LANGS
        for uid, board in dashboards(lang).items()
    }
    assert {name: sorted(page["titles"]) for name, page in found.items()} == wanted
    cut = [f"{name}: {what}" for name, page in found.items() for what in page["cut"]]
    assert not cut, "\n".join(cut)


def test_a_preview_is_drawn_as_a_picture_too(world: World, tmp_path: Path) -> None:
    if browser() is None:
        cannot_run("no Chromium is installed")
    choice = ("--only", "budget", "--var", f"norm={NORM}", "--var", "service=accueil")  # which the office board has
    said = previewed(world, tmp_path, *choice, "--pictures", "--json")
    assert said.returncode == 0, said.stderr
    (entry,) = json.loads(said.stdout)
    assert (entry["dashboard"], entry["refused"]) == ("budget", {})
    header = (tmp_path / "budget.png").read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(header[16:20], "big") == 1_600


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--var", "office=nowhere"), 3, "--var office=nowhere: there is no such value; there are 0001-"),
        (("--var", "ofice=a"), 2, "no dashboard has the variable 'ofice'"),
        (("--var", "office"), 2, "is no NAME=VALUE"),
        (("--only", "offices"), 2, "there is no dashboard 'offices'; there are network, office"),
        (("--at", "yesterday"), 2, "is no RFC 3339 instant"),
    ],
)
def test_what_a_preview_cannot_show_is_one_line(
    world: World, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    told = previewed(world, tmp_path, *arguments)
    assert (told.returncode, said in told.stderr) == (code, True), told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "127.0.0.1:9090"])
def test_a_prometheus_that_does_not_answer_is_one_line(url: str, tmp_path: Path) -> None:
    told = attente("dashboards", "preview", "--prometheus", url, "--out", str(tmp_path))
    assert told.returncode == 4
    assert url in told.stderr
    assert told.stderr.count("\n") == 1


def test_a_query_that_prometheus_refuses_is_named_in_its_panel(world: World) -> None:
    board = {"title": "Wrong", "panels": [{**one_panel("rate(up)"), "title": "Odd"}]}
    drawn = draw(board, world.prometheus, world.times, ZoneInfo(ZONE))
    assert "answers 400" in drawn.failures["Odd"]
    assert "rate(up)" in drawn.html


def one_panel(promql: str) -> dict[str, Any]:
    return {
        "id": 1,
        "type": "stat",
        "gridPos": {"x": 0, "y": 0, "w": 24, "h": 4},
        "targets": [{"refId": "A", "expr": promql, "instant": True}],
    }
