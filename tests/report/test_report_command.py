"""`attente report`, as a user meets it."""

import csv
import hashlib
import io
import json
import lzma
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from attente import __version__
from attente.registry.load import load
from report.report_files import BOBIGNY, LINES, NATION, REGISTRY, event, registry, run, write

Captured = pytest.CaptureFixture[str]


def told(capsys: Captured) -> dict[str, Any]:
    """The JSON on standard output."""
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def row(document: dict[str, Any], kind: str, **wanted: str | None) -> dict[str, Any]:
    """The one row of a kind that has certain values."""
    (found,) = (one for one in document[kind] if all(one[name] == value for name, value in wanted.items()))
    return dict(found)


# ---- text


def test_text_holds_the_figures_within_a_hundred_columns_and_names_where_they_come_from(
    tmp_path: Path, capsys: Captured
) -> None:
    file, network = write(tmp_path), registry(tmp_path)
    assert run("report", file, "--registry", network) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 100
    rows = [" ".join(line.split()) for line in out.splitlines()]
    assert "75-nation accueil 6 3 1 · · 1 2 1 37.5 %" in rows
    assert "75-nation accueil 3 12:00 25:00 25:00 25:00 14:00" in rows
    assert "all all 7 5 1 · · 1 2 1 55.5 %" in rows
    assert "all all 5 8:00 25:00 25:00 25:00 10:12 4.0" in rows
    assert any(
        line.startswith("call-20@2026-01-01 Called within 20 minutes: at least 50 % of all visits") for line in rows
    )
    assert "visit 4 3 1 1 80.00 % 75.00 % ▶ 60.00 % 75.00 %" in rows
    assert "offices heard 2 silent: 77-melun" in rows
    assert hashlib.sha256(file.read_bytes()).hexdigest() in out
    assert load(network).hash in out
    assert f"attente {__version__}" in out
    assert "docs/definitions.md" in out


def test_a_terminal_plot_has_the_norms_among_its_bars_when_it_is_asked_for(tmp_path: Path, capsys: Captured) -> None:
    file, network = write(tmp_path), registry(tmp_path)
    assert run("report", file, "--registry", network) == 0
    assert "How long they waited" not in capsys.readouterr().out
    assert run("report", file, "--registry", network, "--plot") == 0
    out = capsys.readouterr().out
    assert "How long they waited" in out
    assert "╌╌ 20 min: call-20@2026-01-01" in out
    assert "█" in out


def test_less_detail_leaves_rows_out_and_keeps_the_total(tmp_path: Path, capsys: Captured) -> None:
    file, network = write(tmp_path), registry(tmp_path)
    assert run("report", file, "--registry", network, "--detail", "office") == 0
    offices = capsys.readouterr().out
    assert NATION in offices
    assert "accueil" not in offices
    assert run("report", file, "--registry", network, "--detail", "total") == 0
    total = capsys.readouterr().out
    assert NATION not in total
    assert "55.5 %" in total


# ---- JSON


def test_json_has_its_documented_shape(tmp_path: Path, capsys: Captured) -> None:
    file, network = write(tmp_path), registry(tmp_path)
    assert run("report", file, "--registry", network, "--json") == 0
    document = told(capsys)
    assert list(document) == [
        "format",
        "program",
        "definitions",
        "source",
        "registry",
        "partitions",
        "by",
        "selection",
        "norms",
        "total",
        "services",
        "offices",
        "rows",
        "days",
        "waits",
        "abandoned_waits",
        "hours",
        "quality",
    ]
    assert document["format"] == "attente.report/1"
    assert document["source"] == {
        "file": "events.ndjson",
        "kind": "events",
        "bytes": file.stat().st_size,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "dropped": {},
    }
    assert document["registry"] == {
        "network": "<b>Two & more</b>",
        "hash": load(network).hash,
        "from": "from network.yaml",
    }
    found = row(document, "rows", office=NATION, service="accueil")
    assert found["wait"] == {
        "count": 3,
        "sum_seconds": 2520.0,
        "mean_seconds": 840.0,
        "p50_seconds": 720,
        "p90_seconds": 1500,
        "p95_seconds": 1500,
        "max_seconds": 1500,
    }
    assert (found["issued"], found["served"], found["abandoned"], found["turned_away"]) == (6, 3, 1, 2)
    assert (found["transferred"], found["waiting"], found["demand_met"]) == (1, 1, 0.375)
    assert found["open_desk_hours"] is None
    assert row(document, "offices", office=NATION)["open_desk_hours"] == 4.0
    assert document["waits"] == {"60": 1, "300": 1, "480": 1, "720": 1, "1500": 1}
    assert document["abandoned_waits"] == {"120": 1}
    assert document["hours"]["9"] == {"60": 1, "300": 1, "1500": 1}  # Monday, nine o'clock in Paris
    assert document["quality"]["silent_offices"] == ["77-melun"]
    assert (document["quality"]["read"], document["quality"]["counted"]) == (len(LINES), len(LINES))


def test_each_definition_of_a_norm_is_read_on_the_days_on_which_it_is_in_force(
    tmp_path: Path, capsys: Captured
) -> None:
    assert run("report", write(tmp_path), "--registry", registry(tmp_path), "--by", "day", "--json") == 0
    document = told(capsys)
    norms = {norm["norm"]: norm for norm in document["norms"]}
    assert list(norms) == ["call-20@2026-01-01", "call-20@2026-11-24", "nation-5"]
    assert norms["call-20@2026-01-01"]["in_force"] == "from 2026-01-01 to 2026-11-23"
    assert norms["call-20@2026-11-24"]["threshold_seconds"] == 600
    monday, tuesday = document["days"]
    assert [one["norm"] for one in monday["norms"]] == ["call-20@2026-01-01", "nation-5"]
    assert [one["norm"] for one in tuesday["norms"]] == ["call-20@2026-11-24", "nation-5"]
    # Monday: A1 5 min, A2 25 min, A4 12 min in two legs, B1 1 min; A3 left. Tuesday: A5 12 min is too long by now.
    reading = monday["norms"][0]["readings"]["visit"]
    assert [reading[name] for name in ("answered_within", "answered_beyond", "left_within", "left_beyond")] == [
        3,
        1,
        1,
        0,
    ]
    assert tuesday["norms"][0]["readings"]["visit"]["answered_beyond"] == 1
    total = {one["norm"]: one for one in document["total"]["norms"]}
    assert total["call-20@2026-01-01"]["readings"]["visit"] == reading
    assert total["call-20@2026-11-24"]["waiting_beyond"] == 1  # A6, since 25 min


def test_json_by_day_has_a_row_for_each_office_service_and_day(tmp_path: Path, capsys: Captured) -> None:
    assert run("report", write(tmp_path), "--registry", registry(tmp_path), "--by", "day", "--json") == 0
    document = told(capsys)
    assert [(one["office"], one["service"], one["day"]) for one in document["rows"]] == [
        (NATION, "accueil", "2026-11-23"),
        (NATION, "prestations", "2026-11-23"),
        (NATION, "accueil", "2026-11-24"),
        (BOBIGNY, "prestations", "2026-11-23"),
    ]
    assert sum(one["issued"] for one in document["rows"]) == document["total"]["issued"] == 7


def test_only_some_offices_and_services_make_the_totals_too(tmp_path: Path, capsys: Captured) -> None:
    arguments = ("report", write(tmp_path), "--registry", registry(tmp_path), "--json")
    assert run(*arguments, "--office", NATION, "--service", "prestations") == 0
    document = told(capsys)
    assert [(one["office"], one["service"]) for one in document["rows"]] == [(NATION, "prestations")]
    assert (document["total"]["issued"], document["total"]["called"]) == (0, 1)
    assert document["hours"] == {"10": {"480": 1}}
    assert document["selection"] == {"offices": [NATION], "services": ["prestations"]}


# ---- CSV


def test_csv_has_one_row_for_each_office_service_and_day(tmp_path: Path, capsys: Captured) -> None:
    file, network = write(tmp_path), registry(tmp_path)
    assert run("report", file, "--registry", network, "--by", "day", "--csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(one["office"], one["service"], one["day"]) for one in rows] == [
        (NATION, "accueil", "2026-11-23"),
        (NATION, "prestations", "2026-11-23"),
        (NATION, "accueil", "2026-11-24"),
        (BOBIGNY, "prestations", "2026-11-23"),
    ]
    first = rows[0]
    assert (first["issued"], first["served"], first["wait_sum_seconds"], first["wait_p90_seconds"]) == (
        "4",
        "2",
        "1800.0",
        "1500",
    )
    assert first["call-20@2026-01-01/promise"] == "visit SL3 failed"
    assert first["call-20@2026-01-01/visit/answered_within"] == "2"
    assert first["call-20@2026-01-01/visit/failed"] == "0.5"
    assert first["call-20@2026-01-01/met"] == "1"
    assert first["call-20@2026-11-24/met"] == ""  # not yet in force
    assert rows[2]["call-20@2026-11-24/visit/failed"] == "0.0"
    assert first["registry"] == load(network).hash
    assert first["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert first["program"] == f"attente {__version__}"


# ---- the page


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "srcset", "data", "action"}]
        if tag not in {"meta", "br", "link", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += f"{data}\n"


@pytest.fixture
def page(tmp_path: Path, capsys: Captured) -> Page:
    file, network = write(tmp_path), registry(tmp_path)
    assert run("report", file, "--registry", network, "--html", tmp_path / "report.html") == 0
    assert "report.html" in capsys.readouterr().err
    return Page((tmp_path / "report.html").read_text())


def test_a_page_is_whole_and_asks_the_network_for_nothing(page: Page, tmp_path: Path) -> None:
    assert page.open == []
    assert page.links == []
    assert "script" not in page.tags
    text = (tmp_path / "report.html").read_text()
    assert "@import" not in text
    assert text.count("url(") == text.count("url(#stripes)")
    assert page.tags.count("svg") == 6  # waits, week, days, and one for each definition of a norm


def test_a_page_shows_names_as_they_are_and_takes_none_for_markup(page: Page) -> None:
    assert "<b>Two & more</b>" in page.text.splitlines()
    assert "b" not in page.tags


def test_a_page_says_what_its_drawings_show_and_where_the_figures_come_from(page: Page, tmp_path: Path) -> None:
    lines = page.text.splitlines()
    assert "How long visitors waited" in lines
    assert "5 called, 1 abandoned; half of the called waited at most 8:00" in lines
    assert "20:00 to 22:00: 0 called (0 %)" in lines or any(line.endswith("called (20 %)") for line in lines)
    assert "per visit, failed: 60.00 %" in lines
    assert "60.00 % ◀ promise" in lines
    footer = "\n".join(lines[-12:])
    assert hashlib.sha256((tmp_path / "events.ndjson").read_bytes()).hexdigest() in footer
    assert load(tmp_path / "network.yaml").hash in footer
    assert f"attente {__version__}" in footer


def test_a_page_without_figures_is_a_page_too(tmp_path: Path) -> None:
    file = write(tmp_path, [event("kiosk.heartbeat", "24T09:30", kiosk="k1", spooled=0)])
    assert run("report", file, "--registry", registry(tmp_path), "--html", tmp_path / "report.html") == 0
    assert Page((tmp_path / "report.html").read_text()).open == []


# ---- where the events come from


def test_a_compressed_file_gives_the_same_figures(tmp_path: Path, capsys: Captured) -> None:
    network = registry(tmp_path)
    plain = write(tmp_path)
    packed = tmp_path / "events.ndjson.xz"
    packed.write_bytes(lzma.compress(plain.read_bytes()))
    documents = []
    for file in (plain, packed):
        assert run("report", file, "--registry", network, "--json") == 0
        documents.append(told(capsys))
        del documents[-1]["source"]
    assert documents[0] == documents[1]


def test_standard_input_is_a_file_too(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = write(tmp_path).read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
    assert run("report", "-", "--registry", registry(tmp_path), "--json") == 0
    document = told(capsys)
    assert document["total"]["issued"] == 7
    assert document["source"] == {
        "file": "-",
        "kind": "events",
        "bytes": len(raw),
        "sha256": hashlib.sha256(raw).hexdigest(),
        "dropped": {},
    }


def test_without_a_registry_the_offices_and_services_are_those_that_occur_and_the_report_says_so(
    tmp_path: Path, capsys: Captured
) -> None:
    file = write(tmp_path)
    assert run("report", file, "--zone", "Europe/Paris", "--norm", "20m:80%", "--json") == 0
    document = told(capsys)
    assert document["total"]["issued"] == 7
    assert {one["office"] for one in document["offices"]} == {NATION, BOBIGNY}
    assert document["registry"]["from"].startswith("derived from the events: ")
    assert "zone Europe/Paris" in document["registry"]["from"]
    (norm,) = document["norms"]
    assert (norm["id"], norm["target"], norm["clock"]["per"]) == ("within-20m", 0.8, "leg")
    assert document["total"]["norms"][0]["promise"] == {"per": "leg", "left": "excluded", "level": 0.8}
    assert document["total"]["norms"][0]["met"] is True


def test_a_derived_registry_counts_as_other_what_is_no_id_of_a_registry(tmp_path: Path, capsys: Captured) -> None:
    lines = [
        event("ticket.issued", "23T09:00", ticket="1", service="Carte d'identité", channel="walkin"),
        event("ticket.issued", "23T09:01", ticket="2", service="accueil", channel="walkin"),
    ]
    assert run("report", write(tmp_path, lines), "--json") == 0
    document = told(capsys)
    assert {one["service"]: one["issued"] for one in document["rows"]} == {"accueil": 1, "other": 1}
    assert document["norms"] == []


def test_refused_lines_are_counted_by_reason_with_the_first_of_them(tmp_path: Path, capsys: Captured) -> None:
    lines = sorted(LINES, key=lambda line: json.loads(line)["time"])
    lines[3:3] = [b"not json", b'{"half": ']
    lines.append(event("ticket.issued", "20T09:00", ticket="late", service="accueil", channel="walkin"))
    lines.append(event("ticket.issued", "24T09:00", "13-marseille", ticket="M", service="accueil", channel="walkin"))
    assert run("report", write(tmp_path, lines), "--registry", registry(tmp_path), "--json") == 0
    refused = told(capsys)["quality"]["refused"]
    assert {reason: (one["events"], one["first_line"]) for reason, one in refused.items()} == {
        "not_json": (2, 4),
        "unknown_office": (1, len(lines)),
        "too_late": (1, len(lines) - 1),
    }


def test_many_lines_that_are_no_events_among_events_are_no_file_of_another_kind(
    tmp_path: Path, capsys: Captured
) -> None:
    lines = [LINES[0], *[b"noise"] * 1_500, *LINES[1:]]
    assert run("report", write(tmp_path, lines), "--registry", registry(tmp_path), "--json") == 0
    quality = told(capsys)["quality"]
    assert quality["refused"]["not_json"]["events"] == 1_500
    assert quality["counted"] == len(LINES)


# ---- what goes wrong


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", ":1:1: the file is empty; it must hold events, one JSON object a line"),
        (b"office;day\nnation;23\n", ":1:1: "),
        (b'{"specversion":"1.0","type":"ticket.eaten"}\n', ":1:"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_its_place(
    content: bytes, said: str, tmp_path: Path, capsys: Captured
) -> None:
    file = tmp_path / "wrong.txt"
    file.write_bytes(content)
    for arguments in ((), ("--registry", registry(tmp_path))):
        assert run("report", file, *arguments) == 3
        err = capsys.readouterr().err
        assert err.startswith(f"attente: {file}{said}")
        assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["missing.ndjson"], 5, "missing.ndjson: cannot be read: No such file or directory"),
        (["events.ndjson", "--registry", "none.yaml"], 5, "none.yaml: the registry cannot be read"),
        (["events.ndjson", "--registry", "network.yaml", "--office", "75-nations"], 2, "did you mean 75-nation?"),
        (["events.ndjson", "--registry", "network.yaml", "--service", "acueil"], 2, "did you mean accueil?"),
        (["events.ndjson", "--norm", "20"], 2, "write a threshold and a target, like 20m:85%"),
        (["events.ndjson", "--norm", "20m:2"], 2, "like 20m:85%"),
        (["events.ndjson", "--zone", "Europe/Pariss"], 2, "did you mean Europe/Paris?"),
        (["events.ndjson", "--json", "--csv"], 2, "ask for one of them"),
        (
            ["events.ndjson", "--registry", "network.yaml", "--zone", "UTC"],
            2,
            "--zone and --norm stand in for a registry",
        ),
        (["events.ndjson", "--offices", "4"], 2, "it goes with --from"),
        (["-"], 2, "name a --registry"),
        (["-", "--from", "technion"], 2, "a tape is read from a file"),
        (["events.ndjson", "--from", "technion"], 3, "events.ndjson:1:1: "),
        (["events.ndjson", "--html", "no/such/folder.html"], 5, "no/such/folder.html: cannot be written"),
    ],
)
def test_what_goes_wrong_is_one_line_with_a_remedy(
    arguments: list[str], code: int, said: str, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path)
    registry(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert run("report", *arguments) == code
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""
    assert len([line for line in captured.err.splitlines() if line.startswith(("attente:", "Error:"))]) == 1


def test_a_registry_with_a_mistake_is_refused_with_its_place(tmp_path: Path, capsys: Captured) -> None:
    network = registry(tmp_path, REGISTRY.replace("threshold: 20m", "threshold: 20.5s"))
    assert run("report", write(tmp_path), "--registry", network) == 3
    assert capsys.readouterr().err.startswith(f"attente: {network}:12:16: norm call-20: threshold 20.5s")
