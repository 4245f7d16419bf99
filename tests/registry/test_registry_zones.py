from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attente.registry import zones
from attente.registry.load import parse
from attente.registry.zones import Change, Clash, Rules
from registry.registry_files import changed, complaint

EVERY_ZONE = sorted(zones.names())
START, END = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (1990, 2051))


def offset_in(of: ZoneInfo, at: int) -> int:
    offset = datetime.fromtimestamp(at, of).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def exists_once(of: ZoneInfo, local: datetime) -> bool:
    """Whether a wall clock shows a local time exactly once: its two readings are one instant, and it is shown then."""
    first, second = (local.replace(tzinfo=of, fold=fold) for fold in (0, 1))
    return (
        first.utcoffset() == second.utcoffset() and first.astimezone(UTC).astimezone(of).replace(tzinfo=None) == local
    )


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(EVERY_ZONE), st.lists(st.integers(START, END - 1), min_size=40, max_size=40))
def test_the_rules_of_every_zone_give_its_offset_at_any_instant(name: str, instants: list[int]) -> None:
    rules = zones.rules(name)
    for at in instants:
        offset = next((change.after for change in reversed(rules.changes) if change.at <= at), rules.first)
        assert offset == offset_in(zones.zone(name), at)


@pytest.mark.parametrize(
    "name", ["America/Recife", "Asia/Gaza", "Africa/Casablanca", "Antarctica/Casey", "Europe/Paris"]
)
def test_no_change_falls_between_two_probes(name: str) -> None:
    # Recife had summer time for one week in 2000, Gaza interrupts it for one in 2040: the closest changes there are.
    of = zones.zone(name)
    noons = range(START, END, 43_200)
    seen = [(low, high) for low, high in pairwise(noons) if offset_in(of, low) != offset_in(of, high)]
    found = zones.rules(name).changes
    assert len(found) == len(seen)
    assert all(low < change.at <= high for change, (low, high) in zip(found, seen, strict=True))


def test_a_change_is_found_to_the_second() -> None:
    #  Sunday 29 March 2026, 01:00 UTC: 02:00 becomes 03:00
    at = int(datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp())
    assert Change(at, 3600, 7200) in zones.rules("Europe/Paris").changes


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(EVERY_ZONE), st.integers(0, 287), st.dates(date(1990, 1, 2), date(2050, 12, 30)))
def test_a_cut_over_that_does_not_clash_exists_once_on_every_date(name: str, grid: int, on: date) -> None:
    if grid * 5 not in zones.clashes(zones.rules(name)):
        local = datetime.combine(on, datetime.min.time()) + timedelta(minutes=5 * grid)
        assert exists_once(zones.zone(name), local)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(EVERY_ZONE))
def test_a_cut_over_that_clashes_is_skipped_or_repeated_on_the_date_that_is_told(name: str) -> None:
    for minutes, clash in zones.clashes(zones.rules(name)).items():
        local = datetime.combine(clash.on, datetime.min.time()) + timedelta(minutes=minutes)
        assert not exists_once(zones.zone(name), local)


@pytest.mark.parametrize("name", ["Europe/Paris", "Asia/Jerusalem"])
def test_three_o_clock_exists_once_on_every_date(name: str) -> None:
    #  Paris   01:00 ---- 02:00 | 03:00 ----     forward: 03:00 is the first instant after the gap
    #          01:00 ---- 02:00 ---- 03:00 |
    #                     02:00 ---- 03:00 ----  back: 03:00 comes after the second pass
    assert 180 not in zones.clashes(zones.rules(name))
    days = (date(1990, 1, 2) + timedelta(days=n) for n in range(22_000))
    assert all(
        exists_once(zones.zone(name), datetime.combine(day, datetime.min.time()).replace(hour=3)) for day in days
    )


def test_the_hour_that_is_skipped_and_repeated_is_barred_from_its_first_minute_to_before_its_last() -> None:
    assert sorted(zones.clashes(zones.rules("Europe/Paris"))) == list(range(120, 180, 5))


def test_a_clash_tells_whether_the_time_is_skipped_or_repeated() -> None:
    forward, back = Change(7200, 0, 3600), Change(7200, 3600, 0)  # at 02:00 UTC on 1 January 1970
    assert zones.clashes(Rules(0, (forward,)))[120] == Clash(date(1970, 1, 1), skipped=True)
    assert zones.clashes(Rules(3600, (back,)))[120] == Clash(date(1970, 1, 1), skipped=False)


def test_a_change_across_midnight_is_told_with_the_local_date() -> None:
    #  23:30 -> 00:30 of the next day, in a zone two hours west of Greenwich
    clashes = zones.clashes(Rules(-7200, (Change(86_400 + 5400, -7200, -3600),)))
    assert clashes[23 * 60 + 30].on == date(1970, 1, 1)
    assert clashes[0].on == date(1970, 1, 2)


def test_the_proposed_cut_over_suits_every_zone_of_the_network() -> None:
    zone = "Auvergne\n    zone: "
    text = changed(f"{zone}Europe/Paris", f"{zone}Europe/Helsinki")
    message = complaint(changed('"03:00"', '▸"03:00"', text))
    assert message.endswith('write cut_over: "04:00"')
    parse(changed('"03:00"', '"04:00"', text), "x")


def test_the_proposal_is_the_nearest_full_hour_that_no_zone_bars() -> None:
    bar = Clash(date(2000, 1, 1), skipped=True)
    assert zones.suitable(180, []) == 180
    assert zones.suitable(180, [{180: bar}]) == 240
    assert zones.suitable(180, [{180: bar}, {240: bar}]) == 120
    assert zones.suitable(180, [dict.fromkeys(range(0, 1440, 60), bar)]) == 185
    assert zones.suitable(180, [dict.fromkeys(range(0, 1440, 5), bar)]) is None


def test_zones_that_only_bar_every_cut_over_together_are_two_networks() -> None:
    bar = Clash(date(2000, 1, 1), skipped=True)
    barred = {
        "Europe/Paris": dict.fromkeys(range(0, 720, 5), bar),
        "Asia/Tokyo": dict.fromkeys(range(720, 1440, 5), bar),
    }
    assert zones.flaw("Europe/Paris", 180, barred) == (
        "does not exist in Europe/Paris on 2000-01-01; "
        "no cut-over suits all zones of this file, make two networks of it"
    )
    assert zones.flaw("Asia/Tokyo", 180, barred) is None


def test_a_zone_that_skipped_a_whole_day_has_no_cut_over() -> None:
    zone = "Auvergne\n    zone: "
    text = changed(f"{zone}Europe/Paris", f"{zone}Pacific/Apia")
    assert complaint(changed('"03:00"', '▸"05:00"', text)) == (
        'cut_over "05:00" does not exist in Pacific/Apia on 2011-12-30; '
        "no cut-over suits this zone, write Etc/GMT-13 where offices keep no summer time"
    )


def test_a_zone_without_a_cut_over_does_not_spoil_the_proposal_for_others() -> None:
    barred = {name: zones.clashes(zones.rules(name)) for name in ("Europe/Paris", "Pacific/Apia")}
    assert zones.flaw("Europe/Paris", 150, barred) == (
        'does not exist in Europe/Paris on 1990-03-25; write cut_over: "03:00"'
    )


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(EVERY_ZONE))
def test_a_zone_keeps_to_five_minutes_from_1990_on(name: str) -> None:
    assert zones.off_grid(zones.rules(name)) is None


def test_an_offset_off_the_grid_is_found_in_the_beginning_and_after_a_change() -> None:
    assert zones.off_grid(zones.rules_of(timezone(timedelta(seconds=-2670)))) == -2670  # Monrovia until 1972
    assert zones.off_grid(Rules(0, (Change(0, 0, 1205), Change(9, 1205, 3600)))) == 1205
    assert zones.off_grid(Rules(2700, ())) is None


def test_a_zone_off_the_grid_is_reported_at_the_office_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = zones.rules
    monkeypatch.setattr(zones, "rules", lambda name: Rules(-2670, ()) if name == "Africa/Monrovia" else real(name))
    zone = "Auvergne\n    zone: "
    assert complaint(changed(f"{zone}Europe/Paris", f"{zone}▸Africa/Monrovia")) == (
        "office thiers: zone Africa/Monrovia was -2670 s off UTC, no whole number of 5 min; write another zone"
    )


def test_zones_come_from_the_package_and_not_from_the_machine(tmp_path: Path) -> None:
    before = ZoneInfo("Europe/Paris")
    assert zones.zone("Europe/Paris") is not before
    assert zones.zone("Europe/Paris").key == "Europe/Paris"


def test_a_placeholder_of_the_database_is_no_zone() -> None:
    assert "Factory" not in zones.names()
