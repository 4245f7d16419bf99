"""`attente deadletters` on a real broker: what it tells, and what it sends again."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from attente.broker.local import LocalBroker
from attente.model.partitioning import partition_of
from attente.model.reasons import Reason
from attente.model.records import DeadLetter, read_dead_letter
from attente.model.topics import DEADLETTERS, EVENTS
from attente.settings import prefixed
from commands import Said, attente
from sources.dead_letters import BEGIN, body, written
from sources.registry_of_lille import LILLE_YAML
from sources.topic_content import content

LILLE_HOME = partition_of(b"lille", 4)


def run(*arguments: str) -> Said:
    return attente("deadletters", *arguments)


class Post:
    """The topics of one network, and the command on them.

    Attributes:
        events, letters: the topics' names.
    """

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.bootstrap = bootstrap
        self.prefix = prefix
        self.events = prefixed(EVENTS, prefix)
        self.letters = prefixed(DEADLETTERS, prefix)

    def put(self, letters: Iterable[DeadLetter]) -> None:
        """Write letters, each where the worker of its partition does."""
        producer = KafkaProducer(bootstrap_servers=self.bootstrap, compression_type="gzip", max_request_size=64 << 20)
        for letter in letters:
            number = int(letter.key.split(b"/")[1])
            producer.send(self.letters, letter.value, key=letter.key, partition=number, headers=list(letter.headers))
        producer.flush()
        producer.close()

    def refused(self, offset: int, value: bytes | None, **more: Any) -> DeadLetter:
        """A letter of an event of this network."""
        return written(offset, value, topic=self.events, **more)

    def call(self, *arguments: str) -> dict[str, Any]:
        """What the command tells as JSON."""
        found = run(*arguments, "--json", "--broker", self.bootstrap, "--prefix", self.prefix)
        assert found.returncode == 0, found.stderr
        told: dict[str, Any] = json.loads(found.stdout)
        return told

    def say(self, *arguments: str) -> Said:
        """What the command tells a person."""
        return run(*arguments, "--broker", self.bootstrap, "--prefix", self.prefix)

    def sent(self) -> list[Any]:
        """The events that lie in the log."""
        return content(self.bootstrap, self.events)


@pytest.fixture
def post(broker: LocalBroker, make_topics: Callable[..., str]) -> Post:
    return Post(broker.bootstrap, make_topics(archive=True))


def test_letters_are_counted_by_reason_and_office_and_one_that_lies_there_twice_once(post: Post) -> None:
    twice = post.refused(5, body("lille"), at=BEGIN)
    post.put([twice, post.refused(6, body("lille"), at=BEGIN + 1000, detail="the newest"), twice])
    post.put([post.refused(1, b"no JSON", partition=1, at=BEGIN + 2000, reason=Reason.NOT_JSON, key=None)])

    told = post.call("list")
    assert told["letters"] == 3
    assert [(g["reason"], g["office"], g["letters"]) for g in told["groups"]] == [
        ("not_json", "", 1),
        ("unknown_office", "lille", 2),
    ]
    assert told["groups"][1]["newest"]["origin"] == f"{post.events}/0/6"
    assert told["groups"][1]["newest"]["detail"] == "the newest"
    assert post.call("list", "--office", "lille", "--to", "2026-03-10T08:00:01Z")["letters"] == 1
    assert post.call("list", "--partition", "1")["letters"] == 1
    assert post.call("list", "--source", "/offices/lille/kiosks/1")["letters"] == 2
    assert post.call("list", "--source", "/offices/lille/kiosks/2")["letters"] == 0
    assert post.call("list", "--from", "1h")["letters"] == 0

    said = post.say("list", "--limit", "1")
    assert said.returncode == 0, said.stderr
    lines = said.stdout.splitlines()
    assert [line.split() for line in lines[:2]] == [
        ["letters", "sent", "again", "reason", "office", "newest", "event"],
        ["1", "0", "not_json", "-", "2026-03-10T08:00:02.000Z", f"{post.events}/1/1"],
    ]
    assert lines[-1] == "3 dead letters in 2 groups, 1 of them shown; --limit shows more"


def test_one_letter_is_shown_whole_with_the_bytes_as_text_or_in_hexadecimal_digits(post: Post) -> None:
    noise = bytes(range(250, 256)) * 4
    post.put([post.refused(1, body("lille")), post.refused(2, noise, key=b"\xff", reason=Reason.NOT_JSON)])

    said = post.say("show", "0/1").stdout
    assert f"origin       {post.events}/0/1\n" in said
    assert "reason       unknown_office\n" in said
    assert "by version   0.1.0\n" in said
    assert said.endswith(f"\n{body('lille').decode()}\n")
    said = post.say("show", f"{post.events}/0/2").stdout
    assert "key          00000000  ff" in said
    assert "value        24 bytes\n00000000  fa fb fc fd fe ff fa fb fc fd fe ff fa fb fc fd  ......" in said
    told = post.call("show", "0/2")
    assert (told["key"], told["value"]) == ({"hex": "ff"}, {"hex": noise.hex()})

    none = post.say("show", "0/3")
    assert none.returncode == 1
    assert none.stderr == (
        f"attente: {post.bootstrap}: no dead letter of {post.events}/0/3; `attente deadletters list --partition 0` "
        "tells which there are\n"
    )


def test_events_are_sent_again_as_they_were_to_the_partition_of_their_key_and_only_once(
    post: Post, tmp_path: Path
) -> None:
    stray = (LILLE_HOME + 1) % 4
    large = body("lille", 3, padding="x" * (3 << 20))
    post.put(
        [
            post.refused(1, body("lille", 1), at=BEGIN + 1),
            post.refused(2, body("lille", 2), partition=stray, at=BEGIN + 2, reason=Reason.WRONG_PARTITION),
            post.refused(3, large, at=BEGIN + 3),
            post.refused(4, b"no JSON", reason=Reason.NOT_JSON),
            post.refused(5, body("lille", 5), key=b"pune", reason=Reason.WRONG_KEY),
            post.refused(6, body("pune", 6), key=b"pune"),
        ]
    )
    registry = tmp_path / "registry.yaml"
    registry.write_text(LILLE_YAML)
    flags = ("replay", "--registry", str(registry))
    left = {"not_json": 1, "unknown_office": 1, "wrong_key": 1}

    dry = post.call(*flags, "--dry-run")
    assert (dry["sent"], dry["hopeless"], post.sent()) == (3, left, [])
    done = post.call(*flags)
    assert (done["matching"], done["sent"], done["hopeless"]) == (6, 3, left)
    assert done["partitions"] == {str(LILLE_HOME): 3}
    lying = {record.value: record for record in post.sent()}
    assert lying.keys() == {body("lille", 1), body("lille", 2), large}
    assert {(record.key, record.partition) for record in lying.values()} == {(b"lille", LILLE_HOME)}
    assert lying[body("lille", 2)].timestamp == BEGIN + 2  # an archive keeps its time

    again = post.call(*flags)
    assert (again["sent"], again["before"], again["hopeless"]) == (0, 3, left)
    assert len(post.sent()) == 3
    told = post.call("list")
    assert told["letters"] == 6
    assert sum(group["sent_again"] for group in told["groups"]) == 3
    place = lying[body("lille", 1)]
    assert post.call("show", "0/1")["replayed_to"] == f"{post.events}/{place.partition}/{place.offset}"


def test_what_is_refused_once_more_is_sent_again_only_when_that_is_asked_for_and_never_in_circles(post: Post) -> None:
    post.put([post.refused(100, body("lille"))])
    assert post.call("replay")["sent"] == 1
    (event,) = post.sent()
    # The worker refuses it once more: a letter of the place where it stands now.
    post.put([post.refused(event.offset, event.value, partition=event.partition)])
    for _ in range(2):
        told = post.call("replay")
        assert (told["sent"], told["before"], told["replays"]) == (0, 1, 1)
    assert len(post.sent()) == 1

    told = post.call("replay", "--again")
    assert (told["sent"], told["before"]) == (1, 1)
    assert len(post.sent()) == 2
    assert post.call("replay", "--again")["sent"] == 0


def test_no_more_than_the_limit_is_sent_and_the_rest_is_sent_the_next_time(post: Post) -> None:
    post.put([post.refused(i, body("lille", i), at=BEGIN + i) for i in range(3)])
    said = post.say("replay", "--limit", "2")
    assert said.stdout.splitlines() == [
        "3 dead letters match",
        f"sent 2 events to {post.events}: 2 in partition {LILLE_HOME}",
        "left out 1: beyond --limit",
    ]
    assert [record.value for record in post.sent()] == [body("lille", 0), body("lille", 1)]
    assert post.call("replay")["sent"] == 1
    assert len(post.sent()) == 3


def test_a_note_reads_as_the_letter_that_it_is_beside(post: Post) -> None:
    letter = post.refused(1, body("lille"))
    post.put([letter])
    post.call("replay")
    first, note = (read_dead_letter(r.key, r.value, r.headers) for r in content(post.bootstrap, post.letters))
    assert note.replayed_to == f"{post.events}/{LILLE_HOME}/0"
    assert first == type(first)(**{f: getattr(note, f) for f in note.__slots__ if f != "replayed_to"})


def test_records_that_are_no_letters_are_passed_over_and_told(post: Post) -> None:
    producer = KafkaProducer(bootstrap_servers=post.bootstrap)
    producer.send(post.letters, b"noise", key=b"noise", partition=2)
    producer.close()
    post.put([post.refused(1, body("lille"))])
    said = post.say("list").stdout.splitlines()[-1]
    assert said == (
        f"passed over, being no dead letter: 1 record, the last {post.letters}/2/0: no dead letter: header topic is "
        "missing"
    )
    assert post.call("list")["letters"] == 1


# --- what goes wrong


@pytest.mark.parametrize("command", [("list",), ("show", "0/1"), ("replay",)])
def test_a_broker_that_is_not_there_is_one_line_and_exit_code_four(command: tuple[str, ...]) -> None:
    found = run(*command, "--broker", "127.0.0.1:1")
    assert (found.returncode, found.stdout) == (4, "")
    assert found.stderr.startswith(
        "attente: no Kafka broker at 127.0.0.1:1 (connection refused); start a local one with "
    )
    assert found.stderr.count("\n") == 1


def test_topics_that_are_not_there_are_one_line_and_exit_code_four(broker: LocalBroker) -> None:
    found = run("list", "--broker", broker.bootstrap, "--prefix", "nowhere.")
    assert found.returncode == 4
    assert found.stderr == (
        f"attente: {broker.bootstrap}: there is no topic nowhere.deadletters; create it with `attente topics apply`\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "--reason", "not_jason"), "'not_jason' is not one of"),
        (("list", "--from", "yesterday"), '"yesterday" is no RFC 3339 instant'),
        (("list", "--from", "2026-03-10T08:00:00"), "carries no offset"),
        (("show", "attente.events/3"), "'attente.events/3' is no place; write attente.events/3/4711, or 3/4711"),
        (("show", "a/b/3/4"), "is no place"),
        (("show",), "Missing argument 'ORIGIN'"),
        (("replay", "--limit", "0"), "Invalid value for '--limit'"),
    ],
)
def test_a_wrong_argument_is_a_usage_error(arguments: tuple[str, ...], said: str) -> None:
    found = run(*arguments)
    assert found.returncode == 2
    assert said in found.stderr


def test_a_registry_that_is_not_there_is_one_line_and_exit_code_five(tmp_path: Path) -> None:
    found = run("replay", "--registry", str(tmp_path / "none.yaml"))
    assert found.returncode == 5
    assert found.stderr.startswith(f"attente: {tmp_path / 'none.yaml'}: ")
    assert found.stderr.count("\n") == 1
