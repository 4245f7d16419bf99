"""The broker: whether it answers, whether the topics are what they must be, and whether the clocks agree."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from attente.broker.admin import Admin, TopicState, connect
from attente.broker.topics import Change, Kind, plan, with_prefix
from attente.doctor.check import Check, fail, ok, warn
from attente.errors import AttenteError, Missing, Unreachable
from attente.model.instants import text_of
from attente.model.topics import CHECKPOINTS, DEADLETTERS, EVENTS, MANIFESTS, topics
from attente.registry.keyring import wanted
from attente.registry.load import load
from attente.security import BadSecurity
from attente.settings import Settings

STAMPED_BY_BROKER: Final = (EVENTS, MANIFESTS, CHECKPOINTS, DEADLETTERS)
AHEAD_MS: Final = 2_000
"""The broker's clock may be ahead of ours by so much before it is told: less says nothing but how busy we are."""

_TIMESTAMPS: Final = "message.timestamp.type"
_BEFORE_US: Final = datetime(2026, 1, 1, tzinfo=UTC)


def check_cluster(settings: Settings) -> Iterator[Check]:
    """The broker, every topic, the clock."""
    began = time.monotonic()
    try:
        with connect(settings.broker, settings.connection) as admin:
            yield _check_broker(admin, time.monotonic() - began)
            found = admin.topics(settings.topic(name) for name in STAMPED_BY_BROKER)
            yield from check_topics(admin, settings, found)
            yield from check_signed_times(settings, found.get(settings.topic(EVENTS)))
            stamps = [
                newest
                for topic, state in found.items()
                if state.config.get(_TIMESTAMPS) == "LogAppendTime" and (newest := admin.newest_ms(topic)) is not None
            ]
            yield check_clock(max(stamps, default=None), time.time_ns() // 1_000_000)
    except (BadSecurity, Missing):
        yield fail("broker", "not tried: there is something wrong with the settings of the connection", "see above")
    except Unreachable as error:
        said, _, remedy = str(error).partition("; ")
        yield fail("broker", said, remedy or "attente broker status, or name another with --broker HOST:PORT")
        yield check_clock(None, time.time_ns() // 1_000_000)


def _check_broker(admin: Admin, took_s: float) -> Check:
    version = admin.version()
    kafka = f"Kafka {version} (by the requests that it knows)" if version else "Kafka"
    return ok("broker", f"{kafka} at {admin.bootstrap}, cluster {admin.cluster_id()}, answers in {took_s:.2f} s")


def check_topics(admin: Admin, settings: Settings, found: dict[str, TopicState]) -> Iterator[Check]:
    """Every topic of the network against what it must be, given the partitions and the kind that the events have."""
    events = found.get(settings.topic(EVENTS))
    apply = f"attente topics apply --broker {settings.broker} --prefix {settings.topic_prefix}"
    if events is None:
        yield fail("topics", f"no topic {settings.topic(EVENTS)} at {settings.broker}", apply)
        return
    archive = events.config.get(_TIMESTAMPS) == "CreateTime"
    specs = topics(events.partitions, archive=archive, replication=events.replication)
    apply += f" --partitions {events.partitions} --replication {events.replication}{' --archive' if archive else ''}"
    for change in plan(admin, with_prefix(specs, settings.topic_prefix)):
        yield _of_topic(change, found.get(change.topic.name), apply)


def check_signed_times(settings: Settings, events: TopicState | None) -> Iterator[Check]:
    """Whether the timestamps by which signatures are judged are the broker's own.

    In an archive whoever writes a record says when it was written: before signatures were looked at, if need be, or
    while a key was still valid.
    """
    if events is None or events.config.get(_TIMESTAMPS) != "CreateTime" or settings.registry is None:
        return
    try:
        asked = wanted(load(settings.registry))
    except AttenteError:
        return  # told of the registry itself
    if asked:
        said = (
            f"{events.name} is an archive: whoever writes it dates its records, and so decides what a key is valid for"
        )
        yield warn("signatures", said, "trust them in a live topic alone, or leave signatures_from and until out")


def _of_topic(change: Change, found: TopicState | None, apply: str) -> Check:
    name = f"topic {change.topic.name}"
    if change.kind is Kind.CREATE or found is None:
        return fail(name, "is not there", apply)
    if change.kind is Kind.REFUSE:
        said, _, remedy = change.why.partition(": ")
        return fail(name, said, remedy or apply)
    if change.kind is Kind.SET:
        wrong = ", ".join(f"{one.setting} is {one.found}, not {one.wanted}" for one in change.differences)
        return fail(name, wrong, apply)
    kind = "an archive" if found.config.get(_TIMESTAMPS) == "CreateTime" else "live"
    shape = f"{found.partitions} partitions, {found.replication} copies of each, {kind}"
    return ok(name, f"{shape}; {change.why}" if change.why else shape)


def check_clock(newest_ms: int | None, now_ms: int) -> Check:
    """This machine's clock against the newest record that the broker has stamped with its own.

    Such a record cannot be of the future: if it seems to be, one of the clocks is wrong. How far ours is ahead cannot
    be seen without writing something.

    Args:
        newest_ms: that record's timestamp; None where there is none.
        now_ms: what our clock says.
    """
    now = text_of(now_ms)
    remedy = "set the clocks by NTP on both machines"
    if now_ms < _BEFORE_US.timestamp() * 1000:
        return fail("clock", f"it is {now} here, before this program was written", remedy)
    if newest_ms is None:
        return ok("clock", f"it is {now} here; the broker has stamped no record to compare it with")
    ahead = newest_ms - now_ms
    if ahead > AHEAD_MS:
        return warn("clock", f"it is {now} here, {ahead / 1000:,.1f} s behind the broker's newest record", remedy)
    return ok("clock", f"it is {now} here; the broker's newest record is {max(0, -ahead) / 1000:,.1f} s old")
