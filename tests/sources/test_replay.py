"""Replays into a real Kafka."""

import dataclasses
import json
import math
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from attente.broker.admin import connect
from attente.broker.local import LocalBroker
from attente.broker.topics import apply, with_prefix
from attente.errors import BadInput, Unreachable
from attente.model.events import decode
from attente.model.instants import milliseconds
from attente.model.partitioning import partition_of
from attente.model.signatures import HEADER, Signer
from attente.model.topics import EVENTS, topics
from attente.settings import prefixed
from attente.sources.pace import span_of
from attente.sources.replay import BadLines, ReplaySettings, replay, span_of_lines
from attente.sources.target import Times
from signed import key_of
from sources.event_lines import BEGIN, SECOND, visits
from sources.topic_content import content

HOUR = 3_600 * SECOND


@pytest.fixture
def archive(broker: LocalBroker, make_topics: Callable[..., str]) -> ReplaySettings:
    """Settings of a replay into a fresh archive of 4 partitions."""
    return ReplaySettings(broker=broker.bootstrap, topic=prefixed(EVENTS, make_topics(archive=True)))


@pytest.fixture
def live(broker: LocalBroker, topics_prefix: str) -> ReplaySettings:
    """Settings of a replay into a fresh live topic of 4 partitions."""
    return ReplaySettings(broker=broker.bootstrap, topic=prefixed(EVENTS, topics_prefix), times=Times.LIVE)


def having(settings: ReplaySettings, **changes: object) -> ReplaySettings:
    return dataclasses.replace(settings, **changes)  # type: ignore[arg-type]


def values(settings: ReplaySettings) -> Counter[bytes]:
    return Counter(record.value for record in content(settings.broker, settings.topic))


def test_an_archive_holds_every_line_once_with_its_office_as_key_and_its_own_time(archive: ReplaySettings) -> None:
    lines = visits(12_000)  # more than may be on their way at once
    told = replay(lines, archive)
    found = content(archive.broker, archive.topic)
    assert Counter(record.value for record in found) == Counter(lines)
    for record in found:
        event = decode(record.value)
        assert record.key == event.office.encode()
        assert record.partition == partition_of(record.key, 4)
        assert record.timestamp == milliseconds(event.time)
    assert told.sent == 24_000
    assert told.partitions == dict(Counter(record.partition for record in found))
    assert (told.skipped, told.next_line, told.stopped, told.shift_ms) == (0, 24_001, False, 0)


def test_the_events_of_an_office_keep_their_order(archive: ReplaySettings) -> None:
    lines = visits(3_000)
    replay(lines, archive)
    sent, found = defaultdict(list), defaultdict(list)
    for line in lines:
        sent[decode(line).office].append(line)
    for record in content(archive.broker, archive.topic):
        found[record.key.decode()].append(record.value)
    assert found == sent


def test_progress_is_told_up_to_the_last_line(archive: ReplaySettings) -> None:
    told: list[int] = []
    replay(visits(10), archive, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 20


def test_no_lines_are_no_error(archive: ReplaySettings) -> None:
    told = replay([], archive)
    assert (told.sent, told.next_line, told.partitions) == (0, 1, {})


def test_the_largest_event_that_a_topic_takes_is_sent(archive: ReplaySettings) -> None:
    event = json.loads(visits(1)[0])
    room = (1 << 20) - 128 - len(event["office"]) - len(json.dumps({**event, "note": ""}))
    line = json.dumps({**event, "note": "x" * room}).encode()
    assert replay([line], archive).sent == 1
    assert values(archive) == Counter([line])


def test_a_live_replay_ends_now_and_no_event_comes_before_it_happens(live: ReplaySettings) -> None:
    #  20 h of tape, as fast as possible: what is now the last event was the last one before
    lines = visits(20, every_ms=HOUR)
    told = replay(lines, having(live, span=span_of_lines(lines, live)))
    found = content(live.broker, live.topic)
    assert told.sent == len(found) == 40
    for record in found:
        assert milliseconds(decode(record.value).time) <= record.timestamp
    moved = sorted(milliseconds(decode(record.value).time) for record in found)
    was = sorted(milliseconds(decode(line).time) for line in lines)
    assert {became - at for became, at in zip(moved, was, strict=True)} == {told.shift_ms}


def test_a_live_replay_at_speed_1_begins_now(live: ReplaySettings) -> None:
    told = replay(visits(2, every_ms=200), having(live, speed=1.0))
    found = sorted(content(live.broker, live.topic), key=lambda record: decode(record.value).time)
    times = [milliseconds(decode(record.value).time) for record in found]
    assert times == [BEGIN + told.shift_ms + step for step in (0, 100, 200, 300)]
    assert all(at <= record.timestamp for at, record in zip(times, found, strict=True))
    assert told.seconds >= 0.3 - 0.002


def test_a_live_replay_is_paced_by_the_tape(live: ReplaySettings) -> None:
    #  an hour in 0.36 s
    lines = visits(2, every_ms=HOUR)
    told = replay(lines, having(live, speed=10_000.0, span=span_of_lines(lines, live)))
    assert told.seconds >= 1.5 * 0.36 - 0.002


def test_no_more_events_a_second_are_sent_than_asked_for(archive: ReplaySettings) -> None:
    told = replay(visits(50), having(archive, max_rate=200.0))
    assert told.sent == 100
    assert told.seconds >= 99 / 200 - 0.002


def test_an_archive_is_not_replayed_into_a_live_topic(live: ReplaySettings) -> None:
    with pytest.raises(Unreachable, match=r"LogAppendTime, an archive replay needs CreateTime; replay with --live"):
        replay(visits(1), having(live, times=Times.ARCHIVE))
    assert not values(live)


def test_a_live_replay_does_not_go_into_an_archive(archive: ReplaySettings) -> None:
    with pytest.raises(Unreachable, match=r"CreateTime, a live replay needs LogAppendTime; replay with --archive"):
        replay(visits(1), having(archive, times=Times.LIVE, speed=1.0))
    assert not values(archive)


def test_an_archive_is_not_replayed_into_a_topic_that_would_delete_it(archive: ReplaySettings) -> None:
    with connect(archive.broker) as admin:
        assert admin.set_config(archive.topic, {"retention.ms": "604800000"}) is None
        while admin.topics([archive.topic])[archive.topic].config["retention.ms"] == "-1":
            """The broker answers before it has taken notice."""
    with pytest.raises(Unreachable, match=r"deletes what is older than 604800000 ms"):
        replay(visits(1), archive)


def test_a_topic_that_is_not_there_is_not_created_by_the_way(archive: ReplaySettings) -> None:
    elsewhere = having(archive, topic="nowhere.events")
    with pytest.raises(Unreachable, match=r"there is no topic nowhere\.events; create it with `attente topics apply"):
        replay(visits(1), elsewhere)
    with connect(archive.broker) as admin:
        assert "nowhere.events" not in admin.topic_names()


def test_a_topic_of_another_number_of_partitions_is_refused_when_the_number_matters(archive: ReplaySettings) -> None:
    with pytest.raises(Unreachable, match=r"has 4 partitions, not 12"):
        replay(visits(1), having(archive, partitions=12))
    assert replay(visits(1), having(archive, partitions=4)).sent == 2


def test_a_broker_that_does_not_answer_is_told_apart_from_a_bad_file() -> None:
    with pytest.raises(Unreachable, match=r"no Kafka broker at 127\.0\.0\.1:1"):
        replay(visits(1), ReplaySettings(broker="127.0.0.1:1"))


def test_a_line_that_is_no_event_stops_the_replay_after_what_came_before_it(archive: ReplaySettings) -> None:
    lines = visits(10)
    broken = [*lines[:13], lines[13].replace(b"ticket.called", b"ticket.sold"), *lines[14:]]
    with pytest.raises(BadInput) as caught:
        replay(broken, having(archive, name="day.ndjson"))
    assert re.fullmatch(
        r"day\.ndjson:14:2: unknown_type: .*; correct it: 13 events are in the topic; go on with --from-line 14",
        str(caught.value),
    )
    assert values(archive) == Counter(lines[:13])
    replay(lines, having(archive, first_line=14))
    assert values(archive) == Counter(lines)


def test_lines_that_are_no_events_are_told_and_skipped_when_asked(archive: ReplaySettings) -> None:
    lines = visits(2)
    told: list[BadInput] = []
    report = replay(
        [b"", lines[0], b"[]", *lines[1:]], having(archive, bad_lines=BadLines.SKIP, name="x"), refused=told.append
    )
    assert [str(error).split(": ")[:2] for error in told] == [["x:1:1", "empty"], ["x:3:1", "not_an_object"]]
    assert (report.sent, report.skipped) == (4, 2)
    assert values(archive) == Counter(lines)


def test_raw_lines_are_sent_as_they_are_and_do_not_carry_the_archives_time_away(archive: ReplaySettings) -> None:
    lines = visits(2)
    raw = [b"?", *lines, b'{"office":"office-1","time":"2099-01-01T00:00:00Z"}', b"\xff\xfe", b""]
    report = replay(raw, having(archive, bad_lines=BadLines.SEND))
    found = content(archive.broker, archive.topic)
    assert report.sent == len(raw)
    assert Counter(record.value for record in found) == Counter(raw)
    assert {record.value: record.key for record in found if record.value not in lines} == {
        b"?": b"",
        raw[5]: b"office-1",
        b"\xff\xfe": b"",
        b"": b"",
    }
    newest = milliseconds(decode(lines[-1]).time)
    assert max(record.timestamp for record in found) == newest


def test_a_raw_line_before_the_first_event_waits_for_nothing(archive: ReplaySettings) -> None:
    report = replay([b"?", *visits(1)], having(archive, bad_lines=BadLines.SEND, speed=100.0))
    assert report.sent == 3


def test_a_replay_that_is_stopped_says_from_where_to_go_on(archive: ReplaySettings) -> None:
    lines = visits(100)
    stop = threading.Event()

    def stopped_at_150() -> Iterator[bytes]:
        for number, line in enumerate(lines, 1):
            if number == 151:
                stop.set()
            yield line

    told = replay(stopped_at_150(), archive, stop=stop)
    assert (told.sent, told.next_line, told.stopped) == (150, 151, True)
    assert values(archive) == Counter(lines[:150])
    replay(lines, having(archive, first_line=told.next_line))
    assert values(archive) == Counter(lines)


class SetWhenWaitedFor(threading.Event):
    """Somebody presses Ctrl-C as soon as nothing happens any more."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return super().wait(timeout)


def test_a_stop_ends_the_wait_for_an_event_that_is_not_due(archive: ReplaySettings) -> None:
    told = replay(visits(2, every_ms=1_000 * HOUR), having(archive, speed=1.0), stop=SetWhenWaitedFor())
    assert told.stopped
    assert told.sent == told.next_line - 1 == 1


def test_a_live_replay_of_more_than_the_horizon_is_refused_before_anything_is_sent() -> None:
    lines = visits(26, every_ms=HOUR)
    settings = ReplaySettings(broker="127.0.0.1:1", times=Times.LIVE, name="day.ndjson")
    with pytest.raises(BadInput, match=r"^day\.ndjson: at this speed .* 25\.5 h old .* horizon of 24 h; use --speed 1"):
        replay(lines, having(settings, span=span_of_lines(lines, settings)))


def test_a_live_replay_slower_than_time_is_refused() -> None:
    with pytest.raises(BadInput, match=r"speed 0\.5 would send events before they happen; use --speed 1 or more"):
        replay(visits(1), ReplaySettings(broker="127.0.0.1:1", times=Times.LIVE, speed=0.5, span=span_of([1, 2])))


def test_a_faster_live_replay_without_its_span_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="needs the span"):
        replay(visits(1), ReplaySettings(broker="127.0.0.1:1", times=Times.LIVE, speed=math.inf))


def test_the_span_of_lines_counts_events_alone_where_others_are_no_matter() -> None:
    settings = ReplaySettings(broker="127.0.0.1:1", bad_lines=BadLines.SKIP)
    assert span_of_lines([b"?", *visits(1)], settings) == span_of([BEGIN, BEGIN + 500])
    with pytest.raises(BadInput, match=r"^-:1:1: not_json"):
        span_of_lines([b"?"], having(settings, bad_lines=BadLines.STOP))


@pytest.fixture
def own_broker(broker: LocalBroker, tmp_path: Path) -> Iterator[LocalBroker]:
    """A broker that a test may stop; the session's has fetched what it needs."""
    with LocalBroker(tmp_path / "broker") as started:
        with connect(started.bootstrap) as admin:
            apply(admin, with_prefix(topics(4, archive=True), "archive."))
            apply(admin, with_prefix(topics(4), "live."))
        yield started


def with_an_outage(lines: list[bytes], broker: LocalBroker) -> Iterator[bytes]:
    """Lines during which the broker goes away and comes back; some thousand are on their way to nowhere."""
    for number, line in enumerate(lines):
        if number == 3_000:
            broker.down()
        if number == 6_000:
            broker.up()
        yield line


def test_a_broker_that_is_away_for_a_while_costs_a_live_replay_nothing(own_broker: LocalBroker) -> None:
    lines = visits(4_000)
    settings = ReplaySettings(broker=own_broker.bootstrap, topic="live.events", times=Times.LIVE)
    told = replay(with_an_outage(lines, own_broker), having(settings, span=span_of_lines(lines, settings)))
    assert told.sent == 8_000
    found = Counter(decode(record.value).id for record in content(settings.broker, settings.topic))
    assert found == Counter(decode(line).id for line in lines)


def test_a_broker_that_is_away_for_a_while_loses_nothing_of_an_archive(own_broker: LocalBroker) -> None:
    lines = visits(4_000)
    settings = ReplaySettings(broker=own_broker.bootstrap, topic="archive.events")
    assert replay(with_an_outage(lines, own_broker), settings).sent == 8_000
    # Some may be there twice: a broker that starts takes a producer for gone whose last record is older than a day,
    # as all of an archive are, and with it forgets what it has of it.
    assert set(values(settings)) == set(lines)


def test_a_broker_that_stays_away_ends_the_replay_with_the_line_from_which_to_go_on(own_broker: LocalBroker) -> None:
    lines = visits(4_000)
    settings = ReplaySettings(broker=own_broker.bootstrap, topic="archive.events", delivery_timeout_s=3.0)

    def until_it_is_gone() -> Iterator[bytes]:
        for number, line in enumerate(lines):
            if number == 3_000:
                own_broker.down()
            yield line

    with pytest.raises(Unreachable) as caught:
        replay(until_it_is_gone(), settings)
    said = re.search(
        r"the record of line (\d+) failed: .*; (\d+) events are in the topic; go on with .*-line (\d+)$",
        str(caught.value),
    )
    assert said is not None, caught.value
    failed, sent, resume = map(int, said.groups())
    assert failed == resume == sent + 1 <= 3_001
    own_broker.up()
    replay(lines, having(settings, first_line=resume))
    found = values(settings)
    assert set(found) == set(lines)
    # What was on its way may be there twice: the workers know it for a duplicate.
    assert all(count == 1 for line, count in found.items() if lines.index(line) + 1 < resume)


def test_a_replay_with_keys_signs_what_it_sends_and_tells_how_much(live: ReplaySettings) -> None:
    lines = visits(20)
    offices = sorted({decode(line).office for line in lines})
    keys = tuple(key_of(office) for office in offices[:-1])  # the last one has none
    told = replay(lines, having(live, keys=keys, shift_ms=time.time_ns() // 1_000_000 - BEGIN - 60_000))
    found = content(live.broker, live.topic)
    signers = {key.office: Signer(key) for key in keys}
    signed = [record for record in found if record.headers]
    assert told.signed == len(signed) > 0
    assert told.sent == len(found)
    for record in found:
        signer = signers.get(record.key.decode())
        # Of the value as it was sent: a live replay moves it.
        assert list(record.headers) == ([] if signer is None else [(HEADER, signer.sign(record.value))])
    assert {record.key.decode() for record in found if not record.headers} == {offices[-1]}
