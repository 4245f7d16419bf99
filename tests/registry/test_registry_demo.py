import csv
import lzma
from pathlib import Path

import pytest

from attente.registry.demo import SERVICES, technion_registry, technion_yaml
from attente.registry.entities import Clock, End, Left, Per, Start
from attente.registry.load import load

TAPE = Path(__file__).parents[3] / "shared" / "data" / "technion_bank_1999-01.tsv.xz"


@pytest.mark.parametrize(
    ("offices", "first", "last"),
    [(1, "bank", "bank"), (2, "bank-01", "bank-02"), (16, "bank-01", "bank-16"), (100, "bank-001", "bank-100")],
)
def test_the_tapes_network_has_as_many_offices_as_asked_for(offices: int, first: str, last: str) -> None:
    registry = technion_registry(offices)
    ids = list(registry.offices)
    assert (len(ids), ids[0], ids[-1]) == (offices, first, last)
    assert ids == sorted(ids)
    assert {(office.region, office.zone) for office in registry.offices.values()} == {("demo", "Asia/Jerusalem")}


def test_the_tapes_network_promises_to_answer_within_a_minute() -> None:
    registry = technion_registry(16)
    (norm,) = registry.norms.values()
    assert (norm.id, norm.threshold_s, norm.target_milli, norm.left) == ("within-60", 60, 80_000, Left.EXCLUDED)
    assert norm.clock == Clock(Start.ISSUED, End.CALLED, Per.LEG)
    assert norm.channels == {"walkin", "appointment", "remote"}
    assert norm.offices == set(registry.offices)
    assert norm.services == {*SERVICES, "other"}


def test_workers_load_the_same_network_from_the_written_file(tmp_path: Path) -> None:
    path = tmp_path / "registry.yaml"
    path.write_text(technion_yaml(16), encoding="utf-8")
    assert load(path) == technion_registry(16)


def test_a_network_of_no_offices_is_no_network() -> None:
    with pytest.raises(ValueError, match="at least one office, not 0"):
        technion_yaml(0)


def test_the_services_are_the_call_types_of_the_tape_that_reach_a_queue() -> None:
    if not TAPE.exists():
        pytest.skip("the Technion tape does not lie beside the repository")
    with lzma.open(TAPE, "rt", encoding="ascii") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    left_before = ("HANG", "0:00:00")
    kept = [row for row in rows if row["outcome"] != "PHANTOM" and (row["outcome"], row["q_start"]) != left_before]
    assert len(kept) == 30_161
    assert {row["type"].lower() for row in kept} == set(SERVICES)
