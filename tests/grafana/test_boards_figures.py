"""What the queries of the boards compute, by promtool, from a handful of series whose figures are known."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from attente.grafana.boards import BOARDS
from attente.grafana.build import dashboards
from attente.grafana.panels import panel_id
from grafana.rule_tools import run

pytestmark = pytest.mark.tools

MILLION = 1_000_000
VARIABLES = {
    "$__rate_interval": "5m",
    "$__range": "30m",
    "$region": ".*",
    "$norm": "caf-20",
    'office="$office"': 'office="nation"',
    "$office": ".*",
    "$service": ".*",
    "$window": "day",
}
BOARDS_BY_UID = dashboards("en")
OFFICES = {
    f'attente:office_info{{office="{office}", region="{region}", name="{name}"}}': "1x60"
    for office, region, name in (("nation", "Paris", "Paris Nation"), ("lyon", "Rhône", "Lyon"))
}

Samples = dict[frozenset[tuple[str, str]], int]


def expr(board: str, panel: str, ref: str, **variables: str) -> str:
    """A query of a panel with its variables filled in."""
    (uid,) = (one.uid for one in BOARDS if one.key == board)
    (found,) = (one for one in BOARDS_BY_UID[uid]["panels"] if one["id"] == panel_id(board, panel))
    (query,) = (target["expr"] for target in found["targets"] if target["refId"] == ref)
    for name, value in (VARIABLES | {f"${name}": value for name, value in variables.items()}).items():
        query = query.replace(name, value)
    return str(query)


@dataclass
class World:
    """Series and what queries of them must give, in millionths: promtool compares numbers to the last bit."""

    folder: Path
    series: dict[str, str] = field(default_factory=lambda: dict(OFFICES))
    expected: list[dict[str, Any]] = field(default_factory=list)

    def has(self, name: str, value: float | str, **labels: str) -> None:
        """A series of one value, or of values in promtool's notation."""
        written = ", ".join(f'{label}="{text}"' for label, text in labels.items())
        self.series[f"{name}{{{written}}}"] = value if isinstance(value, str) else f"{value}x60"

    def gives(self, query: str, samples: Mapping[tuple[tuple[str, str], ...], float] | float) -> None:
        """What a query must give: a number, or one for each set of labels."""
        by_labels = samples if isinstance(samples, Mapping) else {(): samples}
        listed = [
            {
                "labels": "{" + ", ".join(f'{key}="{text}"' for key, text in labels) + "}",
                "value": round(value * MILLION),
            }
            for labels, value in by_labels.items()
        ]
        rounded = f"round(({query}) * {MILLION})"
        self.expected.append({"expr": rounded, "eval_time": "50m", "exp_samples": listed})

    def check(self) -> None:
        """Ask promtool."""
        given = [{"series": name, "values": values} for name, values in self.series.items()]
        test = {"interval": "1m", "input_series": given, "promql_expr_test": self.expected}
        file = self.folder / "test.yaml"
        file.write_text(yaml.safe_dump({"rule_files": [], "tests": [test]}), encoding="utf-8")
        done = run("test", "rules", file)
        assert done.returncode == 0, done.stdout


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world that is asked when the test has said what it expects."""
    made = World(tmp_path)
    yield made
    assert made.expected
    made.check()


def norm(world: World, left: str = "excluded") -> None:
    """The norm of the tests: 85 % within 20 minutes, per visit."""
    facts = {"title": "Vingt minutes", "from": "arrived", "to": "called", "per": "visit"}
    world.has("attente:norm_info", 1, norm="caf-20", left=left, **facts)
    world.has("attente:norm_target_ratio", 0.85, norm="caf-20")
    world.has("attente:norm_threshold_seconds", 1200, norm="caf-20")


def promise(world: World, office: str, region: str, window: str, failures: int, visits: int) -> None:
    """What an office's norm counts in a window."""
    where = {"office": office, "region": region, "norm": "caf-20", "window": window}
    world.has("attente:promise_failures", failures, **where)
    world.has("attente:promise_visits", visits, **where)


def test_the_norm_of_the_network_is_a_ratio_of_sums_and_no_mean_of_ratios(world: World) -> None:
    norm(world)
    promise(world, "nation", "Paris", "day", 30, 90)
    promise(world, "lyon", "Rhône", "day", 1, 10)

    world.gives(expr("network", "met", "day"), 0.69)
    world.gives(expr("network", "margin", "to_target"), 0.69 - 0.85)
    world.gives(expr("network", "met", "day", region="Rhône"), 0.9)


def test_a_day_without_a_visit_has_no_share_and_not_one_of_100_percent(world: World) -> None:
    norm(world)
    promise(world, "nation", "Paris", "day", 0, 0)

    world.gives(expr("network", "met", "day"), {})
    world.gives(expr("network", "margin", "to_target"), {})


def test_an_office_on_two_pages_during_a_hand_over_counts_its_desks_once(world: World) -> None:
    world.has("attente_open_desks", 5, office="nation", instance="a:9100", job="attente")
    world.has("attente_open_desks", 5, office="nation", instance="b:9100", job="attente")
    world.has("attente_open_desks", 3, office="lyon", instance="a:9100", job="attente")

    world.gives(expr("network", "desks", "desks"), 8)
    world.gives(expr("network", "desks", "desks", region="Paris"), 5)
    world.gives(
        expr("network", "offices", "desks", region="Paris"),
        {(("name", "Paris Nation"), ("office", "nation"), ("region", "Paris")): 5},
    )


def test_offices_in_trouble_are_those_beyond_a_norm_and_none_is_known_without_figures(world: World) -> None:
    world.has("attente:office_trouble", 1.4, office="nation", region="Paris")
    world.has("attente:office_trouble", 1, office="lyon", region="Rhône")

    world.gives(expr("network", "trouble", "offices_in_trouble"), 1)
    world.gives(expr("network", "trouble", "offices_in_trouble", region="Rhône"), 0)
    world.gives(expr("network", "trouble", "offices_in_trouble", region="Nowhere"), {})


def test_no_alert_is_a_zero_only_while_the_rules_are_at_work(world: World) -> None:
    alert = expr("network", "alerts", "firing")
    world.gives(alert, {})
    world.check()

    world.expected.clear()
    world.has("ALERTS", 1, alertname="AttenteDeadMansSwitch", alertstate="firing", severity="none")
    world.gives(alert, 0)
    world.check()

    world.expected.clear()
    about = {"alertstate": "firing", "severity": "page"}
    world.has("ALERTS", 1, alertname="AttenteOfficeSilent", office="lyon", region="Rhône", **about)
    world.has("ALERTS", 1, alertname="AttenteLagGrowing", partition="3", **about)
    world.gives(alert, 2)
    world.gives(expr("network", "alerts", "firing", region="Paris"), 1)
    world.gives(
        expr("network", "firing", "firing"),
        {
            (
                ("alertname", "AttenteOfficeSilent"),
                ("name", "Lyon"),
                ("region", "Rhône"),
                ("severity", "page"),
            ): 1,
            (("alertname", "AttenteLagGrowing"), ("severity", "page")): 1,
        },
    )


# Of 100 visits 80 were answered, 60 of them in time; 20 left, 10 of them in time.
COUNTS = {("answered", "within"): 60, ("answered", "beyond"): 20, ("left", "within"): 10, ("left", "beyond"): 10}
LEVELS = {
    "excluded": 60 / 80,
    "credited_if_within": 70 / 100,
    "failed": 60 / 100,
    "ignored_if_within": 60 / 90,
}


def readings(world: World, per: str, window: str = "day") -> None:
    """The counts above, a quarter of them in one office and the rest in the other."""
    for (outcome, within), count in COUNTS.items():
        what = {"norm": "caf-20", "window": window, "per": per, "outcome": outcome, "within": within}
        world.has("attente:readings", count / 4, office="nation", region="Paris", **what)
        world.has("attente:readings", count * 3 / 4, office="lyon", region="Rhône", **what)


def by_left(levels: Mapping[str, float]) -> dict[tuple[tuple[str, str], ...], float]:
    """Figures told apart by the definition."""
    return {(("left", left),): level for left, level in levels.items()}


def test_the_four_service_levels_are_those_of_the_definitions(world: World) -> None:
    norm(world)
    readings(world, "leg")
    readings(world, "visit")

    world.gives(expr("readings", "levels", "leg"), by_left(LEVELS))
    world.gives(expr("readings", "levels", "visit"), by_left(LEVELS))
    world.gives(expr("readings", "levels", "first"), {})
    world.gives(expr("readings", "levels", "own"), by_left(LEVELS))
    world.gives(expr("readings", "spread", "spread"), 60 / 80 - 60 / 100)
    world.gives(expr("readings", "levels", "spread"), by_left(dict.fromkeys(LEVELS, 0)))
    for left, level in LEVELS.items():
        world.gives(expr("readings", "over_time", left), level)


def test_who_still_waits_beyond_the_norm_fails_it_today_and_not_in_the_month(world: World) -> None:
    norm(world)
    world.has("attente:waiting_beyond", 20, office="nation", region="Paris", norm="caf-20")
    readings(world, "visit")
    readings(world, "visit", "month")

    worse = {"excluded": 0.6, "credited_if_within": 70 / 120, "failed": 0.5, "ignored_if_within": 60 / 110}
    world.gives(expr("readings", "levels", "with_waiting"), by_left(worse))
    world.gives(expr("readings", "levels", "with_waiting", window="month"), by_left(LEVELS))


@pytest.mark.parametrize("left", LEVELS)
def test_a_services_failures_follow_the_norms_treatment_of_those_who_left(left: str, world: World) -> None:
    norm(world, left)
    for (outcome, within), count in COUNTS.items():
        what = {"norm": "caf-20", "window": "month", "outcome": outcome, "within": within, "office": "nation"}
        world.has("attente_window_visits", count, service="accueil", instance="a:9100", **what)
        world.has("attente_window_visits", count, service="accueil", instance="b:9100", **what)

    visits = {"excluded": 80, "credited_if_within": 100, "failed": 100, "ignored_if_within": 90}[left]
    service = (("service", "accueil"),)
    world.gives(expr("budget", "services", "month"), {service: LEVELS[left]})
    world.gives(expr("budget", "services", "visits"), {service: visits})
    world.gives(expr("budget", "services", "failures"), {service: visits * (1 - LEVELS[left])})
    world.gives(expr("budget", "services", "share_of_failures"), {service: 1})


def test_the_budget_of_several_offices_weighs_them_by_their_visits(world: World) -> None:
    norm(world)
    promise(world, "nation", "Paris", "month", 45, 300)
    promise(world, "lyon", "Rhône", "month", 30, 100)
    # Half of the month has gone: 15 % failures of 15 % allowed spend half, 30 % spend all.
    for office, region, burn in (("nation", "Paris", 1), ("lyon", "Rhône", 2)):
        where = {"office": office, "region": region, "norm": "caf-20"}
        world.has("attente:burn_rate", burn, window="month", **where)
        world.has("attente:budget_spent_ratio", burn / 2, **where)

    world.gives(expr("budget", "burn", "month"), 75 / 400 / 0.15)
    world.gives(expr("budget", "left", "left"), 1 - 75 / 400 / 0.15 / 2)
    world.gives(expr("budget", "failures", "allowed"), 400 * 0.15)


def test_a_partition_without_an_owner_is_seen_also_when_nobody_owns_any(world: World) -> None:
    world.has("attente_partitions", 4, instance="a:9100")
    for partition, owner in (("0", "a:9100"), ("1", "a:9100"), ("1", "b:9100"), ("2", "b:9100")):
        world.has("attente_partition_owned", 1, partition=partition, instance=owner)
    world.has("attente_partition_owned", 0, partition="3", instance="a:9100")

    world.gives(expr("pipeline", "partitions", "without_owner"), 1)
    world.gives(expr("pipeline", "partitions", "not_shown"), 4)


def test_an_event_that_is_unaccounted_for_shows_whatever_its_sign(world: World) -> None:
    for partition, read in (("0", 100), ("1", 99)):
        world.has("attente:events_read_total", read, partition=partition)
        world.has("attente:events_counted_total", 90, partition=partition)
        world.has("attente:events_duplicate_total", 7, partition=partition)
        world.has("attente:events_refused_total", 2, partition=partition, reason="not_json")
        world.has("attente:events_refused_total", 1, partition=partition, reason="bad_time")

    world.gives(expr("pipeline", "conservation", "unaccounted"), 1)


def test_what_was_refused_of_a_kiosk_is_seen_from_the_first_event_on(world: World) -> None:
    hall, yard = (f"/offices/nation/kiosks/{kiosk}" for kiosk in ("hall-1", "yard-1"))
    world.has("attente:source_events_refused_total", "_x40 1x20", source=hall, reason="bad_time")
    world.has("attente:source_events_refused_total", "7x30 9x30", source=yard, reason="bad_time")
    world.has("attente:source_events_refused_total", 4, source=yard, reason="too_late")

    world.gives(
        expr("pipeline", "refused_of_kiosks", "shown"),
        {(("reason", "bad_time"), ("source", hall)): 1, (("reason", "bad_time"), ("source", yard)): 2},
    )


def test_arrivals_are_an_hours_worth_and_do_not_count_twice_after_a_hand_over(world: World) -> None:
    # Recorded of both workers: it goes on from one to the other without a step.
    what = {"office": "nation", "service": "accueil", "channel": "walkin"}
    world.has("attente:tickets_issued_total", "0+2x60", **what)

    world.gives(expr("office", "flow", "issued"), 120)


def test_a_kiosk_is_silent_since_its_newest_heartbeat(world: World) -> None:
    world.has("attente:kiosk_heard_timestamp_seconds", 600, office="nation", kiosk="hall-1")

    world.gives(expr("office", "kiosks", "silent"), {(("kiosk", "hall-1"),): 50 * 60 - 600})
