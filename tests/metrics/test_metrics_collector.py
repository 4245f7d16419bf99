"""A view on the page: every value where it belongs, nothing that the view does not hold."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families as parse_text

from attente.core.view import Counts, Histogram, KioskView, PartitionHealth, Tally, View, WaitEnd, WaitStats, Window
from attente.metrics import exposition
from attente.metrics.catalogue import CATALOGUE
from attente.metrics.collector import ViewCollector
from attente.metrics.series import combinations, series_count
from attente.model.reasons import REASONS
from attente.registry.entities import Detail, Norm, OpeningCalendar, Per, Registry
from metrics.pages import families_of, generate_openmetrics, parse_openmetrics, samples_of, scrape
from metrics.views import (
    BOUNDS,
    NOW_MS,
    busy_view,
    norm,
    office,
    partition_of,
    quiet_office,
    quiet_service,
    registry,
    view,
)

NATION = "75-nation"
USUAL = OpeningCalendar("usual", weekly=(((9 * 60, 12 * 60),),) * 5 + ((), ()))


def network(*norms: str) -> Registry:
    """One office with one service, and norms for it."""
    return registry([office(NATION, ("accueil",))], [norm(name, [NATION], ["accueil", "other"]) for name in norms])


def large_network(detail: Detail = Detail.SERVICE) -> Registry:
    """Offices and norms that overlap in part, with a calendar and up to two kiosks each."""
    offices = [
        replace(
            office(f"o{i}", ("accueil", "rdv", "courrier")[: 1 + i % 3]), calendar=USUAL.id, kiosks=("a", "b")[i % 3 :]
        )
        for i in range(7)
    ]
    norms = [
        norm("all", [o.id for o in offices], ["accueil", "rdv", "courrier", "other"]),
        norm("some", ["o1", "o2"], ["rdv"], threshold_s=600),
        norm("nowhere", [], ["rdv"], threshold_s=777),
    ]
    return replace(registry(offices, norms, detail=detail), calendars={USUAL.id: USUAL})


# ---- facts


def test_facts_of_the_registry_are_there_before_any_event() -> None:
    seen = scrape(network("caf-20"), view())
    assert seen("office_info", office=NATION, region="idf", name="Paris Nation", calendar="", zone="Europe/Paris") == 1
    assert seen("norm_threshold_seconds", norm="caf-20") == 1200
    assert seen("norm_target_ratio", norm="caf-20") == 0.85
    assert seen("registry_info", hash="0123456789abcdef", network="Réseau") == 1
    assert seen("worker_info", worker="w1") == 1
    promise = {
        "title": "Norm caf-20",
        "left": "excluded",
        "from": "arrived",
        "to": "called",
        "per": "visit",
        "still_waiting": "ignored",
    }
    assert seen("norm_info", norm="caf-20", **promise) == 1


def changing_norm() -> Norm:
    """20 minutes at first, 15 from 2026-11-24 on; NOW_MS is 2026-11-24 07:14:03 in Paris."""
    old = norm("caf-20", [NATION], ["accueil"], threshold_s=1200)
    new = norm("caf-20", [NATION], ["accueil", "other"], threshold_s=900)
    return replace(new, title="Quinze", target_milli=90_000, valid_from="2026-11-24", former=(old,))


def shown_norm(as_of_ms: Iterable[int], changing: Norm) -> tuple[float, float]:
    """Threshold and target on the page of offices that are at these instants."""
    names = [f"o{i}" for i, _ in enumerate(as_of_ms)]
    net = registry([office(name) for name in names], [changing])
    offices = [replace(quiet_office(name), as_of_ms=ms) for name, ms in zip(names, as_of_ms, strict=True)]
    seen = scrape(net, view(partition_of(*offices)))
    (promise,) = seen.series("norm_info", norm="caf-20")
    assert promise["title"] == ("Quinze" if seen("norm_threshold_seconds", norm="caf-20") == 900 else "Norm caf-20")
    return seen("norm_threshold_seconds", norm="caf-20"), seen("norm_target_ratio", norm="caf-20")


def test_a_norm_shows_the_definition_in_force_on_the_business_day() -> None:
    cut_over = int(datetime.fromisoformat("2026-11-24T03:00:00+01:00").timestamp()) * 1000
    assert shown_norm([cut_over - 1], changing_norm()) == (1200, 0.85)
    assert shown_norm([cut_over], changing_norm()) == (900, 0.9)


def test_of_offices_on_different_days_the_latest_decides() -> None:
    assert shown_norm([NOW_MS, NOW_MS - 86_400_000], changing_norm()) == (900, 0.9)
    assert shown_norm([NOW_MS - 86_400_000, 0], changing_norm()) == (1200, 0.85)


def test_a_norm_to_come_shows_its_first_definition_and_a_page_without_offices_the_newest() -> None:
    to_come = replace(changing_norm(), former=(replace(changing_norm().former[0], valid_from="2026-11-23"),))
    assert shown_norm([NOW_MS - 7 * 86_400_000], to_come) == (1200, 0.85)
    assert shown_norm([], to_come) == (900, 0.9)
    assert shown_norm([0], to_come) == (900, 0.9)


def test_the_bound_of_series_counts_a_norm_once_for_all_its_definitions() -> None:
    places = [office("o1", ("accueil", "rdv")), office("o2", ("accueil",))]
    changing = replace(
        norm("n", ["o1"], ["rdv"]), valid_from="2026-11-24", former=(norm("n", ["o1", "o2"], ["accueil"]),)
    )
    there = combinations(registry(places, [changing]), 1)
    assert there[frozenset({"norm"})] == 1
    assert there[frozenset({"office", "norm"})] == 2
    assert there[frozenset({"office", "service", "norm"})] == 3


# ---- calendars and kiosks


def test_a_calendar_says_whether_an_office_ought_to_be_open_at_its_own_now() -> None:
    places = [replace(office(name), calendar=USUAL.id) for name in ("early", "in-time", "never-heard")]
    net = replace(registry([*places, office("no-calendar")]), calendars={USUAL.id: USUAL})
    nine = int(datetime.fromisoformat("2026-11-24T09:00:00+01:00").timestamp()) * 1000
    instants = {"early": nine - 1, "in-time": nine, "never-heard": 0, "no-calendar": nine}
    page = view(partition_of(*(replace(quiet_office(name), as_of_ms=at) for name, at in instants.items())))
    seen = scrape(net, page)
    assert seen("office_scheduled_open", office="early") == 0
    assert seen("office_scheduled_open", office="in-time") == 1
    assert len(seen.series("office_scheduled_open")) == 2
    (info,) = seen.series("office_info", office="early")
    assert (info["calendar"], info["zone"]) == ("usual", "Europe/Paris")


def test_of_what_calls_itself_a_kiosk_only_those_of_the_registry_are_shown() -> None:
    beats = {"hall-1": KioskView(NOW_MS, 7, -1500), "forged": KioskView(NOW_MS, 1, 0)}
    net = registry([replace(office(), kiosks=("hall-1", "hall-2"))])
    seen = scrape(net, view(partition_of(replace(quiet_office(NATION), kiosks=beats, heard_ms=NOW_MS - 60_000))))
    assert seen("office_heard_timestamp_seconds", office=NATION) == NOW_MS / 1000 - 60
    assert seen("kiosk_heard_timestamp_seconds", office=NATION, kiosk="hall-1") == NOW_MS / 1000
    assert seen("kiosk_spooled_events", office=NATION, kiosk="hall-1") == 7
    assert seen("kiosk_drift_seconds", office=NATION, kiosk="hall-1") == -1.5
    assert len(seen.series("kiosk_heard_timestamp_seconds")) == 1


# ---- counters


def test_counters_show_the_greatest_values_of_the_view() -> None:
    service = replace(
        quiet_service("accueil"),
        greatest_issued={"remote": 3},
        greatest={
            Tally.CALLED: 4,
            Tally.NO_SHOW: 5,
            Tally.ABANDONED: 6,
            Tally.TRANSFERRED: 7,
            Tally.REQUEUED: 8,
            Tally.CLOSED: 9,
            Tally.STARTED: 10,
            Tally.TURNED_AWAY: 11,
        },
        greatest_served={"resolved": 12},
        lifetime=dict.fromkeys(Tally, 1),
    )
    seen = scrape(network(), view(partition_of(replace(quiet_office(NATION, service), corrections=13))))
    here = {"office": NATION, "service": "accueil"}
    assert seen("tickets_issued_total", **here, channel="remote") == 3
    assert seen("tickets_called_total", **here) == 4
    assert seen("tickets_no_show_total", **here) == 5
    assert seen("tickets_abandoned_total", **here) == 6
    assert seen("tickets_transferred_total", **here) == 7
    assert seen("tickets_requeued_total", **here) == 8
    assert seen("tickets_closed_total", **here) == 9
    assert seen("services_started_total", **here) == 10
    assert seen("visitors_turned_away_total", **here) == 11
    assert seen("services_ended_total", **here, outcome="resolved") == 12
    assert seen("corrections_total", office=NATION) == 13


def test_counters_of_a_service_that_nobody_has_used_stand_at_zero() -> None:
    seen = scrape(network(), view(partition_of(quiet_office(NATION))))
    counters = [m for m in CATALOGUE if m.name.endswith("_total") and {label.name for label in m.labels} >= {"service"}]
    assert len(counters) == 10
    for counter in counters:
        series = seen.series(counter.name, office=NATION, service="accueil")
        assert len(series) == max((len(label.values) for label in counter.labels), default=1) or 1
        assert {seen(counter.name, **labels) for labels in series} == {0}


def test_channels_and_outcomes_without_an_event_stand_at_zero_beside_those_with_one() -> None:
    service = replace(quiet_service("accueil"), greatest_issued={"remote": 3}, greatest_served={"pending": 2})
    seen = scrape(network(), view(partition_of(quiet_office(NATION, service))))
    here = {"office": NATION, "service": "accueil"}
    assert {
        labels["channel"]: seen("tickets_issued_total", **labels) for labels in seen.series("tickets_issued_total")
    } == {
        "walkin": 0,
        "appointment": 0,
        "remote": 3,
    }
    assert [seen("services_ended_total", **here, outcome=o) for o in ("unstated", "resolved", "pending")] == [0, 0, 2]


def test_the_service_other_is_there_only_once_it_has_been_seen() -> None:
    before = scrape(network(), view(partition_of(quiet_office(NATION))))
    after = scrape(network(), view(partition_of(quiet_office(NATION, quiet_service("other")))))
    assert before.series("tickets_called_total") == [{"office": NATION, "service": "accueil"}]
    assert {labels["service"] for labels in after.series("tickets_called_total")} == {"accueil", "other"}


def test_a_histogram_has_its_buckets_its_count_and_its_sum_for_every_end() -> None:
    histogram = Histogram((1, 2, 2, 2, 3, 3, 4), 6, 5_000_400)
    service = replace(quiet_service("accueil"), greatest_waits={WaitEnd.CALLED: histogram})
    seen = scrape(network(), view(partition_of(quiet_office(NATION, service))))
    called = {"office": NATION, "service": "accueil", "end": "called"}
    les = [f"{bound}.0" for bound in BOUNDS] + ["+Inf"]
    assert [seen("wait_seconds_bucket", **called, le=le) for le in les] == [1, 2, 2, 2, 3, 3, 4, 6]
    assert seen("wait_seconds_count", **called) == 6
    assert seen("wait_seconds_sum", **called) == 5000.4
    for end in ("abandoned", "no_show"):
        nothing = {**called, "end": end}
        assert {seen("wait_seconds_bucket", **nothing, le=le) for le in les} == {0}
        assert seen("wait_seconds_count", **nothing) == seen("wait_seconds_sum", **nothing) == 0


# ---- gauges


def test_an_office_shows_its_now_its_door_and_its_desks() -> None:
    seen = scrape(network(), view(partition_of(replace(quiet_office(NATION), is_open=True, open_desks=4))))
    assert seen("as_of_timestamp_seconds", office=NATION) == NOW_MS / 1000 == 1795500843.12
    assert seen("office_open", office=NATION) == 1
    assert seen("open_desks", office=NATION) == 4


def test_the_longest_wait_is_shown_as_the_instant_at_which_it_began() -> None:
    service = replace(
        quiet_service("accueil"), waiting=2, waiting_since_ms=1_795_500_000_250, waiting_beyond={"caf-20": 1}
    )
    seen = scrape(network("caf-20"), view(partition_of(quiet_office(NATION, service))))
    here = {"office": NATION, "service": "accueil"}
    assert seen("waiting_tickets", **here) == 2
    assert seen("longest_waiting_since_timestamp_seconds", **here) == 1795500000.25
    assert seen("norm_waiting_beyond_tickets", **here, norm="caf-20") == 1


def test_nothing_is_waiting_since_when_nobody_waits() -> None:
    seen = scrape(network(), view(partition_of(quiet_office(NATION, quiet_service("accueil")))))
    assert seen("waiting_tickets", office=NATION, service="accueil") == 0
    assert seen.series("longest_waiting_since_timestamp_seconds") == []


def test_a_window_shows_percentiles_mean_and_maximum() -> None:
    waits = {Window.HOUR: WaitStats(4, 10_001, {50: 3, 90: 111, 95: 157}, 1500)}
    service = replace(quiet_service("accueil"), window_waits=waits)
    seen = scrape(network(), view(partition_of(replace(quiet_office(NATION, service), window_waits=waits))))
    for name, ids in (
        ("window_wait_seconds", {"office": NATION, "service": "accueil"}),
        ("office_window_wait_seconds", {"office": NATION}),
    ):
        stats = {labels["stat"]: seen(name, **labels) for labels in seen.series(name, **ids, window="hour")}
        assert stats == {"p50": 3, "p90": 111, "p95": 157, "mean": 2.50025, "max": 1500}


def test_a_window_without_percentiles_shows_its_mean_alone() -> None:
    service = replace(quiet_service("accueil"), window_waits={Window.MONTH: WaitStats(3, 9_000, {}, None)})
    seen = scrape(network(), view(partition_of(quiet_office(NATION, service))))
    only = {"office": NATION, "service": "accueil", "window": "month", "stat": "mean"}
    assert seen.series("window_wait_seconds") == [only]
    assert seen("window_wait_seconds", **only) == 3


def test_a_window_in_which_nobody_was_called_is_absent() -> None:
    nobody = {window: WaitStats(0, 0, {}, None) for window in Window}
    service = replace(quiet_service("accueil"), window_waits=nobody)
    seen = scrape(network(), view(partition_of(replace(quiet_office(NATION, service), window_waits=nobody))))
    assert seen.series("window_wait_seconds") == seen.series("office_window_wait_seconds") == []


def test_the_four_counts_of_visits_stand_under_outcome_and_within() -> None:
    four = Counts(answered_within=1, answered_beyond=2, left_within=3, left_beyond=4)
    service = replace(
        quiet_service("accueil"),
        window_visits={("caf-20", Window.DAY): four},
        lifetime_visits={"caf-20": four},
    )
    place = replace(quiet_office(NATION, service), readings={("caf-20", Window.DAY, Per.FIRST): four})
    seen = scrape(network("caf-20"), view(partition_of(place)))
    for name, ids in (
        ("window_visits", {"service": "accueil", "window": "day"}),
        ("lifetime_visits", {"service": "accueil"}),
        ("window_readings", {"window": "day", "per": "first"}),
    ):
        ids |= {"office": NATION, "norm": "caf-20"}
        assert len(seen.series(name)) == 4
        assert seen(name, **ids, outcome="answered", within="within") == 1
        assert seen(name, **ids, outcome="answered", within="beyond") == 2
        assert seen(name, **ids, outcome="left", within="within") == 3
        assert seen(name, **ids, outcome="left", within="beyond") == 4


def test_contradictions_are_shown_by_the_type_of_event() -> None:
    place = replace(quiet_office(NATION), contradictions={"ticket.called": 2})
    seen = scrape(network(), view(partition_of(place)))
    assert seen.series("contradictions") == [{"office": NATION, "kind": "ticket.called"}]
    assert seen("contradictions", office=NATION, kind="ticket.called") == 2


def test_lifetime_figures_are_exact_to_the_last_event_and_the_millisecond() -> None:
    service = replace(
        quiet_service("accueil"),
        lifetime={Tally.ISSUED: 9_007_199_254_740_991, Tally.CALLED: 27_060},
        lifetime_wait_ms={WaitEnd.CALLED: 947_857_123_456_789},
    )
    seen = scrape(network(), view(partition_of(quiet_office(NATION, service))))
    here = {"office": NATION, "service": "accueil"}
    assert int(seen("lifetime_tickets", **here, event="issued")) == 2**53 - 1
    assert seen("lifetime_tickets", **here, event="called") == 27_060
    assert seen("lifetime_tickets", **here, event="served") == 0
    assert round(seen("lifetime_wait_seconds", **here, end="called") * 1000) == 947_857_123_456_789
    assert seen("lifetime_wait_seconds", **here, end="abandoned") == 0


def test_detail_office_drops_service_windows_and_keeps_the_readings_of_the_office() -> None:
    seen = scrape(coarse := large_network(Detail.OFFICE), busy_view(coarse))
    assert seen.series("window_visits") == seen.series("window_wait_seconds") == []
    assert len(seen.series("window_readings", office="o1", norm="some")) == 36
    assert len(seen.series("office_window_wait_seconds", office="o1")) == 11


# ---- pipeline


def test_the_account_of_a_partition_balances_on_the_page() -> None:
    account = replace(partition_of(number=3), read=10, counted=5, duplicate=2, refused={"not_json": 2, "too_late": 1})
    seen = scrape(network(), view(account, partitions_total=4))
    refused = sum(seen("events_refused_total", partition="3", source="", reason=reason) for reason in REASONS)
    assert seen("events_read_total", partition="3") == 10
    assert seen("events_counted_total", partition="3") + seen("events_duplicate_total", partition="3") + refused == 10
    assert seen("events_refused_total", partition="3", source="", reason="empty") == 0


def test_refused_events_are_shown_by_kiosk_and_those_of_nobody_known_beside_so_that_the_sum_is_the_account() -> None:
    hall = "/offices/nation/kiosks/hall-1"
    refused = {"not_json": 5, "too_late": 4}
    account = replace(partition_of(number=3), read=9, refused=refused, refused_of={hall: {"too_late": 3}})
    seen = scrape(network(), view(account, partitions_total=4))
    assert seen("events_refused_total", partition="3", source=hall, reason="too_late") == 3
    assert len(seen.series("events_refused_total", source=hall)) == 1
    nobody = {
        row["reason"]: seen("events_refused_total", **row) for row in seen.series("events_refused_total", source="")
    }
    assert nobody == dict.fromkeys(REASONS, 0) | {"not_json": 5, "too_late": 1}


def test_a_partition_that_is_not_shown_has_its_health_and_no_figures() -> None:
    lagging = PartitionHealth(1, shown=False, lag=1234, stream_time_ms=NOW_MS)
    seen = scrape(network(), view(partitions_total=3, partitions=(lagging,), ready=False))
    assert [seen("partition_owned", partition=str(n)) for n in range(3)] == [0, 1, 0]
    assert seen("partition_shown", partition="1") == 0
    assert seen("partition_lag_events", partition="1") == 1234
    assert seen("stream_time_timestamp_seconds", partition="1") == 1795500843.12
    assert seen("partitions") == 3
    assert seen("ready") == 0
    assert seen.series("events_read_total") == seen.series("as_of_timestamp_seconds") == []


def test_the_health_of_the_worker_is_shown() -> None:
    seen = scrape(
        network(),
        view(
            checkpoints=1,
            checkpoint_failures=2,
            checkpoint_bytes=3,
            checkpoint_last_ms=4_500,
            checkpoint_cut_s=0.048,
            takeovers=5,
            takeover_s=1.25,
            fallbacks=6,
            batches=7,
            batch_records=8,
            batch_s=9.5,
            reseeks=10,
            gaps=11,
            commit_failures=12,
            loop_stall_s=0.052,
            dead_letters=13,
        ),
    )
    shown = {
        "checkpoints_total": 1,
        "checkpoint_failures_total": 2,
        "checkpoint_bytes_total": 3,
        "checkpoint_last_timestamp_seconds": 4.5,
        "checkpoint_longest_cut_seconds": 0.048,
        "takeovers_total": 5,
        "takeover_seconds": 1.25,
        "checkpoint_fallbacks_total": 6,
        "batches_total": 7,
        "batch_records_total": 8,
        "batch_seconds_total": 9.5,
        "reseeks_total": 10,
        "gaps_total": 11,
        "commit_failures_total": 12,
        "event_loop_longest_stall_seconds": 0.052,
        "dead_letters_total": 13,
        "ready": 1,
    }
    assert {name: seen(name) for name in shown} == shown


def test_what_has_not_happened_yet_has_no_instant_and_no_duration() -> None:
    fresh = PartitionHealth(0, shown=False, lag=0, stream_time_ms=0)
    seen = scrape(network(), view(partitions=(fresh,)))
    for name in (
        "checkpoint_last_timestamp_seconds",
        "takeover_seconds",
        "stream_time_timestamp_seconds",
        "scrape_render_seconds",
    ):
        assert seen.series(name) == []


# ---- the page as a whole


def test_an_office_that_left_the_view_is_gone_at_the_next_scrape() -> None:
    views = [view(partition_of(quiet_office(NATION))), view(partitions=())]
    collector = ViewCollector(network(), lambda: views.pop(0))
    first, second = samples_of(collector.collect()), samples_of(collector.collect())
    assert any(("office", NATION) in labels for name, labels in first if name == "attente_waiting_tickets")
    assert {name for name, labels in second if ("office", NATION) in labels} == {"attente_office_info"}


def test_every_metric_of_the_catalogue_is_on_a_page_where_everything_has_happened_and_in_its_order() -> None:
    collector = ViewCollector(everything := large_network(), lambda: busy_view(everything))
    collector.last_render_s = 0.25
    assert [family.name for family in collector.collect()] == [metric.family for metric in CATALOGUE]


def test_samples_bear_the_labels_of_the_catalogue_with_values_from_its_lists() -> None:
    families = families_of(everything := large_network(), lambda: busy_view(everything))
    by_family = {metric.family: metric for metric in CATALOGUE}
    for family in families:
        labels = {label.name: label for label in by_family[family.name].labels}
        for sample in family.samples:
            assert sample.labels.keys() - {"le"} == labels.keys()
            assert all(sample.labels[name] in label.values for name, label in labels.items() if label.values)


@pytest.mark.parametrize("detail", Detail)
@pytest.mark.parametrize("partitions", [1, 4])
def test_the_number_of_series_is_what_the_formula_says_when_everything_has_happened(
    detail: Detail, partitions: int
) -> None:
    collector = ViewCollector(everything := large_network(detail), lambda: busy_view(everything, partitions))
    collector.last_render_s = 0.25
    assert len(samples_of(collector.collect())) == series_count(everything, partitions=partitions)


def test_a_quiet_page_has_fewer_series_than_the_formula_says() -> None:
    offices = large_network().offices
    quiet = view(partition_of(*(quiet_office(name) for name in offices)))
    assert len(scrape(large_network(), quiet).samples) < series_count(large_network())


class Collected:
    """Families for prometheus_client's own writers."""

    def __init__(self, registry: Registry, shown: View) -> None:
        self.families = families_of(registry, lambda: shown)

    def collect(self) -> Iterable[Metric]:
        return list(self.families)


def test_both_formats_are_byte_for_byte_what_prometheus_client_writes() -> None:
    registry = CollectorRegistry()
    collector = ViewCollector(everything := large_network(), lambda: busy_view(everything))
    collector.last_render_s = 0.1 + 0.2
    registry.register(collector)
    assert exposition.text(registry.collect()) == generate_latest(registry)
    assert exposition.openmetrics(registry.collect()) == generate_openmetrics(registry)


printable = st.text(st.characters(exclude_categories=["Cs"]))


@settings(deadline=None)
@given(name=printable, region=printable, title=printable, service=printable)
@example(name='a "quoted" name', region="back\\slash", title="two\nlines", service="")
@example(name="\\n", region='\\"', title="é — \U0001f3e2", service="{le=1}")
@example(name="\r", region="a\rb", title="\x0b", service="  ")
@example(name="\u2028", region="%s %d", title="#", service=",")
def test_any_name_comes_back_from_the_page_as_it_was(name: str, region: str, title: str, service: str) -> None:
    place = replace(office(NATION, (service,), title=name), region=region)
    everything = registry([place], [replace(norm("n", [NATION], [service]), title=title)])
    shown = Collected(everything, view(partition_of(quiet_office(NATION))))
    text, openmetrics = exposition.text(shown.families), exposition.openmetrics(shown.families)
    assert text == generate_latest(shown)
    assert openmetrics == generate_openmetrics(shown)
    for parsed in (parse_text(text.decode()), parse_openmetrics(openmetrics.decode())):
        labels = {sample.name: sample.labels for family in parsed for sample in family.samples}
        assert labels["attente_office_info"] == {
            "office": NATION,
            "region": region,
            "name": name,
            "calendar": "",
            "zone": "Europe/Paris",
        }
        assert labels["attente_norm_info"]["title"] == title
        assert labels["attente_waiting_tickets"] == {"office": NATION, "service": service}


@settings(deadline=None)
@given(value=st.one_of(st.integers(0, 2**53), st.floats(0, allow_nan=False, allow_infinity=False)))
def test_any_value_comes_back_from_the_page_as_it_was(value: float) -> None:
    shown = Collected(network(), view(batch_s=value))
    text = exposition.text(shown.families)
    assert text == generate_latest(shown)
    assert samples_of(parse_text(text.decode()))["attente_batch_seconds_total", frozenset()] == value
