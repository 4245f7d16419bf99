"""Dead letters and manifests: what is written can be read back, and nothing else is taken for one."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attente.model.reasons import Reason
from attente.model.records import (
    DeadLetter,
    DeadLetterRecord,
    Manifest,
    Origin,
    dead_letter,
    encode_manifest,
    read_dead_letter,
    read_manifest,
    replayed,
)

ORIGIN = Origin("attente.events", 7, 4711, 1_795_421_643_120)


def letter(key: bytes | None = b"75-nation", value: bytes | None = b"{}", detail: str = "no") -> DeadLetter:
    return dead_letter(ORIGIN, key=key, value=value, reason=Reason.WRONG_KEY, detail=detail, version="0.1.0")


def read(sent: DeadLetter) -> DeadLetterRecord:
    return read_dead_letter(sent.key, sent.value, sent.headers)


# ---- dead letters


@given(
    key=st.none() | st.binary(max_size=50),
    value=st.none() | st.binary(max_size=200),
    reason=st.sampled_from(Reason),
    detail=st.text(max_size=200),
    partition=st.integers(0, 2**31 - 1),
    offset=st.integers(0, 2**63 - 1),
    timestamp=st.integers(0, 2**42),
)
def test_a_dead_letter_is_read_back_byte_for_byte(
    key: bytes | None, value: bytes | None, reason: Reason, detail: str, partition: int, offset: int, timestamp: int
) -> None:
    origin = Origin("attente.events", partition, offset, timestamp)
    found = read(dead_letter(origin, key=key, value=value, reason=reason, detail=detail, version="0.1.0"))
    assert (found.origin, found.key, found.value) == (origin, key, value)
    assert (found.reason, found.version) == (reason, "0.1.0")
    assert found.detail.isprintable()
    if detail.isprintable():
        assert found.detail == detail


def test_the_value_is_the_original_one_and_everything_else_stands_in_headers() -> None:
    sent = letter(value=b"\x00\xffnot json")
    assert sent.value == b"\x00\xffnot json"
    assert sent.key == b"attente.events/7/4711"
    assert dict(sent.headers) == {
        "reason": b"wrong_key",
        "detail": b"no",
        "topic": b"attente.events",
        "partition": b"7",
        "offset": b"4711",
        "timestamp": b"1795421643120",
        "version": b"0.1.0",
        "key": b"75-nation",
    }


def test_a_record_without_a_value_and_one_with_an_empty_value_stay_apart() -> None:
    assert (letter(value=None).value, read(letter(value=None)).value) == (b"", None)
    assert (letter(value=b"").value, read(letter(value=b"")).value) == (b"", b"")


def test_a_record_without_a_key_and_one_with_an_empty_key_stay_apart() -> None:
    assert read(letter(key=None)).key is None
    assert read(letter(key=b"")).key == b""


def test_the_same_record_refused_twice_is_the_same_letter() -> None:
    assert letter() == letter()


def test_a_detail_of_any_length_leaves_room_for_the_event() -> None:
    found = read(letter(detail="x" * 3_000_000))
    assert found.detail == "x" * 1000 + "… (3000000 characters)"


def test_a_reason_and_headers_of_a_newer_worker_are_readable() -> None:
    headers = [(name, b"too_clever" if name == "reason" else content) for name, content in letter().headers]
    found = read_dead_letter(letter().key, b"{}", [*headers, ("colour", b"red"), ("nothing", None)])
    assert found.reason == "too_clever"


@pytest.mark.parametrize("name", ["reason", "detail", "topic", "partition", "offset", "timestamp", "version"])
def test_a_record_without_one_of_the_headers_is_no_dead_letter(name: str) -> None:
    headers = [header for header in letter().headers if header[0] != name]
    with pytest.raises(ValueError, match=f"^no dead letter: header {name} is missing$"):
        read_dead_letter(letter().key, b"", headers)


@pytest.mark.parametrize("bad", [b"", b"-1", b"1_0", b" 7", "٣".encode(), b"seven"])
@pytest.mark.parametrize("name", ["partition", "offset", "timestamp"])
def test_a_header_that_should_be_a_number_is_one(name: str, bad: bytes) -> None:
    headers = [(n, bad if n == name else content) for n, content in letter().headers]
    with pytest.raises(ValueError, match=f"^no dead letter: header {name} .*is not a number$"):
        read_dead_letter(letter().key, b"", headers)


def test_a_header_is_utf_8() -> None:
    headers = [(n, b"\xff" if n == "detail" else content) for n, content in letter().headers]
    with pytest.raises(ValueError, match=r"^no dead letter: header detail b'\\xff' is not UTF-8$"):
        read_dead_letter(letter().key, b"", headers)


@pytest.mark.parametrize("key", [None, b"", b"attente.events/7/4712", b"attente.events/07/4711"])
def test_the_key_is_where_the_headers_say_that_the_record_comes_from(key: bytes | None) -> None:
    with pytest.raises(ValueError, match=r"^no dead letter: key .* is not b'attente\.events/7/4711'"):
        read_dead_letter(key, b"", letter().headers)


# ---- manifests

MANIFEST = Manifest(
    partition=7,
    offset=500_000,
    origin=0,
    first=120,
    last=131,
    chunks=3,
    checksum="00112233445566778899aabbccddeeff",
    size=1_400_000,
    format=1,
    horizon=86_400_000,
    registry="0123456789abcdef",
    worker="worker-1",
    id="0199-7",
    stream=1_795_421_643_120,
    slot=1,
)
ON_THE_WIRE: dict[str, object] = json.loads(encode_manifest(MANIFEST))


def test_a_manifest_is_read_back() -> None:
    assert read_manifest(encode_manifest(MANIFEST)) == MANIFEST


NUMBERS = ("partition", "offset", "origin", "first", "last", "n", "bytes", "format", "horizon", "stream", "slot")


def test_a_manifest_on_the_wire_has_the_short_names() -> None:
    assert set(ON_THE_WIRE) == {*NUMBERS, "sum", "registry", "worker", "id"}
    assert (ON_THE_WIRE["n"], ON_THE_WIRE["bytes"]) == (3, 1_400_000)
    assert ON_THE_WIRE["sum"] == MANIFEST.checksum


def test_two_slots_of_one_worker_and_two_workers_have_different_keys() -> None:
    assert MANIFEST.key == b"7/worker-1/1"
    assert msgspec.structs.replace(MANIFEST, slot=0).key == b"7/worker-1/0"
    assert msgspec.structs.replace(MANIFEST, worker="worker-2").key == b"7/worker-2/1"


@pytest.mark.parametrize("name", ON_THE_WIRE)
def test_a_manifest_that_lacks_anything_is_none(name: str) -> None:
    with pytest.raises(ValueError, match=f"^no manifest: .*`{name}`"):
        read_manifest(json.dumps({n: value for n, value in ON_THE_WIRE.items() if n != name}).encode())


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        *((name, -1) for name in NUMBERS),
        *((name, "7") for name in NUMBERS),
        *((name, None) for name in ON_THE_WIRE),
        ("n", 0),
        ("slot", 2),
        ("offset", 2**63),
        ("sum", "00"),
        ("sum", "00112233445566778899AABBCCDDEEFF"),
        ("sum", "00112233445566778899aabbccddeef\n"),
        ("worker", ""),
        ("id", ""),
    ],
)
def test_a_manifest_with_a_bad_value_is_none(name: str, bad: object) -> None:
    with pytest.raises(ValueError, match=rf"^no manifest: .*\$\.{name}"):
        read_manifest(json.dumps({**ON_THE_WIRE, name: bad}).encode())


def test_a_manifest_of_which_something_is_not_known_is_of_another_format() -> None:
    with pytest.raises(ValueError, match=r"^no manifest: .*unknown field `colour`"):
        read_manifest(json.dumps({**ON_THE_WIRE, "colour": "red"}).encode())


def test_chunks_fit_between_the_first_offset_and_the_last() -> None:
    assert read_manifest(json.dumps({**ON_THE_WIRE, "first": 120, "last": 122}).encode()).chunks == 3
    for first, last in ((120, 121), (131, 120)):
        with pytest.raises(ValueError, match="3 chunks do not fit between offsets"):
            read_manifest(json.dumps({**ON_THE_WIRE, "first": first, "last": last}).encode())


def test_a_history_begins_before_it_ends() -> None:
    assert read_manifest(json.dumps({**ON_THE_WIRE, "origin": 500_000}).encode()).origin == 500_000
    with pytest.raises(ValueError, match="origin 500001 lies after offset 500000"):
        read_manifest(json.dumps({**ON_THE_WIRE, "origin": 500_001}).encode())


@pytest.mark.parametrize("raw", [None, b"", b"null", b"[]", b"{", b"\xff", b"[" * 100_000, b'"' + b"x" * 5_000 + b'"'])
def test_anything_else_is_no_manifest_and_says_so_in_one_line(raw: bytes | None) -> None:
    with pytest.raises(ValueError, match=r"\Ano manifest: [^\n]{1,1100}\Z"):
        read_manifest(raw)


# ---- headers of the refused record

names = st.text(max_size=20)
headers = st.lists(st.tuples(names, st.none() | st.binary(max_size=50)), max_size=10).map(tuple)


@given(headers=headers)
def test_the_headers_of_a_refused_record_are_kept_in_order_whatever_they_are_called(
    headers: tuple[tuple[str, bytes | None], ...],
) -> None:
    sent = dead_letter(
        ORIGIN, key=b"k", value=b"{}", reason=Reason.UNSIGNED, detail="no", version="0.1.0", headers=headers
    )
    found = read(sent)
    assert found.headers == headers
    assert (found.key, found.value, found.reason, found.replayed_to) == (b"k", b"{}", "unsigned", "")


def test_a_header_cannot_pass_for_one_of_the_letters_own() -> None:
    posing = (("reason", b"empty"), ("key", b"other"), ("null", b""), ("replayed-to", b"x"), ("event:", b"y"))
    sent = dead_letter(
        ORIGIN, key=b"k", value=b"{}", reason=Reason.UNSIGNED, detail="no", version="0.1.0", headers=posing
    )
    found = read(sent)
    assert (found.reason, found.key, found.value, found.replayed_to) == ("unsigned", b"k", b"{}", "")
    assert found.headers == posing


def test_the_note_of_a_replay_keeps_the_headers() -> None:
    signed = (("attente-signature", b"a:b"),)
    sent = dead_letter(
        ORIGIN, key=b"k", value=b"{}", reason=Reason.UNKNOWN_KEY, detail="no", version="0.1.0", headers=signed
    )
    note = replayed(read(sent), ORIGIN)
    assert read(note).headers == signed
    assert read(note).replayed_to == ORIGIN.key.decode()


@pytest.mark.parametrize("others", [(("x", b"y"),) * 65, (("x", b"y" * (17 << 10)),)])
def test_of_very_many_or_very_long_headers_the_signature_alone_is_kept(
    others: tuple[tuple[str, bytes | None], ...],
) -> None:
    every = (*others, ("attente-signature", b"old"), ("attente-signature", b"a:b"))
    sent = dead_letter(
        ORIGIN, key=b"k", value=b"{}", reason=Reason.UNKNOWN_KEY, detail="no", version="0.1.0", headers=every
    )
    assert read(sent).headers == (("attente-signature", b"a:b"),)
