"""What a registry file says of signed events, what is wrong with it, and the secrets that it asks for."""

from pathlib import Path

import pytest

from attente.errors import BadInput, Missing
from attente.model.instants import LATEST, milliseconds
from attente.model.signatures import NO_KEYS, Algorithm, Key
from attente.registry.entities import OfficeKey, Registry, Signatures
from attente.registry.keyring import keyring, load_keys
from attente.registry.load import parse
from registry.registry_files import SOUND, changed, complaint, problems

FINGER = "0123456789abcdef0123456789abcdef"
AT = "2026-11-23T08:00:00+01:00"


def registry(top: str = "", nation: str = "", thiers: str = "") -> Registry:
    return parse(signed(top, nation, thiers), "registry.yaml")


def signed(top: str = "", nation: str = "", thiers: str = "") -> str:
    """The sound file with more of the network's keys, and of its two offices'."""
    text = changed("network: caf\n", f"network: caf\n{top}", SOUND)
    for office, more in (("nation", nation), ("thiers", thiers)):
        text = changed(f"  - id: {office}\n", f"  - id: {office}\n{more}", text)
    return text


def key(*more: str, id_: str = "k1") -> str:
    return f"    keys: [{{{', '.join((f'id: {id_}', f'fingerprint: {FINGER}', *more))}}}]\n"


def test_a_file_that_says_nothing_asks_for_nothing() -> None:
    for office in registry().offices.values():
        assert (office.signatures, office.keys, office.signatures_from_ms) == (Signatures.OFF, (), 0)


def test_what_the_network_says_holds_for_every_office_that_says_nothing_else() -> None:
    found = registry(
        f"signatures: report\nsignatures_from: {AT}\n",
        f"    signatures: require\n    signatures_from: 2027-01-01T00:00:00Z\n{key()}",
    )
    nation, thiers = found.offices["nation"], found.offices["thiers"]
    assert (thiers.signatures, thiers.signatures_from_ms) == (Signatures.REPORT, milliseconds(AT))
    assert (nation.signatures, nation.signatures_from_ms) == (Signatures.REQUIRE, milliseconds("2027-01-01T00:00:00Z"))
    assert nation.keys == (OfficeKey("k1", FINGER, Algorithm.BLAKE2B, 0, LATEST),)


def test_a_key_may_be_valid_for_a_while() -> None:
    found = registry(nation=key("algorithm: blake2b", f"from: {AT}", "until: 2026-12-01T00:00:00+01:00"))
    (one,) = found.offices["nation"].keys
    assert (one.first_ms, one.end_ms) == (milliseconds(AT), milliseconds("2026-12-01T00:00:00+01:00"))


@pytest.mark.parametrize(
    ("top", "nation", "message"),
    [
        ("signatures: ▸yes\n", "", "signatures yes is not known; write one of off, report, require"),
        ("signatures: ▸required\n", "", "signatures required is not known; did you mean require?"),
        ("signatures_from: ▸2026-11-23\n", "", "signatures_from 2026-11-23 is no instant with an offset; write one "),
        (
            "signatures_from: ▸2026-11-23T08:00:00\n",
            "",
            "is no instant with an offset; write one like 2026-11-23T08:00",
        ),
        ("", "    signatures: ▸on\n", "office nation: signatures on is not known; write one of off, report, require"),
        ("", "    keys: ▸k1\n", "office nation: keys is a single value, but must be a list"),
        ("", "    keys: [▸k1]\n", "office nation: keys number 1 is a single value, but must be a mapping"),
        ("", "    keys: [▸{id: k1}]\n", "keys number 1: fingerprint is missing; add fingerprint: "),
        ("", f"    keys: [▸{{fingerprint: {FINGER}}}]\n", "keys number 1: id is missing; add id: "),
        ("", f"    keys: [{{id: ▸K1, fingerprint: {FINGER}}}]\n", "keys number 1: id K1 is no id"),
        ("", "    keys: [{id: k1, fingerprint: ▸abc}]\n", "fingerprint given is not 32 hexadecimal digits but 3 signs"),
        (
            "",
            key("▸secret: x"),
            "keys number 1: unknown key secret; the keys here are id, fingerprint, algorithm, from",
        ),
        ("", key("algorithm: ▸sha1"), "keys number 1: algorithm sha1 is not known; write one of blake2b"),
        ("", key("from: ▸today"), "keys number 1: from today is no instant with an offset"),
        ("", key(f"from: {AT}", f"until: ▸{AT}"), f"keys number 1: until {AT} is not after from {AT}; turn them round"),
    ],
)
def test_what_is_wrong_is_told_at_its_place_with_the_remedy(top: str, nation: str, message: str) -> None:
    assert message in complaint(signed(top, nation))


def test_a_key_signs_for_one_office_only() -> None:
    text = signed(nation=key(), thiers=key().replace("id: k1", "id: ▸k1"))
    line = 1 + text[: text.index("id: k1")].count("\n")
    assert complaint(text) == (f"office thiers: keys number 1: id k1 is taken by line {line}; give every key its own")


def test_a_secret_signs_for_one_office_only_whatever_its_keys_are_called() -> None:
    thiers = key(id_="k2").replace(f"fingerprint: {FINGER}", f"fingerprint: ▸{FINGER}")
    assert complaint(signed(nation=key(), thiers=thiers)) == (
        f"office thiers: keys number 1: fingerprint {FINGER} is that of key k1 of another office, which could sign for "
        "this one; make a key of its own with `attente keys new`"
    )


def test_an_office_may_use_a_secret_under_two_names_for_two_times() -> None:
    two = f"    keys: [{{id: k1, fingerprint: {FINGER}, until: {AT}}}, {{id: k2, fingerprint: {FINGER}, from: {AT}}}]\n"
    assert [one.id for one in registry(nation=two).offices["nation"].keys] == ["k1", "k2"]


@pytest.mark.parametrize(("top", "nation"), [("signatures: require\n", ""), ("", "    signatures: require\n")])
def test_an_office_that_must_sign_and_cannot_is_a_mistake(top: str, nation: str) -> None:
    found = problems(signed(top, nation))
    (message,) = [one.message for one in found if "office nation" in one.message]
    assert message.startswith("office nation: signatures are required and no key signs: all events would be refused; ")
    assert message.endswith("add keys: a list of what `attente keys new` prints, or signatures: report")
    assert len(found) == (2 if top else 1)


def test_a_secret_that_stands_in_the_registry_by_mistake_is_not_told() -> None:
    secret = "ab" * 32
    (found,) = problems(signed(nation=f"    keys: [{{id: k1, fingerprint: {secret}}}]\n"))
    assert secret not in str(found)
    assert "64 signs" in str(found)


# ---- the secrets

OURS = Key("nation.k1", "nation", b"\1" * 32)
THEIRS = Key("thiers.k1", "thiers", b"\2" * 32)


def asking(mode: str = "require", fingerprint: str = OURS.fingerprint) -> Registry:
    entry = f"    keys: [{{id: {OURS.id}, fingerprint: {fingerprint}}}]\n    signatures: {mode}\n"
    return registry(nation=entry, thiers=f"    keys: [{{id: {THEIRS.id}, fingerprint: {THEIRS.fingerprint}}}]\n")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "workers.keys"


@pytest.mark.parametrize("mode", ["require", "report"])
def test_the_secrets_of_offices_that_are_looked_at_are_asked_for_and_no_others(file: Path, mode: str) -> None:
    file.write_text(f"{OURS.line}\nolder.k1 older {'cd' * 32}\n")
    found = keyring(asking(mode), file)
    assert found.secret(OURS.id) == OURS.secret
    with pytest.raises(KeyError):
        found.secret("older.k1")


def test_where_nothing_is_looked_at_no_file_is_needed_nor_read(file: Path) -> None:
    assert keyring(asking("off"), None) is NO_KEYS
    assert keyring(registry(), file) is NO_KEYS


def refused(kind: type[Exception], found: Registry, path: Path | None) -> str:
    with pytest.raises(kind) as error:
        keyring(found, path)
    assert "\n" not in str(error.value)
    assert not any(one.secret.hex() in str(error.value) for one in (OURS, THEIRS))
    return str(error.value)


def test_a_secret_that_is_missing_is_named_by_its_key(file: Path) -> None:
    assert "name the file of their secrets with --keys FILE" in refused(Missing, asking(), None)
    assert f"{file}: the keys cannot be read (No such file or directory)" in refused(Missing, asking(), file)
    file.write_text(THEIRS.line)
    assert f"{file}: no secret of key {OURS.id}; add the line" in refused(Missing, asking(), file)


def test_of_many_missing_secrets_the_first_are_named(file: Path) -> None:
    file.write_text("")
    keys = ", ".join(f"{{id: k{i}, fingerprint: {FINGER}}}" for i in range(5))
    many = registry(nation=f"    signatures: report\n    keys: [{keys}]\n")
    assert "no secret of key k0, k1, k2 and 2 more;" in refused(Missing, many, file)


def test_another_secret_or_another_office_than_the_registrys_is_refused(file: Path) -> None:
    file.write_text(Key(OURS.id, "nation", THEIRS.secret).line)
    assert f"fingerprint {THEIRS.fingerprint}, the registry says {OURS.fingerprint}" in refused(
        BadInput, asking(), file
    )
    file.write_text(Key(OURS.id, "thiers", OURS.secret).line)
    assert "is of office thiers, the registry says nation" in refused(BadInput, asking(), file)


@pytest.mark.parametrize(("raw", "said"), [(b"one two", "line 1: 2 words"), (b"\xff", "not UTF-8")])
def test_a_file_of_something_else_is_refused_with_its_name(file: Path, raw: bytes, said: str) -> None:
    file.write_bytes(raw)
    with pytest.raises(BadInput, match=said) as error:
        load_keys(file)
    assert str(error.value).startswith(f"{file}: ")
