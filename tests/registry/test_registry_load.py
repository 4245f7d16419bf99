from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attente.errors import Missing
from attente.registry.entities import Clock, Detail, End, Left, Norm, Per, Start, StillWaiting
from attente.registry.load import Problem, RegistryError, load, parse
from registry.registry_files import RICH, SOUND, changed, complaint, problems


def norm_of(text: str) -> Norm:
    (norm,) = parse(text, "registry.yaml").norms.values()
    return norm


MINIMAL = """\
network: caf
services: [{id: accueil, title: Accueil}]
offices: [{id: nation, name: Nation, region: Paris, zone: Europe/Paris}]
norms: [{id: caf-20, title: Vingt minutes, threshold: 20m, target: 0.85}]
"""


def test_a_sound_file_becomes_the_network_it_describes() -> None:
    registry = parse(SOUND, "registry.yaml")
    assert (registry.network, registry.cut_over_min, registry.horizon_ms) == ("caf", 180, 86_400_000)
    assert registry.detail is Detail.SERVICE
    assert {office.id: (office.name, office.region, office.zone) for office in registry.offices.values()} == {
        "nation": ("Paris Nation", "Paris", "Europe/Paris"),
        "thiers": ("Thiers", "Auvergne", "Europe/Paris"),
    }
    assert [office.services for office in registry.offices.values()] == [("accueil", "logement"), ("accueil",)]
    assert [(service.id, service.title) for service in registry.services.values()] == [
        ("accueil", "Accueil"),
        ("logement", "Aides au logement"),
    ]


def test_a_norm_is_read_with_all_its_choices() -> None:
    norm = norm_of(SOUND)
    assert (norm.id, norm.title, norm.threshold_s, norm.target_milli) == ("caf-20", "Vingt minutes", 1200, 85_000)
    assert norm.clock == Clock(Start.ARRIVED, End.CALLED, Per.VISIT)
    assert (norm.left, norm.still_waiting, norm.valid_from) == (Left.EXCLUDED, StillWaiting.IGNORED, "2009-01-01")
    assert [norm.channels, norm.offices, norm.services] == [{"walkin"}, {"nation"}, {"logement"}]


def test_what_is_left_out_has_the_documented_default() -> None:
    registry = parse(MINIMAL, "registry.yaml")
    assert (registry.cut_over_min, registry.horizon_ms, registry.detail) == (180, 86_400_000, Detail.SERVICE)
    norm = norm_of(MINIMAL)
    assert norm.clock == Clock(Start.ISSUED, End.CALLED, Per.LEG)
    assert (norm.left, norm.still_waiting, norm.valid_from) == (Left.EXCLUDED, StillWaiting.IGNORED, "")
    assert norm.channels == {"walkin", "appointment", "remote"}


def test_every_choice_of_a_norm_can_be_written() -> None:
    clock = "from: arrived, to: called, per: visit"
    for start in Start:
        assert norm_of(changed(clock, f"from: {start}")).clock.start is start
    for end in End:
        assert norm_of(changed(clock, f"to: {end}")).clock.end is end
    for per in Per:
        assert norm_of(changed(clock, f"per: {per}")).clock.per is per
    for left in Left:
        assert norm_of(changed("left: excluded", f"left: {left}")).left is left
    for waiting in StillWaiting:
        assert norm_of(changed("waiting: ignored", f"waiting: {waiting}")).still_waiting is waiting
    for detail in Detail:
        assert parse(changed("detail: service", f"detail: {detail}"), "x").detail is detail


def test_an_office_without_services_offers_all_of_them_but_other() -> None:
    assert parse(MINIMAL, "x").offices["nation"].services == ("accueil",)
    star = parse(changed("services: [accueil, logement]", 'services: "*"'), "x")
    assert star.offices["nation"].services == ("accueil", "logement")


def test_an_offices_services_come_in_the_order_of_the_file() -> None:
    text = changed("[accueil, logement]", "[logement, zoo, accueil]")
    text = changed(
        "offices:\n  - id: nation", "  - {id: zoo, title: Z}\n  - {id: b, title: B}\noffices:\n  - id: nation", text
    )
    assert parse(text, "x").offices["nation"].services == ("accueil", "logement", "zoo")
    text = text.replace("accueil", "zebra")
    assert parse(text, "x").offices["nation"].services == ("zebra", "logement", "zoo")


def test_a_norm_over_all_services_includes_other() -> None:
    assert norm_of(changed("services: [logement]", 'services: "*"')).services == {"accueil", "logement", "other"}


def test_a_norm_may_name_other() -> None:
    assert norm_of(changed("services: [logement]", "services: [other]")).services == {"other"}


def test_a_norm_over_all_offices_selects_each() -> None:
    assert norm_of(changed("offices: [nation]", 'offices: "*"')).offices == {"nation", "thiers"}


def test_a_network_may_promise_nothing() -> None:
    for norms in ("", "norms: []\n"):
        assert parse(SOUND.partition("norms:")[0] + norms, "x").norms == {}


def test_ids_that_yaml_would_take_for_something_else_stay_the_text_that_was_written() -> None:
    for word in ("no", "on", "null", "12", "1_0", "0x1f", "2026-11-23", "1e3", "y", "007"):
        registry = parse(SOUND.replace("accueil", word), "x")
        assert registry.offices["thiers"].services == (word,)


def test_a_cut_over_without_quotes_is_no_number_of_minutes() -> None:
    assert parse(changed('"03:00"', "03:00"), "x").cut_over_min == 180
    assert parse(changed('"03:00"', "23:55"), "x").cut_over_min == 23 * 60 + 55


def test_an_anchor_saves_writing_a_list_again() -> None:
    text = changed("[accueil, logement]", "&most [accueil, logement]")
    text = changed("services: [accueil]", "services: *most", text)
    assert parse(text, "x").offices["thiers"].services == ("accueil", "logement")


def test_offices_with_equal_services_share_one_tuple() -> None:
    offices = parse(changed("services: [accueil]", 'services: "*"'), "x").offices
    assert offices["nation"].services is offices["thiers"].services


RULES = [
    # network
    ("network: caf", "network:▸", "network is empty; write caf-demo"),
    ("network: caf", "network: ▸'  '", "network '  ' is empty; write a text"),
    ("network: caf", 'network: ▸"a\\nb"', r"network 'a\nb' holds a line break or a control character"),
    ("network: caf\n", "", "network is missing; add network: caf-demo"),
    ('cut_over: "03:00"', "cut_over: ▸3:00", 'cut_over 3:00 is no time of day; write "03:00"'),
    ('cut_over: "03:00"', "cut_over: ▸4h30", 'cut_over 4h30 is no time of day; write "04:30"'),
    ('cut_over: "03:00"', "cut_over: ▸24:00", 'cut_over 24:00 is no time of day; write one like "03:00"'),
    ('"03:00"', "▸03:02", 'cut_over 03:02 is not on the grid of 5 minutes; write "03:00" or "03:05"'),
    ('"03:00"', "▸23:58", 'cut_over 23:58 is not on the grid of 5 minutes; write "23:55" or "00:00"'),
    ('"03:00"', "▸[3]", "cut_over is a list, but must be a single value"),
    ('"03:00"', '▸"02:30"', 'cut_over "02:30" does not exist in Europe/Paris on 1990-03-25; write cut_over: "03:00"'),
    ("horizon: 24h", "horizon: ▸50m", "horizon 50m is not between 1h and 7d; write 1h or one between"),
    ("horizon: 24h", "horizon: ▸8d", "horizon 8d is not between 1h and 7d; write 7d or one between"),
    ("horizon: 24h", "horizon: ▸61m", "horizon 61m is not a whole number of quarters of an hour; write 1h or 75m"),
    ("horizon: 24h", "horizon: ▸24", "horizon 24 is no duration; write 24s"),
    ("detail: service", "detail: ▸services", "detail services is not known; did you mean service?"),
    ("detail: service", "detail: ▸xyz", "detail xyz is not known; write one of service, office"),
    ("detail:", "▸detial:", "unknown key detial; did you mean detail?"),
    (
        "detail:",
        "▸colour:",
        "unknown key colour; the keys here are network, cut_over, horizon, detail, services, offices",
    ),
    ("detail: service", "detail: service\n▸detail: office", "key detail stands already in line 4; keep one of them"),
    ("detail: service", "▸<<: {detail: service}", "merge keys are not read; write the merged keys out"),
    ("detail: service", "▸[a]: service", "a key is a list, but must be a single value"),
    ("detail: service", "detail: ▸!!bool service", "detail has the tag !!bool, and tags are not read"),
    # services
    (
        "    title: Accueil\n",
        "    ▸titel: Accueil\n    title: A\n",
        "service accueil: unknown key titel; did you mean title?",
    ),
    ("title: Accueil\n", "title: ▸{a: b}\n", "service accueil: title is a mapping, but must be a single value"),
    (
        "title: Accueil\n",
        f"title: ▸{'é' * 201}\n",
        f"service accueil: title {'é' * 60}… has 201 characters; shorten it to 200",
    ),
    (
        "title: Accueil\n",
        "title: A\n  - id: ▸accueil\n    title: B\n",
        "service accueil: id accueil is taken by line 6; give each service its own",
    ),
    # offices
    ("    name: Thiers\n", "", "office thiers: name is missing; add name: Paris Nation"),
    ("region: Auvergne", "region: ▸[a]", "office thiers: region is a list, but must be a single value; write Paris"),
    ("  - id: thiers", "  - id: ▸nation", "office nation: id nation is taken by line 11; give each office its own"),
    ("services: [accueil]", "services: ▸accueil", "office thiers: services is a single value, but must be a list"),
    ("services: [accueil]", "services: ▸[]", 'office thiers: services is empty; write "*" or a list'),
    ("services: [accueil]", "services:▸", "office thiers: services is empty, but must be a list"),
    (
        "services: [accueil]",
        "services: [▸acueil]",
        "office thiers: services: acueil is not known; did you mean accueil?",
    ),
    ("services: [accueil]", "services: [▸xyz]", "services: xyz is not known; the services here are accueil, logement"),
    ("services: [accueil]", "services: [accueil, ▸accueil]", "services: accueil is listed twice; keep one of them"),
    ("services: [accueil]", 'services: [accueil, ▸"*"]', 'services: "*" stands for all and takes no company'),
    ("services: [accueil]", "services: [▸[accueil]]", "office thiers: services is a list, but must be a single value"),
    ("services: [accueil]", "services: [▸other]", "office thiers: services: other is not known"),
    # norms
    (
        "threshold: 20m",
        "threshold: ▸20.5s",
        "norm caf-20: threshold 20.5s is not a whole number of seconds; write 20s or 21s",
    ),
    ("threshold: 20m", "threshold: ▸1200", "norm caf-20: threshold 1200 is no duration; write 1200s"),
    ("threshold: 20m", "threshold: ▸20 min", "threshold '20 min' is no duration; write 20m"),
    ("threshold: 20m", "threshold: ▸1h30m", "threshold 1h30m is no duration; write 90m"),
    ("threshold: 20m", "threshold: ▸soon", "threshold soon is no duration; write one like 90s, 20m or 24h"),
    ("threshold: 20m", "threshold: ▸0s", "threshold 0s is not between 1s and 24h; write one like 20m"),
    ("threshold: 20m", "threshold: ▸500ms", "threshold 500ms is not a whole number of seconds; write 1s"),
    ("threshold: 20m", "threshold: ▸25h", "threshold 25h is not between 1s and 24h; write one like 20m"),
    ("    threshold: 20m\n", "", "norm caf-20: threshold is missing; add threshold: 20m"),
    ("target: 0.85", "target: ▸85", 'norm caf-20: target 85 is not above 0 and below 1; write one like 0.85 or "85 %"'),
    ("target: 0.85", "target: ▸0", "target 0 is not above 0 and below 1"),
    ("target: 0.85", "target: ▸1", "target 1 is not above 0 and below 1"),
    ("target: 0.85", "target: ▸100 %", "target 100 % is not above 0 and below 1"),
    ("target: 0.85", "target: ▸-0.5", "target -0.5 is no share; write 0.85 or"),
    ("target: 0.85", "target: ▸0,85", "target '0,85' is no share; write 0.85"),
    ("target: 0.85", "target: ▸0.8512345", "target 0.8512345 is finer than a thousandth of a percent; write 0.85123"),
    ("target: 0.85", "target: ▸85.0005 %", "target 85.0005 % is finer than a thousandth of a percent; write 0.85"),
    ("from: arrived", "from: ▸door", "norm caf-20: clock: from door is not known; write one of issued, arrived, due"),
    ("per: visit", "per: ▸visits", "norm caf-20: clock: per visits is not known; did you mean visit?"),
    ("per: visit", "▸pre: visit", "norm caf-20: clock: unknown key pre; did you mean per?"),
    (
        "clock: {from: arrived, to: called, per: visit}",
        "clock: ▸visit",
        "norm caf-20: clock is a single value, but must be a mapping",
    ),
    ("[walkin]", "[▸walk-in]", "norm caf-20: population: channels: walk-in is not known; did you mean walkin?"),
    ("[walkin]", "▸[]", "norm caf-20: population: channels is empty"),
    ("left: excluded", "left: ▸exclude", "norm caf-20: left exclude is not known; did you mean excluded?"),
    ("waiting: ignored", "waiting: ▸failed", "still_waiting failed is not known; did you mean failed_if_over?"),
    (
        "offices: [nation]",
        "offices: [▸lyon]",
        "norm caf-20: offices: lyon is not known; the offices here are nation, thiers",
    ),
    (
        "services: [logement]",
        "services: [▸logements]",
        "norm caf-20: services: logements is not known; did you mean logement?",
    ),
    ("offices: [nation]", "offices: [thiers]", "norm caf-20: services: none of the norm's offices offers logement"),
    (
        "2009-01-01",
        "▸2009-02-30",
        "norm caf-20: valid_from 2009-02-30 is not in the calendar; write one like 2009-01-01",
    ),
    ("2009-01-01", "▸2009-1-1", "norm caf-20: valid_from 2009-1-1 is no date; write one like 2009-01-01"),
    (" 2009-01-01", "▸", "norm caf-20: valid_from is empty; write 2009-01-01"),
]
WHOLE_ENTRY = {"network is missing": 1, "name is missing": 16, "threshold is missing": 22}
"""What is missing is reported where its mapping begins."""


@pytest.mark.parametrize(
    ("old", "new", "message"), RULES, ids=[f"{old.strip()}->{new.strip()}" for old, new, _ in RULES]
)
def test_a_broken_rule_is_reported_at_the_offending_value_with_its_remedy(old: str, new: str, message: str) -> None:
    text = changed(old, new)
    if "none of the norm's offices" in message:
        text = changed("services: [logement]", "services: ▸[logement]", text)
    if "▸" not in text:
        line = next(line for part, line in WHOLE_ENTRY.items() if part in message)
        lines = text.splitlines(keepends=True)
        start = 4 if line > 1 else 0
        lines[line - 1] = lines[line - 1][:start] + "▸" + lines[line - 1][start:]
        text = "".join(lines)
    assert message in complaint(text)


def test_the_line_of_a_problem_reads_as_documented() -> None:
    (problem,) = problems(changed("threshold: 20m", "threshold: 20.5s"))
    assert str(problem) == (
        "registry.yaml:24:16: norm caf-20: threshold 20.5s is not a whole number of seconds; write 20s or 21s"
    )


def test_an_id_that_cannot_be_used_is_answered_with_one_that_can() -> None:
    assert "id 'Paris Île' is no id" in complaint(changed("id: thiers", "id: ▸Paris Île"))
    assert "write paris-ile" in complaint(changed("id: thiers", "id: ▸Paris Île"))
    assert "write nation" in complaint(changed("id: thiers", "id: ▸.nation"))
    assert "write 75-nation" in complaint(changed("id: thiers", "id: ▸北京"))
    assert complaint(changed("id: thiers", f"id: ▸{'a' * 65}")).endswith(f"write {'a' * 64}")


def test_the_service_id_other_is_reserved() -> None:
    assert complaint(changed("  - id: logement", "  - id: ▸other")).startswith("service other: id other is reserved")


def test_references_to_an_entry_whose_id_is_wrong_are_not_problems_of_their_own() -> None:
    assert complaint(changed("  - id: logement", "  - id: ▸Logement")).startswith(
        "service Logement: id Logement is no id"
    )


def test_an_entry_without_an_id_is_called_by_its_number() -> None:
    assert complaint(changed("  - id: thiers\n    name", "  - ▸name")).startswith("office number 2: id is missing")


def test_an_entry_that_is_no_mapping_is_called_by_its_number() -> None:
    assert complaint(SOUND + "  - ▸caf-30\n").startswith("norm number 2 is a single value, but must be a mapping")


def test_a_file_that_is_no_mapping_is_told_the_keys() -> None:
    assert complaint("▸- network: caf\n").startswith(
        "the file is a list, but must be a mapping; write the keys network"
    )


def test_a_section_that_is_no_list_is_one_problem() -> None:
    text = "network: x\nservices: [{id: a, title: A}]\noffices: ▸{nation: Paris}\nnorms: []\n"
    assert complaint(text).startswith("offices is a mapping, but must be a list; write a list of {id: 75-nation")


def test_a_network_needs_services_and_offices() -> None:
    text = "network: x\nservices: []\n"
    assert [(p.line, p.column, p.message.split(";")[0]) for p in problems(text)] == [
        (1, 1, "offices is missing"),
        (2, 11, "services is empty"),
    ]


def test_all_problems_of_a_file_are_told_at_once_in_its_order() -> None:
    text = SOUND
    for old, new in (
        ("horizon: 24h", "horizon: 1s"),
        ("Europe/Paris\n    services: [accueil]", "Europe/Pari\n    services: [acueil]"),
        ("threshold: 20m", "threshold: 20.5s"),
        ("target: 0.85", "target: 85"),
        ("per: visit", "per: visits"),
    ):
        text = changed(old, new, text)
    assert [(p.line, p.column) for p in problems(text)] == [(3, 10), (19, 11), (20, 16), (24, 16), (25, 13), (26, 45)]


def test_an_unknown_zone_is_answered_with_the_nearest() -> None:
    zone = "Auvergne\n    zone: "
    assert complaint(changed(f"{zone}Europe/Paris", f"{zone}▸Paris")) == (
        "office thiers: zone Paris is no IANA time zone; did you mean Europe/Paris?"
    )
    assert "did you mean Europe/Paris?" in complaint(changed(f"{zone}Europe/Paris", f"{zone}▸europe/paris"))
    assert "did you mean America/New_York?" in complaint(changed(f"{zone}Europe/Paris", f"{zone}▸New York"))
    assert "write one like Europe/Paris" in complaint(changed(f"{zone}Europe/Paris", f"{zone}▸GMT+1"))
    assert "is no IANA time zone" in complaint(changed(f"{zone}Europe/Paris", f"{zone}▸../../etc/passwd"))


def test_a_default_cut_over_that_a_zone_skips_is_reported_at_the_zone() -> None:
    text = changed('cut_over: "03:00"\n', "").replace(
        "Auvergne\n    zone: Europe/Paris", "A\n    zone: ▸Europe/Helsinki"
    )
    assert complaint(text) == (
        'office thiers: zone: the default cut_over "03:00" does not exist in Europe/Helsinki on 1990-03-25; '
        'write cut_over: "04:00"'
    )


def test_each_zone_that_a_cut_over_does_not_suit_is_told_once() -> None:
    many = "".join(
        f"  - {{id: o{n}, name: N, region: R, zone: {zone}}}\n"
        for n, zone in enumerate(["Europe/Helsinki", "Europe/Paris", "Europe/Athens"] * 20)
    )
    text = f"network: x\ncut_over: 03:00\nservices: [{{id: a, title: A}}]\noffices:\n{many}"
    assert [(p.line, p.column, p.message.split(" in ")[1].split(" on ")[0]) for p in problems(text)] == [
        (2, 11, "Europe/Helsinki"),
        (2, 11, "Europe/Athens"),
    ]


def norms(*thresholds: str) -> str:
    return (
        SOUND.partition("norms:")[0]
        + "norms:\n"
        + "".join(
            f"  - {{id: n{n}, title: N, target: 0.85, threshold: {threshold}}}\n"
            for n, threshold in enumerate(thresholds)
        )
    )


def test_twelve_different_thresholds_fit_however_often_each_is_used() -> None:
    assert len(parse(norms(*(f"{n % 12 + 1}m" for n in range(30))), "x").norms) == 30


def test_a_thirteenth_threshold_is_refused_and_the_others_are_named() -> None:
    assert complaint(norms(*(f"{n}m" for n in range(1, 13)), "▸45s", "60s")) == (
        "norm n12: threshold 45s is one too many: a histogram has 12 buckets and needs one for each; "
        "use one of 1m, 2m, 3m, 4m, 5m, 6m, 7m, 8m, 9m, 10m, 11m, 12m"
    )


def services(count: int, mark: int) -> str:
    entries = "".join(f"  - {'▸' if n == mark else ''}{{id: s{n}, title: S}}\n" for n in range(count))
    return f"network: x\noffices: [{{id: a, name: A, region: R, zone: Europe/Paris}}]\nservices:\n{entries}"


def test_a_thousand_services_are_the_most() -> None:
    assert len(parse(services(1000, -1), "x").offices["a"].services) == 1000
    assert complaint(services(1001, 1000)) == "1,001 services are more than 1,000; split the network"


def test_a_hundred_thousand_offices_are_the_most() -> None:
    # Aliases of one office keep the file small; the limit is told before anybody minds that they are all the same.
    offices = "- &o {id: a, name: A, region: R, zone: Europe/Paris}\n" + "- *o\n" * 100_000
    found = problems(f"network: x\nservices: [{{id: a, title: A}}]\noffices:\n{offices}")
    assert "100,001 offices are more than 100,000; split the network" in [problem.message for problem in found]


def test_a_file_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"none\.yaml: the registry cannot be read \(No such file or directory\)"):
        load(tmp_path / "none.yaml")


def test_a_folder_cannot_be_read_as_a_registry(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="Is a directory"):
        load(tmp_path)


def test_problems_bear_the_path_that_was_given(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("[]")
    with pytest.raises(RegistryError) as refused:
        load(path)
    assert str(refused.value).startswith(f"{path}:1:1: the file is a list")


def test_bytes_that_are_not_utf_8_are_reported_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_bytes("network: é\nx: ".encode() + b"\xe9\n")
    with pytest.raises(RegistryError) as refused:
        load(path)
    (problem,) = refused.value.problems
    assert (problem.line, problem.column) == (2, 4)
    assert problem.message == "byte 0xE9 is not UTF-8; save the file in UTF-8"


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SOUND.encode())
    assert load(path) == parse(SOUND, "x")


PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "{",
                "}",
                "[",
                "]",
                ":",
                "not:",
                "region:",
                "sat",
                "-",
                "closed",
                "24:00",
                "- ",
                "\n",
                " ",
                "*a",
                "&a",
                "!",
                '"',
                "'",
                "~",
                "<<: ",
                "\t",
                "%",
                "\x00",
            ]
        ),
        st.sampled_from(["id: ", "norms:", "services: ", "other", "20m", "Europe/Paris", "clock: ", "é"]),
        st.text(max_size=5),
    ),
    max_size=8,
).map("".join)


@settings(max_examples=400, deadline=None)
@given(
    base=st.sampled_from([SOUND, RICH]),
    start=st.integers(0, max(len(SOUND), len(RICH))),
    length=st.integers(0, 60),
    piece=PIECES,
)
def test_whatever_a_file_holds_it_is_read_or_refused_with_one_line_for_each_problem(
    base: str, start: int, length: int, piece: str
) -> None:
    text = base[:start] + piece + base[start + length :]
    for problem in problems_or_none(text):
        assert str(problem).splitlines() == [str(problem)]
        assert 1 <= problem.line <= len(text.splitlines()) + 2  # YAML knows other ends of lines than "\n"
        assert problem.column >= 1
        assert "; " in problem.message or "?" in problem.message


def problems_or_none(text: str) -> tuple[Problem, ...]:
    try:
        parse(text, "registry.yaml")
    except RegistryError as error:
        return error.problems
    return ()
