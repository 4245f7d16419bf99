"""Opening hours as time intervals: at every instant of a year they say what the registry says."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from attente.grafana.rules.alertmanager import configuration
from attente.registry.entities import Office, Registry
from attente.registry.load import parse
from attente.registry.openings import hours_on, is_open_at
from grafana.receiver_files import sound
from grafana.routing import Configuration

YEAR = 2027
ZONES = ("Europe/Paris", "Australia/Lord_Howe")  # the other half, and half an hour of summer time

# Hours across the night in which the clocks change, a holiday on a weekend, an exception on a holiday, closures that
# take away, give back, overrule a calendar's exception, and run over the end of a month; and a calendar that says the
# same of two days in different words.
CALENDARS = """\
calendars:
  - id: usual
    weekly: {mon-thu: [09:00-12:30, 13:30-17:00], fri: 09:00-12:30, sat: closed}
    holidays: [2027-01-01, 2027-05-01, 2027-05-06, 2027-07-14, 2027-12-25]
    exceptions:
      - {date: 2027-05-06, hours: 10:00-11:00}
      - {date: 2027-10-04, hours: [09:00-12:30, 13:30-17:00]}
      - {date: 2027-06-05, hours: 09:00-12:00}
      - {from: 2027-07-26, to: 2027-08-13, hours: closed}
      - {from: 2027-12-27, to: 2027-12-31, hours: [08:00-09:30, 12:00-24:00]}
  - id: night
    weekly: {mon-sat: 22:00-24:00, sun: 00:00-24:00}
    holidays: [2027-10-31]
    exceptions:
      - {date: 2027-02-01, hours: 00:00-24:00}
  - id: special
    weekly: {mon-sun: closed}
    exceptions: [{from: 2027-03-27, to: 2027-03-29, hours: [01:30-02:15, 02:45-04:00]}]
  - id: never
    weekly: {mon-sun: closed}
"""


def network() -> Registry:
    offices = "".join(
        f"  - {{id: {calendar}-{number}, name: O, region: R{number}, zone: {zone}, calendar: {calendar}}}\n"
        for number, zone in enumerate(ZONES)
        for calendar in ("usual", "night", "special", "never")
    )
    own = f"""\
  - id: own
    name: Own
    region: R0
    zone: {ZONES[0]}
    calendar: usual
    closures:
      - {{date: 2027-03-15, hours: closed}}
      - {{date: 2027-05-06, hours: 14:00-18:00}}
      - {{date: 2027-07-14, hours: 09:00-12:00}}
      - {{from: 2027-07-30, to: 2027-08-02, hours: [09:00-12:30, 13:30-17:00]}}
      - {{date: 2027-12-31, hours: 09:00-12:30}}
  - id: unknown
    name: Unknown
    region: R0
    zone: {ZONES[0]}
"""
    return parse(
        f"network: n\nservices: [{{id: a, title: A}}]\n{CALENDARS}offices:\n{offices}{own}norms: []\n", "registry.yaml"
    )


NETWORK = network()
WRITTEN = Configuration(configuration(NETWORK, sound(NETWORK)))


def instants_of_interest(office: Office) -> Iterator[int]:
    """Seconds since 1970 at which something may begin or end, and a second before each.

    Of every local day midnight, noon, and both ends of its hours, of its weekday's and of all special hours; and every
    quarter of an hour around a change of the clocks.
    """
    zone = ZoneInfo(office.zone)
    calendar = NETWORK.calendars[office.calendar]
    edges = {0, 720} | {edge for hours in calendar.weekly for span in hours for edge in span}
    edges |= {edge for one in (*calendar.exceptions, *office.closures) for span in one.hours for edge in span}
    first = datetime(YEAR, 1, 1, tzinfo=UTC) - timedelta(days=1)
    for number in range(368):
        day = first + timedelta(days=number)
        offsets = {(day + timedelta(hours=hour)).astimezone(zone).utcoffset() for hour in (-24, 0, 24)}
        minutes = edges | (set(range(0, 1440, 15)) if len(offsets) > 1 else set())
        for minute in minutes:
            for fold in (0, 1):
                local = day.replace(tzinfo=zone, fold=fold) + timedelta(minutes=minute)
                at = int(local.timestamp())
                yield from (at - 1, at)


@pytest.mark.parametrize("office", [one for one in NETWORK.offices.values() if one.calendar], ids=lambda one: one.id)
def test_an_office_is_told_at_exactly_the_instants_at_which_it_is_open(office: Office) -> None:
    labels = {
        "audience": "office",
        "severity": "page",
        "region": office.region,
        "calendar": office.calendar,
        "zone": office.zone,
        "office": office.id,
    }
    ended = WRITTEN.ends(labels)

    wrong = [
        f"{datetime.fromtimestamp(at, ZoneInfo(office.zone))}"
        for at in sorted(set(instants_of_interest(office)))
        if WRITTEN.is_told(ended, at) is not is_open_at(NETWORK, office, at * 1000)
    ]
    assert wrong == []


def test_the_instants_of_interest_hold_open_and_closed_ones_of_special_days_too() -> None:
    # Else the test above could pass by never looking.
    office = NETWORK.offices["own"]
    on = date(2027, 5, 6)
    there = [
        is_open_at(NETWORK, office, at * 1000)
        for at in set(instants_of_interest(office))
        if datetime.fromtimestamp(at, ZoneInfo(office.zone)).date() == on
    ]
    assert hours_on(NETWORK, office, on.toordinal()) == ((840, 1080),)
    assert len(there) > 20
    assert 0 < sum(there) < len(there)


@pytest.mark.parametrize("office", ["unknown", "never-0"])
def test_an_office_without_a_calendar_is_told_always_and_one_that_never_opens_is_never_told(office: str) -> None:
    found = NETWORK.offices[office]
    labels = {"audience": "office", "severity": "ticket", "region": found.region, "office": office}
    labels |= {"calendar": found.calendar, "zone": found.zone}
    ended = WRITTEN.ends(labels)
    noons = (datetime(YEAR, 1, 1, 12, tzinfo=UTC).timestamp() + day * 86_400 for day in range(365))

    assert {WRITTEN.is_told(ended, noon) for noon in noons} == {office == "unknown"}


def test_offices_of_one_calendar_and_zone_share_intervals_and_one_with_closures_has_its_own() -> None:
    assert list(WRITTEN.intervals) == [
        "calendar/usual/Europe/Paris/open",
        "calendar/usual/Europe/Paris/closed",
        "calendar/night/Europe/Paris/open",
        "calendar/night/Europe/Paris/closed",
        "calendar/special/Europe/Paris/open",
        "calendar/special/Europe/Paris/closed",
        "calendar/never/Europe/Paris/closed",
        "calendar/usual/Australia/Lord_Howe/open",
        "calendar/usual/Australia/Lord_Howe/closed",
        "calendar/night/Australia/Lord_Howe/open",
        "calendar/night/Australia/Lord_Howe/closed",
        "calendar/special/Australia/Lord_Howe/open",
        "calendar/special/Australia/Lord_Howe/closed",
        "calendar/never/Australia/Lord_Howe/closed",
        "office/own/open",
        "office/own/closed",
    ]


def test_every_interval_names_its_zone_and_none_is_empty() -> None:
    assert WRITTEN.intervals
    for name, entries in WRITTEN.intervals.items():
        assert entries, name
        assert {entry["location"] for entry in entries} <= set(ZONES), name


def test_a_special_day_with_the_hours_of_its_weekday_is_not_written() -> None:
    (months,) = [
        {(entry["years"][0], entry["months"][0]) for entry in WRITTEN.intervals[name] if "months" in entry}
        for name in ("calendar/usual/Europe/Paris/open",)
    ]
    assert ("2027", "6") in months
    assert ("2027", "10") not in months


def test_neighbouring_days_are_one_range_and_a_range_ends_with_its_month() -> None:
    closed = WRITTEN.intervals["calendar/usual/Australia/Lord_Howe/closed"]
    summer = {entry["months"][0]: entry["days_of_month"] for entry in closed if entry["months"][0] in {"7", "8"}}

    # The weekends are closed anyway.
    assert summer == {"7": ["14", "26:30"], "8": ["2:6", "9:13"]}
