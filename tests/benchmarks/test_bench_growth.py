"""Growth: what is measured at a point and at which points, the sections and the plots that come of it."""

import asyncio
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from benchmarks.growth import PARTITIONS, offices_for, points
from benchmarks.growth_plot import Curve, Panel, decades, plot, short, steps
from benchmarks.growth_report import Column as Figure
from benchmarks.growth_report import command, growth_section, growth_tables, medians, write
from benchmarks.growth_scrape import Desk, measure, network, parted
from benchmarks.growth_sections import carry, flow, put
from benchmarks.growth_state import measure as measure_state
from benchmarks.growth_tape import batched, crowd
from benchmarks.network import offices_of, registry_yaml
from benchmarks.process import Failed
from benchmarks.tape import Record, Shape, draw

from attente.metrics.series import series_count
from attente.model.partitioning import partition_of

OFFICES = offices_of(6, 2)


@pytest.fixture(scope="module")
def day() -> list[Record]:
    return draw(Shape(events=1_200, offices=6, partitions=2, seed=3), OFFICES)[0]


# Which points


@pytest.mark.parametrize("series", [1_000, 10_000, 50_000])
def test_of_all_numbers_of_offices_the_one_chosen_comes_nearest_to_the_series(series: int) -> None:
    def off(offices: int) -> int:
        return abs(series_count(network(offices, PARTITIONS), partitions=PARTITIONS) - series)

    chosen = offices_for(series)
    assert off(chosen) == min(off(offices) for offices in range(max(1, chosen - 1), chosen + 2))


def test_the_fewest_series_are_those_of_one_office() -> None:
    assert offices_for(1) == 1


def test_offices_and_partitions_grow_at_an_equal_number_of_events_enough_for_the_most_offices() -> None:
    axes = {"offices": (10, 100), "partitions": (1, 64), "waiting": (500,)}
    found = list(points(axes, events=1_000, offices=50))
    assert [(point.axis, point.x) for point in found] == [
        ("offices", 10),
        ("offices", 100),
        ("waiting", 500),
        ("partitions", 1),
        ("partitions", 64),
    ]
    assert {point.shape.events for point in found} == {3_000}
    assert [point.shape.offices for point in found] == [10, 100, 50, 50, 50]
    assert [point.shape.partitions for point in found] == [4, 4, 4, 1, 64]


# What is measured at a point


def test_in_a_crowd_everybody_waits_and_every_office_has_as_many(tmp_path: Path) -> None:
    registry = tmp_path / "registry.yaml"
    registry.write_text(registry_yaml(OFFICES))
    records = list(crowd(60, OFFICES, 2))
    assert {record.key: sum(other.key == record.key for other in records) for record in records} == {
        office.encode(): 10 for office in OFFICES
    }
    assert all(record.partition == partition_of(record.key, 2) for record in records)
    found = measure_state(registry, batched(records, [0, 0]))
    assert (found.events, found.visits, found.waiting) == (60, 60, 60)


def test_a_point_of_a_day_holds_the_visits_of_the_day(day: list[Record], tmp_path: Path) -> None:
    registry = tmp_path / "registry.yaml"
    registry.write_text(registry_yaml(OFFICES))
    found = measure_state(registry, batched(day, [0, 0]))
    tickets = {
        (record.key, record.value.partition(b'"ticket":"')[2][:18]) for record in day if b'"ticket"' in record.value
    }
    assert (found.offices, found.partitions, found.events) == (6, 2, 1_200)
    assert found.visits == len(tickets)
    assert found.checkpoint_bytes > 0


def test_the_parts_of_a_scraped_day_follow_each_other_in_the_log(day: list[Record]) -> None:
    parts = parted(day, network(6, 2), 2)
    for number in range(2):
        offsets = [record.offset for part in parts for batch in part[number].open() for record in batch]
        assert offsets == list(range(len(offsets)))
    assert sum(one.records for one in parts.before) == 600
    assert sum(one.records for one in parts.touch) == 6


def test_a_scrape_is_measured_at_rest_and_while_deliveries_are_applied(day: list[Record]) -> None:
    found = asyncio.run(measure(network(6, 2), day, 2))
    assert (found.offices, found.events) == (6, 606)
    # The bound counts the service `other`, which nobody asked for.
    assert 0.5 < found.series / series_count(network(6, 2), partitions=2) < 1
    assert found.text.bytes > 50 * found.series
    assert found.first.loop_s > 0
    assert found.applying_held_ms > 0
    assert found.busy_next.loop_s > found.next.loop_s


def test_deliveries_that_end_before_the_scrape_does_are_not_taken_for_a_busy_loop(day: list[Record]) -> None:
    desk = Desk(network(6, 2), 2)
    with pytest.raises(Failed, match="all deliveries were applied before the scrape was over"):
        asyncio.run(desk.apply(batched(day, [0, 0]), lambda: False))
    assert sum(one.partition.read for one in desk.owned) == len(day)


# Sections


def test_a_section_is_put_at_the_end_and_later_where_it_stands() -> None:
    page = put("# Page\n\nText.\n", "growth", "## Growth\n\n1")
    page = put(page, "live", "## Live")
    again = put(page, "growth", "## Growth\n\n2")
    assert again == page.replace("\n1\n", "\n2\n")
    assert page.index("## Growth") < page.index("## Live")
    assert put(again, "growth", "## Growth\n\n2") == again


def test_a_page_that_is_written_anew_keeps_the_sections_of_others() -> None:
    sections = put(put("", "growth", "## Growth"), "live", "## Live")
    old = f"# Old\n\n{sections}"
    new = carry(old, "# New\n")
    assert new == f"# New\n\n{sections}"
    assert carry(new, "# New\n") == new
    assert carry("# Old, without any\n", "# New\n") == "# New\n"


def test_paragraphs_are_broken_anew_and_tables_and_code_are_not() -> None:
    table = "| a | b |\n| --- | ---: |\n" + "| x | " + "y" * 130 + " |"
    code = "    make " + "x " * 80 + "x"
    text = f"one\ntwo\n\n{table}\n\n{code}\n\n- {'word ' * 40}"
    first, kept, command, items = flow(text).split("\n\n")
    assert first == "one two"
    assert kept == table
    assert command == code
    assert [line[:2] for line in items.splitlines()] == ["- ", "  "]
    assert max(map(len, items.splitlines())) <= 120


# Tables and the page


def line(x: int, cpu_us: float) -> dict[str, Any]:
    return {
        "x": x,
        "events": 1_000,
        "visits": 100,
        "cpu_us": cpu_us,
        "state_bytes": 2**20 * x,
        "view_bytes": 2**20,
        "first_view_s": 0.5,
        "next_view_s": 0.25,
        "cut_ms": 1.0,
        "encode_s": 0.1,
        "checkpoint_bytes": 2**20,
    }


def results() -> dict[str, Any]:
    return {
        "machine": {
            "date": "2026-01-13",
            "processor": "P",
            "cores": 2,
            "memory_bytes": 2**33,
            "load_before": 0.1,
            "load_after": 2.0,
            "python": "CPython 3.11.7",
        },
        "options": {
            "events": 200_000,
            "network": 1_000,
            "repeat": 3,
            "offices": [10, 100],
            "waiting": [],
            "partitions": [1, 4, 12, 64],
            "series": [],
        },
        "void": {},
        "points": {"offices": [line(10, 20.0), line(100, 30.0), line(10, 24.0), line(100, 30.0), line(10, 90.0)]},
    }


def test_a_figure_is_the_median_of_its_turns() -> None:
    found = medians(results()["points"]["offices"], [Figure("CPU", lambda one: one["cpu_us"])])
    assert found == [(10, [24.0]), (100, [30.0])]


def test_the_tables_have_a_column_for_each_point() -> None:
    (table,) = growth_tables(results())
    assert table.columns == ("offices", "10", "100")
    assert ("CPU per event, µs", "24.0", "30.0") in table.rows
    assert ("memory of the states, MiB", "10", "100") in table.rows


def test_the_section_says_by_how_much_it_grows_and_how_it_is_repeated() -> None:
    section = growth_section(results())
    assert "From 10 to 100 (× 10): CPU per event × 1.2, memory of the states × 10.0, first view × 1.0." in section
    assert command(results()["options"]) in section
    assert (
        command(results()["options"])
        == 'make bench-growth GROWTH_ARGS="--repeat=3 --offices=10,100 --waiting= --series="'
    )


def test_the_section_tells_of_points_that_could_not_be_measured() -> None:
    found = results()
    found["void"] = {"offices 1,000": "too little memory"}
    assert "- Not measured: offices 1,000: too little memory" in growth_section(found)


def test_only_what_there_are_results_of_is_written(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n")
    assert write(tmp_path, page, tmp_path / "images") == []
    assert page.read_text() == "# Page\n"
    assert not (tmp_path / "images").exists()


# Plots


def test_a_log_axis_has_whole_decades_around_what_it_shows() -> None:
    assert decades(0.02, 30) == [0.01, 0.1, 1, 10, 100]
    assert decades(10, 10) == [10, 100]


@pytest.mark.parametrize(("least", "most"), [(0, 1), (0, 0.0042), (3, 9.9), (0, 600), (5, 5), (0, 123_456)])
def test_a_linear_axis_has_a_handful_of_round_values_around_what_it_shows(least: float, most: float) -> None:
    found = steps(least, most)
    assert found[0] <= least
    assert found[-1] >= most * (1 - 1e-12)
    assert 2 <= len(found) <= 11


def test_values_are_short_on_an_axis() -> None:
    assert [short(value) for value in (0.01, 4, 200, 1_000, 10_000, 300_000, 1.5e6)] == [
        "0.01",
        "4",
        "200",
        "1000",
        "10k",
        "300k",
        "1.5M",
    ]


def test_a_plot_is_one_file_that_says_what_it_shows_and_has_a_dot_for_each_point() -> None:
    curves = [Curve("CPU & more", [(10, 1), (100, 2), (1_000, 0)]), Curve("memory", [(10, 5)])]
    drawn = ET.fromstring(plot("Growth", "what it says", [Panel("A <title>", "offices", curves)]))  # noqa: S314 - our own
    texts = [one.text for one in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert {"A <title>", "offices", "CPU & more", "memory"} <= set(texts)
    assert drawn.get("aria-label") == "Growth. what it says"
    # What is 0 has no place on a log axis.
    assert len(list(drawn.iter("{http://www.w3.org/2000/svg}circle"))) == 3
