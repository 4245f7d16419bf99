import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from attente.core.calendar import Calendar
from attente.registry import zones
from attente.registry.entities import Exceptional, Hours, Office, OpeningCalendar, Registry
from attente.registry.load import parse
from attente.registry.openings import business_day, hours_on, is_open_at, open_spans

MINUTE = 60_000
NETWORK = parse(
    "network: x\nservices: [{id: a, title: A}]\noffices: [{id: o, name: O, region: R, zone: UTC}]\n", "registry.yaml"
)

# Zones and dates of every kind of change: an hour and half an hour, at night and at midnight, forward and back, a
# whole day skipped, an offset that is no whole hour, both hemispheres, and no change at all.
DAYS = (
    ("Europe/Paris", "2026-03-29"),
    ("Europe/Paris", "2026-10-25"),
    ("Europe/Paris", "2026-07-14"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Africa/Cairo", "2026-04-24"),
    ("Africa/Cairo", "2026-10-29"),
    ("Pacific/Apia", "2011-12-30"),
    ("Pacific/Kiritimati", "2026-01-01"),
    ("Etc/GMT+12", "2026-01-01"),
    ("Asia/Kathmandu", "2026-01-01"),
)


def day(iso: str) -> int:
    return date.fromisoformat(iso).toordinal()


def at(iso: str) -> int:
    return int(datetime.fromisoformat(iso).timestamp()) * 1000


def open_on(on: int, hours: Hours, zone: str = "Europe/Paris") -> tuple[Registry, Office]:
    """An office that is open on one day only."""
    calendar = OpeningCalendar("c", ((),) * 7, exceptions=(Exceptional(on, on, hours),))
    return replace(NETWORK, calendars={"c": calendar}), replace(NETWORK.offices["o"], zone=zone, calendar="c")


def spans_of(zone: str, iso: str, *hours: tuple[int, int]) -> list[tuple[str, str]]:
    """The open spans of a day as times of UTC."""
    on = day(iso)
    spans = open_spans(*open_on(on, hours, zone), on)
    return [(time_of(opened), time_of(closed)) for opened, closed in spans]


def time_of(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%H:%M}"


HOURS = st.lists(st.integers(0, 1440), min_size=2, max_size=8, unique=True).map(
    lambda edges: tuple(zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(DAYS), st.integers(-1, 1), HOURS)
@example(("Europe/Paris", "2026-10-25"), 0, ((0, 1440),))
@example(("Europe/Paris", "2026-03-29"), 0, ((120, 180),))
def test_an_office_is_open_while_the_clock_on_its_wall_says_so(
    where: tuple[str, str], shift: int, hours: Hours
) -> None:
    zone, iso = where
    on = day(iso) + shift
    registry, office = open_on(on, hours, zone)
    spans = open_spans(registry, office, on)
    wall = zones.zone(zone)
    first = (on - day("1970-01-01") - 1) * 1440
    for minute in range(first, first + 3 * 1440):
        shows = datetime.fromtimestamp(minute * 60, wall)
        expected = shows.toordinal() == on and any(
            begin <= shows.hour * 60 + shows.minute < end for begin, end in hours
        )
        instant = minute * MINUTE
        assert any(begin <= instant < end for begin, end in spans) == expected, shows
        assert is_open_at(registry, office, instant) == expected, shows
    assert list(spans) == sorted(spans)
    assert all(begin < end for begin, end in spans)
    assert all(end < begin for (_, end), (begin, _) in itertools.pairwise(spans))


def test_of_hours_that_the_clocks_skip_nothing_is_left() -> None:
    #  01:00 |--------| 02:00 -> 03:00 |----| 03:30          Paris, 29 March: UTC+1 until 01:00Z, then UTC+2
    assert spans_of("Europe/Paris", "2026-03-29", (60, 210)) == [("00:00", "01:30")]
    assert spans_of("Europe/Paris", "2026-03-29", (120, 180)) == []
    assert spans_of("Europe/Paris", "2026-03-29", (150, 240)) == [("01:00", "02:00")]


def test_hours_that_the_clocks_repeat_are_open_both_times() -> None:
    #  01:00 |----------| 02:30 .. 03:00 -> 02:00 |-----| 02:30        Paris, 25 October: UTC+2 until 01:00Z
    assert spans_of("Europe/Paris", "2026-10-25", (60, 150)) == [("23:00", "00:30"), ("01:00", "01:30")]
    assert spans_of("Europe/Paris", "2026-10-25", (60, 240)) == [("23:00", "03:00")]


def test_a_whole_day_lasts_as_long_as_the_clocks_make_it() -> None:
    lengths = []
    for iso in ("2026-03-29", "2026-07-14", "2026-10-25"):
        ((begin, end),) = open_spans(*open_on(day(iso), ((0, 1440),)), day(iso))
        lengths.append((end - begin) // (60 * MINUTE))
    assert lengths == [23, 24, 25]


def test_a_date_that_a_zone_skipped_has_no_hours() -> None:
    assert spans_of("Pacific/Apia", "2011-12-30", (0, 1440)) == []
    assert spans_of("Pacific/Apia", "2011-12-31", (540, 600)) == [("19:00", "20:00")]


def test_stretches_that_touch_are_one_span() -> None:
    assert spans_of("UTC", "2026-01-01", (540, 720), (720, 1020)) == [("09:00", "17:00")]


def test_an_open_span_is_half_open() -> None:
    registry, office = open_on(day("2026-01-05"), ((540, 720),), "UTC")
    opens, closes = at("2026-01-05T09:00:00+00:00"), at("2026-01-05T12:00:00+00:00")
    assert open_spans(registry, office, day("2026-01-05")) == ((opens, closes),)
    assert [is_open_at(registry, office, ms) for ms in (opens - 1, opens, closes - 1, closes)] == [
        False,
        True,
        True,
        False,
    ]


FULL = """\
network: x
services: [{id: a, title: A}]
calendars:
  - id: usual
    weekly: {mon-fri: 09:00-17:00}
    holidays: [2026-12-24, 2026-12-25]
    exceptions:
      - {date: 2026-12-24, hours: 09:00-12:00}
      - {from: 2026-12-28, to: 2026-12-31, hours: closed}
offices:
  - id: o
    name: O
    region: R
    zone: UTC
    calendar: usual
    closures:
      - {date: 2026-12-23, hours: closed}
      - {date: 2026-12-24, hours: 10:00-11:00}
      - {date: 2026-12-27, hours: 14:00-15:00}
  - {id: p, name: P, region: R, zone: UTC, calendar: usual}
  - {id: none, name: N, region: R, zone: UTC}
"""
BUSINESS, MORNING = ((540, 1020),), ((540, 720),)


@pytest.mark.parametrize(
    ("iso", "by_calendar", "with_closures"),
    [
        ("2026-12-22", BUSINESS, BUSINESS),  # a Tuesday
        ("2026-12-23", BUSINESS, ()),  # closed here
        ("2026-12-24", MORNING, ((600, 660),)),  # a holiday, with an exception, with hours of its own
        ("2026-12-25", (), ()),  # a holiday
        ("2026-12-26", (), ()),  # a Saturday
        ("2026-12-27", (), ((840, 900),)),  # a Sunday
        ("2026-12-28", (), ()),  # the first day of a long exception
        ("2026-12-31", (), ()),  # its last
        ("2027-01-01", BUSINESS, BUSINESS),
    ],
)
def test_the_offices_word_goes_before_the_exception_before_the_holiday_before_the_week(
    iso: str, by_calendar: Hours, with_closures: Hours
) -> None:
    registry = parse(FULL, "registry.yaml")
    assert hours_on(registry, registry.offices["p"], day(iso)) == by_calendar
    assert hours_on(registry, registry.offices["o"], day(iso)) == with_closures


def test_an_office_without_a_calendar_has_no_hours() -> None:
    registry = parse(FULL, "registry.yaml")
    office = registry.offices["none"]
    assert open_spans(registry, office, day("2026-12-22")) == ()
    assert not is_open_at(registry, office, at("2026-12-22T10:00:00+00:00"))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(DAYS), st.integers(-48 * 60, 48 * 60), st.sampled_from([0, 180, 270, 300]))
def test_a_business_day_is_that_of_the_core(where: tuple[str, str], minutes: int, cut_over: int) -> None:
    zone, iso = where
    if cut_over in zones.clashes(zones.rules(zone)):
        return
    instant = at(f"{iso}T00:00:00+00:00") + minutes * MINUTE
    expected = Calendar(zones.zone(zone), cut_over).day_of(instant)
    assert business_day(replace(NETWORK, cut_over_min=cut_over), zone, instant) == expected


def test_an_offset_is_that_of_the_zone_at_every_change() -> None:
    for zone in {zone for zone, _ in DAYS}:
        rules = zones.rules(zone)
        for change in rules.changes:
            for second in (change.at - 1, change.at):
                told = datetime.fromtimestamp(second, zones.zone(zone)).utcoffset()
                assert timedelta(seconds=zones.offset_at(rules, second)) == told
