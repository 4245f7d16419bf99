from datetime import date
from itertools import permutations

from attente.core.plan import Plan
from attente.registry.buckets import bounds
from attente.registry.entities import Norm, Registry
from attente.registry.load import parse
from registry.registry_files import complaint

NETWORK = """\
network: x
services: [{id: accueil, title: A}, {id: rdv, title: B}]
offices:
  - {id: nation, name: N, region: Paris, zone: UTC}
  - {id: thiers, name: T, region: Auvergne, zone: UTC}
norms:
"""
EVER = "  - {id: caf, title: Twenty, threshold: 20m, target: 0.85}\n"
IN_2020 = "  - {id: caf, title: Fifteen, threshold: 15m, target: 0.9, offices: nation, valid_from: 2020-03-01}\n"
IN_2026 = (
    "  - {id: caf, title: Ten, threshold: 10m, target: 0.9, clock: {from: due, to: started}, valid_from: 2026-11-24}\n"
)
ANOTHER = "  - {id: other-norm, title: Other, threshold: 45m, target: 0.5}\n"


def registry(*norms: str) -> Registry:
    return parse(NETWORK + "".join(norms), "registry.yaml")


def caf(*norms: str) -> Norm:
    return registry(*norms).norms["caf"]


def day(iso: str) -> int:
    return date.fromisoformat(iso).toordinal()


def title_on(norm: Norm, iso: str) -> str | None:
    found = norm.in_force(day(iso))
    return None if found is None else found.title


def test_entries_with_one_id_are_definitions_of_one_norm_and_the_newest_stands_for_it() -> None:
    norm = caf(EVER, IN_2020, IN_2026)
    assert norm.title == "Ten"
    assert [former.title for former in norm.former] == ["Twenty", "Fifteen"]
    assert [one.title for one in norm.definitions()] == ["Twenty", "Fifteen", "Ten"]
    assert all(not former.former for former in norm.former)


def test_each_definition_is_whole_in_itself() -> None:
    old, middle, new = caf(EVER, IN_2020, IN_2026).definitions()
    assert [old.offices, middle.offices, new.offices] == [{"nation", "thiers"}, {"nation"}, {"nation", "thiers"}]
    assert (old.threshold_s, middle.threshold_s, new.threshold_s) == (1200, 900, 600)
    assert middle.clock == old.clock != new.clock


def test_a_definition_holds_from_its_date_to_the_day_before_the_next_ones() -> None:
    #        2020-03-01         2026-11-24
    #  Twenty    |    Fifteen        |    Ten
    norm = caf(EVER, IN_2020, IN_2026)
    assert title_on(norm, "1999-01-01") == "Twenty"
    assert title_on(norm, "2020-02-29") == "Twenty"
    assert title_on(norm, "2020-03-01") == "Fifteen"
    assert title_on(norm, "2026-11-23") == "Fifteen"
    assert title_on(norm, "2026-11-24") == "Ten"
    assert title_on(norm, "2050-12-31") == "Ten"


def test_before_its_first_definition_a_norm_is_not_in_force() -> None:
    norm = caf(IN_2026, IN_2020)
    assert title_on(norm, "2020-02-29") is None
    assert title_on(norm, "2020-03-01") == "Fifteen"
    assert title_on(caf(IN_2020), "2020-02-29") is None


def test_without_a_date_a_norm_is_always_in_force() -> None:
    norm = caf(EVER)
    assert norm.in_force(1) is norm
    assert norm.former == ()


def test_the_order_of_definitions_in_the_file_decides_nothing() -> None:
    orders = [registry(*order) for order in permutations((EVER, IN_2020, IN_2026))]
    assert all(order == orders[0] for order in orders)


def test_a_norm_stands_where_its_first_entry_stands() -> None:
    assert list(registry(IN_2026, ANOTHER, EVER).norms) == ["caf", "other-norm"]


def test_a_former_definition_decides_figures_and_so_the_hash() -> None:
    hashes = {registry(*norms).hash for norms in ((IN_2026,), (EVER, IN_2026), (IN_2020, IN_2026))}
    assert len(hashes) == 3


def test_the_thresholds_of_all_definitions_are_bounds() -> None:
    changing = registry(EVER.replace("20m", "23m"), IN_2020.replace("15m", "17m"), IN_2026, ANOTHER)
    assert {23 * 60, 17 * 60, 10 * 60, 45 * 60} <= set(bounds(changing))
    assert set(bounds(changing)) == set(Plan(changing).bounds)


def test_the_clocks_of_all_definitions_run() -> None:
    later = IN_2026.replace("2026-11-24", "2019-01-01")  # the clock of a definition that is over
    plan = Plan(registry(later, IN_2020))
    assert plan.visit_clocks == Plan(registry(later)).visit_clocks != Plan(registry(IN_2020)).visit_clocks


def test_twelve_thresholds_are_shared_by_all_definitions() -> None:
    several = "".join(
        f"  - {{id: caf, title: T, threshold: {n}m, target: 0.5, valid_from: 20{n:02d}-01-01}}\n" for n in range(1, 13)
    )
    assert len(registry(several).norms["caf"].former) == 11
    assert complaint(NETWORK + several + ANOTHER.replace("45m", "▸45m")).startswith(
        "norm other-norm: threshold 45m is one too many"
    )


def test_two_definitions_from_one_date_are_refused_at_the_later_ones_date() -> None:
    again = IN_2020.replace("2020-03-01", "▸2020-03-01")
    assert complaint(NETWORK + IN_2020 + ANOTHER + again) == (
        "norm caf: valid_from 2020-03-01 is that of line 7 too; write the date from which this definition holds"
    )


def test_two_definitions_without_a_date_are_refused_at_the_later_ones_id() -> None:
    assert complaint(NETWORK + EVER + ANOTHER + EVER.replace("{id: caf", "{id: ▸caf")) == (
        "norm caf: id caf is taken by line 7; give it its own, or a date in valid_from to replace that one from then on"
    )


def test_an_alias_of_a_norm_is_a_second_definition() -> None:
    text = NETWORK + EVER.replace("- {", "- &caf {") + "  - *caf\n"
    assert complaint(text.replace("id: caf", "id: ▸caf")).startswith("norm caf: id caf is taken by line 7")


def test_a_date_that_cannot_be_read_is_the_only_problem_of_its_definition() -> None:
    assert complaint(NETWORK + EVER + IN_2020.replace("2020-03-01", "▸2020-3-1")).startswith(
        "norm caf: valid_from 2020-3-1 is no date"
    )


def test_every_definition_is_checked() -> None:
    assert complaint(NETWORK + EVER.replace("20m", "▸20.5s") + IN_2020).startswith("norm caf: threshold 20.5s")
