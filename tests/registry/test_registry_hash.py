import os
import re
import subprocess
import sys

import pytest

from attente.registry import fingerprint, zones
from attente.registry.load import parse
from attente.registry.zones import Rules
from registry.registry_files import RICH, SOUND, changed

FIXED = SOUND.replace("Europe/Paris", "UTC")
"""UTC never changes, so that no release of the zone database moves the hash."""


def hash_of(text: str) -> str:
    return parse(text, "registry.yaml").hash


def test_the_hash_is_the_same_in_every_release_of_this_format() -> None:
    assert hash_of(FIXED) == "8e07833805624481"


def test_the_hash_is_the_same_in_every_process() -> None:
    text = changed("[walkin]", "[walkin, appointment, remote]", changed("offices: [nation]", 'offices: "*"', SOUND))
    text = changed("services: [logement]", 'services: "*"', text)
    program = "import sys; from attente.registry.load import parse; print(parse(sys.argv[1], '-').hash)"
    hashes = {
        subprocess.run(
            [sys.executable, "-c", program, text],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2", "3", "4")
    }
    assert hashes == {hash_of(text)}


def test_the_hash_has_sixteen_hexadecimal_digits() -> None:
    assert re.fullmatch("[0-9a-f]{16}", hash_of(SOUND))


SAME = {
    "a comment": ("network: caf", "# who we are\nnetwork: caf  # for short"),
    "quotes": ("title: Accueil\n", 'title: "Accueil"\n'),
    "flow style": ("  - id: accueil\n    title: Accueil\n", "  - {id: accueil, title: Accueil}\n"),
    "the order of keys": ("  - id: accueil\n    title: Accueil\n", "  - title: Accueil\n    id: accueil\n"),
    "the order of a selection": ("[accueil, logement]", "[logement, accueil]"),
    "all by name or by star": ("[accueil, logement]", '"*"'),
    "a default written out": ("    left: excluded\n", ""),
    "another unit": ("20m", "1200s"),
    "percent": ("0.85", "85 %"),
    "an anchor": ("[accueil, logement]", "&all [accueil, logement]"),
}


@pytest.mark.parametrize(("old", "new"), SAME.values(), ids=SAME)
def test_what_decides_nothing_leaves_the_hash_alone(old: str, new: str) -> None:
    assert hash_of(changed(old, new)) == hash_of(SOUND)


OTHER = {
    "network": ("network: caf", "network: cnaf"),
    "cut_over": ('"03:00"', '"04:00"'),
    "horizon": ("horizon: 24h", "horizon: 25h"),
    "detail": ("detail: service", "detail: office"),
    "title of a service": ("title: Accueil", "title: Welcome"),
    "a further service": ("offices:\n  - id: nation", "  - {id: x, title: X}\noffices:\n  - id: nation"),
    "name of an office": ("name: Thiers", "name: Thiers (63)"),
    "region": ("region: Auvergne", "region: Auvergne-Rhône-Alpes"),
    "zone": ("Auvergne\n    zone: Europe/Paris", "Auvergne\n    zone: Europe/Rome"),
    "services of an office": ("services: [accueil]", 'services: "*"'),
    "norm id": ("caf-20", "caf-21"),
    "norm title": ("Vingt minutes", "20 minutes"),
    "threshold": ("20m", "21m"),
    "target": ("0.85", "0.85001"),
    "from": ("from: arrived", "from: due"),
    "to": ("to: called", "to: started"),
    "per": ("per: visit", "per: first"),
    "channels": ("[walkin]", "[walkin, remote]"),
    "left": ("left: excluded", "left: failed"),
    "still_waiting": ("still_waiting: ignored", "still_waiting: failed_if_over"),
    "offices of a norm": ("offices: [nation]", 'offices: "*"'),
    "services of a norm": ("services: [logement]", "services: [logement, other]"),
    "valid_from": ("2009-01-01", "2009-01-02"),
}


@pytest.mark.parametrize(("old", "new"), OTHER.values(), ids=OTHER)
def test_what_decides_a_figure_or_a_label_changes_the_hash(old: str, new: str) -> None:
    assert hash_of(changed(old, new)) != hash_of(SOUND)


KNOWN_ELSEWHERE = {
    "size": ("    size: large\n", "    size: huge\n"),
    "kiosks": ("[hall-1, hall-2]", "[hall-1]"),
    "hours": ("fri: 09:00-12:30", "fri: 09:00-12:00"),
    "holidays": ("2027-01-01", "2027-01-02"),
    "exceptions": ("2026-12-24, hours", "2026-12-23, hours"),
    "closures": ("2026-05-04, hours: closed", "2026-05-05, hours: closed"),
    "the calendar of an office": ("    calendar: usual\n    closures: [{date: 2026-05-04, hours: closed}]\n", ""),
}


@pytest.mark.parametrize(("old", "new"), KNOWN_ELSEWHERE.values(), ids=KNOWN_ELSEWHERE)
def test_what_says_when_and_how_an_office_is_open_leaves_the_hash_alone(old: str, new: str) -> None:
    text = RICH.replace("size:large", "nation")
    assert hash_of(changed(old, new, text)) == hash_of(text) == hash_of(RICH)


def test_the_order_of_a_norms_definitions_leaves_the_hash_alone_and_their_dates_do_not() -> None:
    head, _, norms = RICH.partition("  - id: vingt\n")
    first, _, second = norms.partition("  - {")
    assert hash_of(f"{head}  - {{{second}  - id: vingt\n{first}") == hash_of(RICH)
    assert hash_of(changed("2026-06-01", "2026-06-02", RICH)) != hash_of(RICH)


def test_the_order_of_services_offices_and_norms_changes_the_hash() -> None:
    entries = "  - {id: x, title: X}\n", "  - {id: y, title: Y}\n"
    at = "offices:\n  - id: nation"
    assert hash_of(changed(at, "".join(entries) + at)) != hash_of(changed(at, "".join(reversed(entries)) + at))


def test_other_rules_of_a_zone_in_use_change_the_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    before = hash_of(SOUND)
    monkeypatch.setattr(zones, "rules", lambda _: Rules(3600, ()))
    assert hash_of(SOUND) != before


def test_a_new_format_changes_every_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    before = hash_of(SOUND)
    monkeypatch.setattr(fingerprint, "FORMAT", "attente.registry/2")
    assert hash_of(SOUND) != before
