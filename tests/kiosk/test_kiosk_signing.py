"""A kiosk signs whatever it sends, when it sends it, with the key of its office; and shows its secret to nobody."""

import json
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from attente.broker.local import LocalBroker
from attente.errors import BadInput, Missing
from attente.kiosk import Kiosk, KioskSettings
from attente.kiosk.signing import read_key
from attente.model.signatures import HEADER, Key, Signer, read_keys
from attente.model.topics import EVENTS
from attente.settings import BadSetting, load, prefixed
from commands import attente
from signed import key_of
from workers import content, wait_until

OFFICE = "75-nation"
FIRST, SECOND = key_of(OFFICE, 1), key_of(OFFICE, 2)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "hall-1.key"


def settings(folder: Path, key: Key | None) -> KioskSettings:
    return KioskSettings(office=OFFICE, kiosk="hall-1", spool=folder / "s.spool", key=key)


# ---- the key


def test_of_several_keys_of_an_office_the_last_one_signs(file: Path) -> None:
    file.write_text("\n".join([FIRST.line, key_of("other").line, SECOND.line, key_of("another").line]))
    assert read_key(file, OFFICE) == SECOND
    assert read_key(file, "other") == key_of("other")


def test_a_key_that_cannot_be_used_is_told_without_its_secret(file: Path) -> None:
    def told(kind: type[Exception]) -> str:
        with pytest.raises(kind) as error:
            read_key(file, OFFICE)
        assert str(error.value).startswith(f"{file}: ")
        assert FIRST.secret.hex() not in str(error.value)
        return str(error.value)

    assert "cannot be read (No such file or directory)" in told(Missing)
    file.write_text(key_of("other").line)
    assert "no key of office 75-nation; make one with `attente keys new --office 75-nation`" in told(BadInput)
    file.write_text(f"{FIRST.secret.hex()} {OFFICE} {FIRST.id}")
    assert "line 1: the third word is no secret" in told(BadInput)
    file.write_bytes(b"\xff\xfe")
    assert "not UTF-8" in told(BadInput)


def test_a_kiosk_does_not_sign_with_another_offices_key(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"key other\.k1 is of office other, this kiosk stands in 75-nation"):
        Kiosk(settings(tmp_path, key_of("other")), is_sending=False)


def test_the_key_in_a_setting_comes_from_the_environment_and_from_no_flag_and_no_settings_file(tmp_path: Path) -> None:
    assert load(environ={"ATTENTE_SIGNING_KEY": FIRST.line}).signing_key == FIRST
    config = tmp_path / "attente.yaml"
    config.write_text("keys_file: our.keys\n")
    assert load(file=config).keys_file == tmp_path / "our.keys"
    config.write_text(f"signing_key: {FIRST.line}\n")
    with pytest.raises(BadSetting, match="does not belong in a file of settings") as error:
        load(file=config)
    assert FIRST.secret.hex()[:20] not in str(error.value)
    help_ = attente("kiosk", "run", "--help").stdout
    assert "--keys" in help_
    assert "signing-key" not in help_


@pytest.mark.parametrize("text", [FIRST.secret.hex(), f"{FIRST.line}\n{SECOND.line}", f"{FIRST.line}0", ""])
def test_a_key_that_is_none_is_not_shown_in_the_message(text: str) -> None:
    with pytest.raises(BadSetting) as error:
        load(environ={"ATTENTE_SIGNING_KEY": text})
    assert str(error.value).startswith("ATTENTE_SIGNING_KEY: signing_key (not shown) is not one key; write: KEY-ID")
    assert FIRST.secret.hex()[:20] not in str(error.value)


# ---- what is sent


def test_every_event_and_heartbeat_is_signed_with_the_key_of_the_day(
    broker: LocalBroker, make_topics: Callable[..., str], tmp_path: Path
) -> None:
    topic = prefixed(EVENTS, make_topics(1))
    with Kiosk(settings(tmp_path, None), is_sending=False) as kiosk:  # spooled before there was any key
        kiosk.office_opened()
    for key in (FIRST, SECOND, None):
        there = replace(settings(tmp_path, key), broker=broker.bootstrap, topic=topic)
        with Kiosk(there) as kiosk:
            kiosk.ticket_issued(ticket="A1", service="accueil")
            assert kiosk.drain(30.0)
    found = content(broker.bootstrap, topic)
    assert {json.loads(one.value)["type"] for one in found} == {"office.opened", "ticket.issued", "kiosk.heartbeat"}
    signers = [Signer(FIRST), Signer(SECOND)]
    by = []
    for one in found:
        valid = [signer.key.id for signer in signers if list(one.headers) == [(HEADER, signer.sign(one.value))]]
        assert len(valid) == len(one.headers)
        by.append(valid[0] if valid else "")
    assert by == sorted(by, key=[FIRST.id, SECOND.id, ""].index)
    assert set(by) == {FIRST.id, SECOND.id, ""}


def test_the_service_of_a_kiosk_signs_and_shows_its_key_alone(
    broker: LocalBroker, topics_prefix: str, tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(FIRST.line)
    where = ("--broker", broker.bootstrap, "--prefix", topics_prefix, "--spool", str(tmp_path / "s.spool"))
    who = ("--office", OFFICE, "--kiosk", "hall-1")
    with Kiosk(settings(tmp_path, None), is_sending=False) as kiosk:
        kiosk.office_opened()
    assert attente("kiosk", "drain", *who, *where, "--keys", str(file)).returncode == 0
    with Kiosk(settings(tmp_path, None), is_sending=False) as kiosk:
        kiosk.office_closed()
    monkeypatch.setenv("ATTENTE_SIGNING_KEY", SECOND.line)  # the more particular of the two
    assert attente("kiosk", "drain", *who, *where, "--keys", str(file)).returncode == 0
    topic = prefixed(EVENTS, topics_prefix)

    def signed_by() -> list[bytes]:
        return [
            dict(one.headers)[HEADER].partition(b":")[0]
            for one in content(broker.bootstrap, topic)
            if b"kiosk.heartbeat" not in one.value
        ]

    wait_until(lambda: len(signed_by()) == 2, "both events")
    assert signed_by() == [FIRST.id.encode(), SECOND.id.encode()]


# ---- the command


def test_a_new_key_is_written_for_its_owner_alone_and_only_its_entry_is_printed(file: Path) -> None:
    old = os.umask(0)
    try:
        made = attente("keys", "new", "--office", OFFICE, "--kiosk", "hall-1", "--out", str(file))
    finally:
        os.umask(old)
    assert (made.returncode, made.stderr) == (0, "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (key,) = read_keys(file.read_text())
    assert made.stdout == f"- {{id: {key.id}, fingerprint: {key.fingerprint}}}\n"
    assert key.id.startswith("75-nation.hall-1.")
    assert read_key(file, OFFICE) == key
    assert attente("keys", "show", str(file)).stdout == f"{made.stdout.rstrip()}  # of 75-nation\n"
    shown = json.loads(attente("keys", "show", str(file), "--json").stdout)
    assert shown == [{"id": key.id, "office": OFFICE, "fingerprint": key.fingerprint}]


def test_no_key_is_written_over_another_and_no_two_are_alike(file: Path, tmp_path: Path) -> None:
    new = ("keys", "new", "--office", OFFICE, "--json", "--out")
    first = json.loads(attente(*new, str(file)).stdout)
    before = file.read_text()
    again = attente(*new, str(file))
    assert (again.returncode, again.stdout) == (3, "")
    assert again.stderr == f"attente: {file}: is there already; a key is never written over another: name a new file\n"
    assert file.read_text() == before
    assert json.loads(attente(*new, str(tmp_path / "b")).stdout)["fingerprint"] != first["fingerprint"]
    nowhere = attente(*new, str(tmp_path / "no" / "folder"))
    assert nowhere.returncode == 3
    assert "cannot be written (No such file or directory)" in nowhere.stderr


def test_an_office_that_is_no_id_gets_no_key(file: Path) -> None:
    said = attente("keys", "new", "--office", "Nation", "--out", str(file))
    assert said.returncode == 2
    assert not file.exists()
