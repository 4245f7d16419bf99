from collections.abc import Callable, Iterator
from datetime import date

import pytest
import yaml

from attente.registry import document
from attente.registry.entities import Exceptional, OpeningCalendar
from attente.registry.load import parse
from attente.registry.problems import Problems
from registry.registry_files import complaint, problems

HEAD = "network: x\nservices: [{id: a, title: A}]\n"
OFFICES = "offices:\n  - {id: nation, name: N, region: R, zone: UTC, calendar: usual}\n"
WEEK = "{mon-thu: [09:00-12:30, 13:30-17:00], fri: 09:00-12:30, sat: closed}"
MORNING, AFTERNOON = (540, 750), (810, 1020)


def with_calendar(weekly: str = WEEK, more: str = "") -> str:
    return f"{HEAD}calendars:\n  - id: usual\n    weekly: {weekly}\n{more}{OFFICES}"


def with_office(keys: str) -> str:
    calendars = f"calendars:\n  - {{id: usual, weekly: {WEEK}}}\n"
    return f"{HEAD}{calendars}offices:\n  - {{id: nation, name: N, region: R, zone: UTC, {keys}}}\n"


def calendar(weekly: str = WEEK, more: str = "") -> OpeningCalendar:
    return parse(with_calendar(weekly, more), "x").calendars["usual"]


def day(iso: str) -> int:
    return date.fromisoformat(iso).toordinal()


def test_a_week_is_told_by_days_and_ranges_of_days_and_the_rest_is_closed() -> None:
    assert calendar().weekly == (*[(MORNING, AFTERNOON)] * 4, (MORNING,), (), ())


@pytest.mark.parametrize("tree", document.TREES)
def test_hours_and_dates_need_no_quotes(tree: Callable[[str], document.Tree]) -> None:
    text = with_calendar(more="    holidays: [2026-12-25]\n    exceptions: [{date: 2026-12-24, hours: 09:00-12:00}]\n")
    root = document.compose(text, Problems("x"), tree)
    scalars = {node.value for node in walk(root) if isinstance(node, yaml.ScalarNode)}
    assert {"09:00-12:30", "13:30-17:00", "2026-12-25", "2026-12-24", "09:00-12:00"} <= scalars


def walk(node: yaml.Node) -> Iterator[yaml.Node]:
    yield node
    for child in node.value if not isinstance(node, yaml.ScalarNode) else ():
        for inner in child if isinstance(child, tuple) else (child,):
            yield from walk(inner)


def test_a_day_may_last_until_midnight_and_be_told_in_any_order() -> None:
    assert calendar("{sun: [22:00-24:00, 00:00-02:00, 12:00-13:00]}").weekly[6] == ((0, 120), (720, 780), (1320, 1440))


def test_stretches_may_touch() -> None:
    assert calendar("{mon: [09:00-12:00, 12:00-17:00]}").weekly[0] == ((540, 720), (720, 1020))


def test_holidays_and_exceptions_are_read_as_days() -> None:
    found = calendar(
        more="    holidays: [2026-12-25, 2027-01-01]\n"
        "    exceptions:\n"
        "      - {from: 2026-12-28, to: 2026-12-31}\n"
        "      - {date: 2026-12-24, hours: [09:00-12:30, 13:30-17:00]}\n"
        "      - {from: 2026-08-03, to: 2026-08-14, hours: closed}\n"
    )
    assert found.holidays == {day("2026-12-25"), day("2027-01-01")}
    assert found.exceptions == (
        Exceptional(day("2026-08-03"), day("2026-08-14"), ()),
        Exceptional(day("2026-12-24"), day("2026-12-24"), (MORNING, AFTERNOON)),
        Exceptional(day("2026-12-28"), day("2026-12-31"), ()),
    )


def test_an_office_has_a_size_kiosks_a_calendar_and_closures_of_its_own() -> None:
    keys = "size: large, kiosks: [hall-1, hall-2], calendar: usual, closures: [{date: 2026-05-04, hours: 10:00-11:00}]"
    office = parse(with_office(keys), "x").offices["nation"]
    assert (office.size, office.kiosks, office.calendar) == ("large", ("hall-1", "hall-2"), "usual")
    assert office.closures == (Exceptional(day("2026-05-04"), day("2026-05-04"), ((600, 660),)),)


def test_an_office_needs_none_of_them() -> None:
    office = parse(f"{HEAD}offices:\n  - {{id: nation, name: N, region: R, zone: UTC}}\n", "x").offices["nation"]
    assert (office.size, office.kiosks, office.calendar, office.closures) == ("", (), "", ())


def test_a_network_needs_no_calendars() -> None:
    assert parse(f"{HEAD}calendars: []\n{OFFICES.replace(', calendar: usual', '')}", "x").calendars == {}


WEEKS = [
    (
        "{mon: [09:00-12:30, ▸12:00-17:00]}",
        "calendar usual: weekly: mon: 12:00-17:00 overlaps 09:00-12:30; tell each hour once",
    ),
    (
        "{mon: [▸09:30-12:30, 09:00-10:00]}",
        "calendar usual: weekly: mon: 09:30-12:30 overlaps 09:00-10:00; tell each hour once",
    ),
    ("{mon: [09:00-12:30, ▸09:00-12:30]}", "calendar usual: weekly: mon: 09:00-12:30 overlaps 09:00-12:30; tell each"),
    (
        "{mon: ▸17:00-09:00}",
        "calendar usual: weekly: mon: 17:00-09:00 ends before it begins; write 09:00-17:00, or two stretches up to",
    ),
    (
        "{mon: [▸09:00-09:00]}",
        "calendar usual: weekly: mon: 09:00-09:00 has no length; write 00:00-24:00 for the whole day, closed for none",
    ),
    ("{mon: [▸9-17]}", "calendar usual: weekly: mon: 9-17 is no stretch of a day; write 09:00-17:00"),
    ("{mon: ▸9h30 – 12h}", "calendar usual: weekly: mon: '9h30 – 12h' is no stretch of a day; write 09:30-12:00"),
    (
        "{mon: ▸24:00-25:00}",
        "calendar usual: weekly: mon: 24:00-25:00 is no stretch of a day; write one like 09:00-12:30",
    ),
    ("{mon: ▸09:00-24:30}", "calendar usual: weekly: mon: 09:00-24:30 is no stretch of a day; write"),
    ("{mon: [▸closed]}", "calendar usual: weekly: mon: closed takes no company; write it without the list"),
    ("{mon: ▸[]}", "calendar usual: weekly: mon is empty; write [09:00-12:30, 13:30-17:00], 09:00-12:30 or closed"),
    ("{mon: ▸}", "calendar usual: weekly: mon is empty, but must be a list; write"),
    ("{mon: [▸{a: b}]}", "calendar usual: weekly: mon is a mapping, but must be a single value; write"),
    ("{▸monday: 09:00-12:30}", "calendar usual: weekly: unknown key monday; did you mean mon?"),
    ("{▸wednesday: 09:00-12:30}", "calendar usual: weekly: unknown key wednesday; did you mean wed?"),
    ("{▸Mon-Fri: 09:00-12:30}", "calendar usual: weekly: unknown key Mon-Fri; did you mean mon-fri?"),
    (
        "{▸lundi: 09:00-12:30}",
        "calendar usual: weekly: unknown key lundi; the keys here are mon, tue, wed, thu, fri, sat, sun, mon-tue,",
    ),
    (
        "{mon-fri: 09:00-12:30, wed: ▸closed}",
        "calendar usual: weekly: wed: wed is told by mon-fri in line 5 already; tell each day once",
    ),
    (
        "{mon-wed: 09:00-12:30, tue-fri: ▸closed}",
        "calendar usual: weekly: tue-fri: tue is told by mon-wed in line 5 already; tell each day once",
    ),
    ("▸09:00-12:30", "calendar usual: weekly is a single value, but must be a mapping; write {mon-fri: [09:00-12:30"),
]


@pytest.mark.parametrize(("weekly", "message"), WEEKS, ids=[weekly for weekly, _ in WEEKS])
def test_a_week_that_means_nothing_is_refused_at_its_place_with_a_remedy(weekly: str, message: str) -> None:
    assert complaint(with_calendar(weekly)).startswith(message)


EXTRAS = [
    ("holidays: [2026-12-25, ▸2026-12-25]", "calendar usual: holidays: 2026-12-25 stands in line 6 already"),
    ("holidays: [▸25/12/2026]", "calendar usual: holidays: 25/12/2026 is no date; write one like 2009-01-01"),
    ("holidays: [▸2026-02-30]", "calendar usual: holidays: 2026-02-30 is not in the calendar; write one"),
    ("holidays: [▸0206-12-25]", "calendar usual: holidays: 0206-12-25 is not between 1990 and 2050; mend the year"),
    ("holidays: [▸[2026-12-25]]", "calendar usual: holidays is a list, but must be a single value; write 2026-12-25"),
    ("holidays: ▸2026-12-25", "calendar usual: holidays is a single value, but must be a list; write a list like"),
    (
        "exceptions: [▸{hours: closed}]",
        "calendar usual: exceptions number 1: no day is told; add date: 2026-12-24, or from: and to:",
    ),
    (
        "exceptions: [{date: ▸2026-12-24, to: 2026-12-26}]",
        "calendar usual: exceptions number 1: date goes without from and to; keep one or the other",
    ),
    ("exceptions: [▸{from: 2026-12-24}]", "calendar usual: exceptions number 1: to is missing; add to: 2026-08-14"),
    ("exceptions: [▸{to: 2026-12-24}]", "calendar usual: exceptions number 1: from is missing; add from: 2026-08-03"),
    (
        "exceptions: [{from: 2026-12-24, to: ▸2026-12-23}]",
        "calendar usual: exceptions number 1: to 2026-12-23 is before from 2026-12-24; turn them round",
    ),
    (
        "exceptions: [{date: 2026-12-24}, ▸{date: 2026-12-24, hours: 09:00-12:00}]",
        "calendar usual: exceptions: 2026-12-24 has its hours from line 6 already; tell each day once",
    ),
    (
        "exceptions: [{from: 2026-08-01, to: 2026-08-31}, {date: 2026-09-01}, ▸{from: 2026-08-30, to: 2026-08-31}]",
        "calendar usual: exceptions: 2026-08-30 has its hours from line 6 already; tell each day once",
    ),
    (
        "exceptions: [{date: 2026-12-24, hours: ▸noon}]",
        "calendar usual: exceptions number 1: hours: noon is no stretch of a day; write one like 09:00-12:30, or",
    ),
    (
        "exceptions: [{date: 2026-12-24, ▸hour: closed}]",
        "calendar usual: exceptions number 1: unknown key hour; did you mean hours?",
    ),
    ("exceptions: [{date: ▸24.12.2026}]", "calendar usual: exceptions number 1: date 24.12.2026 is no date; write"),
    ("exceptions: [▸2026-12-24]", "calendar usual: exceptions number 1 is a single value, but must be a mapping"),
    ("▸closures: []", "calendar usual: unknown key closures; the keys here are id, weekly, holidays, exceptions"),
]


@pytest.mark.parametrize(("key", "message"), EXTRAS, ids=[key for key, _ in EXTRAS])
def test_days_out_of_the_ordinary_are_refused_at_their_place_with_a_remedy(key: str, message: str) -> None:
    assert complaint(with_calendar(more=f"    {key}\n")).startswith(message)


def test_a_long_closure_is_compared_with_every_later_one() -> None:
    #  08-01 |----------------------------------| 08-31
    #             08-03 |--| 08-04        08-20 |-- ...
    text = with_calendar(
        more="    exceptions:\n"
        "      - {from: 2026-08-01, to: 2026-08-31}\n"
        "      - {from: 2026-08-03, to: 2026-08-04}\n"
        "      - {from: 2026-08-20, to: 2026-09-02}\n"
    )
    assert [(problem.line, problem.message.split(": ")[-1].split(" ")[0]) for problem in problems(text)] == [
        (8, "2026-08-03"),
        (9, "2026-08-20"),
    ]


def test_a_calendar_needs_a_week() -> None:
    text = f"{HEAD}calendars: [▸{{id: usual}}]\n{OFFICES}"
    assert complaint(text).startswith("calendar usual: weekly is missing; add weekly: {mon-fri: [09:00-12:30")


def test_each_calendar_has_an_id_of_its_own() -> None:
    text = f"{HEAD}calendars:\n  - {{id: usual, weekly: {WEEK}}}\n  - {{id: ▸usual, weekly: {WEEK}}}\n{OFFICES}"
    assert complaint(text) == "calendar usual: id usual is taken by line 4; give each calendar its own"


KEYS = [
    ("calendar: ▸usuall", "office nation: calendar usuall is not known; did you mean usual?"),
    ("calendar: ▸Usual", "office nation: calendar Usual is no id"),
    ("size: ▸Large", "office nation: size Large is no id (at most 64 of a-z, 0-9, '.', '_' and '-'); write large"),
    ("kiosks: [k1, ▸k1]", "office nation: kiosks: k1 stands in line 6 already; give each its own"),
    ("kiosks: [▸Borne 1]", "office nation: kiosks: 'Borne 1' is no id"),
    ("kiosks: [▸[k1]]", "office nation: kiosks is a list, but must be a single value"),
    (
        "kiosks: ▸k1",
        "office nation: kiosks is a single value, but must be a list; write a list like [kiosk-1, kiosk-2]",
    ),
    ("kiosks: ▸[]", "office nation: kiosks is empty; write a list like [kiosk-1, kiosk-2]"),
    (
        "closures: ▸[{date: 2026-05-04}]",
        "office nation: closures say when a calendar does not hold, and there is none; add calendar: usual",
    ),
    (
        "calendar: usual, closures: [{date: 2026-05-04}, ▸{date: 2026-05-04}]",
        "office nation: closures: 2026-05-04 has its hours from line 6 already; tell each day once",
    ),
]


@pytest.mark.parametrize(("keys", "message"), KEYS, ids=[keys for keys, _ in KEYS])
def test_what_an_office_says_of_its_doors_is_refused_at_its_place_with_a_remedy(keys: str, message: str) -> None:
    assert complaint(with_office(keys)).startswith(message)


def test_an_office_names_a_calendar_where_there_are_none() -> None:
    assert complaint(HEAD + OFFICES.replace("usual", "▸usual")) == (
        "office nation: calendar usual is not known, for the file has none; add calendars:"
    )


def test_kiosks_of_two_offices_may_have_one_name() -> None:
    offices = "".join(f"  - {{id: o{n}, name: N, region: R, zone: UTC, kiosks: [hall]}}\n" for n in range(2))
    assert [office.kiosks for office in parse(f"{HEAD}offices:\n{offices}", "x").offices.values()] == [("hall",)] * 2


def test_an_office_with_a_calendar_that_cannot_be_read_is_no_problem_of_its_own() -> None:
    text = with_calendar().replace("id: usual\n", "id: ▸Usual\n")
    assert complaint(text).startswith("calendar Usual: id Usual is no id")
