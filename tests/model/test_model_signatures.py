"""Keys and signatures: what the contract says, held against it by hand; and that nothing shows a secret."""

import json
import pickle
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attente.model.reasons import Reason
from attente.model.signatures import (
    HEADER,
    NO_KEYS,
    SECRET_BYTES,
    VERDICTS,
    Key,
    Keyring,
    KeysUnreadable,
    Signer,
    Verdict,
    named,
    read_keys,
    signature_in,
)
from model.model_files import SCHEMAS

SECRET = bytes(range(SECRET_BYTES))
KEY = Key("75-nation.hall-1", "75-nation", SECRET)
LINE = f"75-nation.hall-1 75-nation {SECRET.hex()}"

secrets = st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES)
ids = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,63}", fullmatch=True)


# ---- signatures


@given(key=st.builds(Key, ids, ids, secrets), value=st.binary(max_size=2_000))
def test_a_signature_is_what_the_contract_says(key: Key, value: bytes) -> None:
    said = key.id.encode() + b"\0" + key.office.encode() + b"\0" + value
    mac = blake2b(said, digest_size=16, key=key.secret, person=b"attente.event/1").digest()
    signer = Signer(key)
    assert signer.sign(value) == key.id.encode() + b":" + mac
    assert signer.sign(value) == Signer(key).sign(value)
    assert signer.headers(value) == [(HEADER, signer.sign(value))]
    assert key.fingerprint == blake2b(key.secret, digest_size=16, person=b"attente.key/1").hexdigest()


def test_the_vectors_for_vendors_are_what_any_blake2b_computes() -> None:
    vectors = json.loads((SCHEMAS / "vectors" / "signatures.json").read_text())["vectors"]
    assert len(vectors) >= 5
    for one in vectors:
        secret, value = bytes.fromhex(one["secret"]), bytes.fromhex(one["value"])
        said = f"{one['key_id']}\0{one['office']}\0".encode() + value
        mac = blake2b(said, digest_size=16, key=secret, person=b"attente.event/1").digest()
        assert bytes.fromhex(one["header"]) == one["key_id"].encode() + b":" + mac
        assert one["fingerprint"] == blake2b(secret, digest_size=16, person=b"attente.key/1").hexdigest()


def test_of_several_signatures_the_last_counts_and_other_headers_do_not() -> None:
    assert signature_in([]) is None
    assert signature_in([("else", b"x"), (HEADER, b"1"), (HEADER, b"2"), ("else", None)]) == b"2"


def test_every_verdict_but_valid_is_a_reason_for_a_refusal() -> None:
    assert {verdict.value for verdict in VERDICTS} - {Verdict.VALID.value} <= {reason.value for reason in Reason}


# ---- keys


def test_keys_are_read_as_they_were_written() -> None:
    other = named("63-thiers", "", bytes(SECRET_BYTES))
    text = f"# of the workers\n\n{LINE}  # hall\n\t{other.line}\r\n"
    assert read_keys(text) == (KEY, other)
    assert read_keys(KEY.line) == (KEY,)
    assert read_keys("") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b", "line 1: 2 words, not three; write: KEY-ID OFFICE SECRET"),
        (f"# all\n{LINE} more", "line 2: 4 words"),
        (f"a b {SECRET.hex()[1:]}", "line 1: the third word is no secret of 64 hexadecimal digits"),
        (f"a b {SECRET.hex().upper()}", "line 1: the third word is no secret"),
        (f"A b {SECRET.hex()}", "line 1: the first two words are no ids"),
        (f"a B {SECRET.hex()}", "line 1: the first two words are no ids"),
        (f"{LINE}\n{LINE}", "line 2: key 75-nation.hall-1 stands above already"),
    ],
)
def test_what_is_no_key_is_told_with_its_line_and_without_what_stands_there(text: str, message: str) -> None:
    with pytest.raises(KeysUnreadable) as refused:
        read_keys(text)
    assert str(refused.value).startswith(message)
    assert SECRET.hex()[1:] not in str(refused.value).lower()


def test_nothing_that_shows_a_key_shows_its_secret() -> None:
    shown = f"{KEY} {KEY!r} {[KEY]} {Keyring([KEY])} {Keyring([KEY])!r} {vars(Signer(KEY))} {Signer(KEY)!r}"
    assert SECRET.hex() not in shown
    assert repr(SECRET)[2:20] not in shown
    assert pickle.loads(pickle.dumps(KEY)) == KEY  # noqa: S301 - our own: to processes that simulate


@given(office=ids, kiosk=st.just("") | ids, secret=secrets)
def test_a_new_key_has_an_id_of_its_own_that_names_its_office(office: str, kiosk: str, secret: bytes) -> None:
    key = named(office, kiosk, secret)
    assert read_keys(key.line) == (key,)
    assert key.id.startswith(office[:51])
    assert key.id.endswith(f".{key.fingerprint[:12]}")
    assert key.id != named(office, kiosk, bytes([secret[0] ^ 1]) + secret[1:]).id


def test_a_ring_gives_the_secrets_that_it_has() -> None:
    assert Keyring([KEY]).secret(KEY.id) == SECRET
    with pytest.raises(KeyError):
        NO_KEYS.secret(KEY.id)
