"""One name, one worker: whoever is pushed out of the group by a namesake ends.

A worker is a static member, known to the group by its name, so that a restart takes its partitions back at once. When
two processes bear one name, the broker gives the place to whoever joins last. aiokafka 0.14 does not send the name with
heartbeats and commits, so it learns only that its member id is unknown, joins anew, and pushes the other one out, for
ever. Here such an answer is followed by the question that Kafka's own client asks with every heartbeat: is somebody
else behind my name? After a session that has timed out nobody is, and joining anew is right.
"""

from typing import Any, Final

import aiokafka.consumer.consumer as consuming
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import GroupAuthorizationFailedError, UnknownMemberIdError
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.commit import OffsetCommitRequest
from aiokafka.protocol.group import HeartbeatResponse_v1
from aiokafka.protocol.types import Int32, Schema, String

from attente.engine.exits import end
from attente.engine.rights import FORBIDDEN
from attente.errors import Unreachable

FENCED_INSTANCE_ID: Final = 82
"""Kafka's error code for a static member whose place another process has taken; aiokafka 0.14 has no name for it."""


class NameTaken(Unreachable):
    """The broker no longer takes this worker for the one that bears its name."""


class _Heard(Response):  # type: ignore[misc]
    API_KEY = 12
    API_VERSION = 3
    SCHEMA = HeartbeatResponse_v1.SCHEMA


class _Said(RequestStruct):  # type: ignore[misc]
    API_KEY = 12
    API_VERSION = 3
    RESPONSE_TYPE = _Heard
    SCHEMA = Schema(
        ("group", String("utf-8")),
        ("generation_id", Int32),
        ("member_id", String("utf-8")),
        ("group_instance_id", String("utf-8")),
    )


class NamedHeartbeat(Request[_Said]):  # type: ignore[misc]
    """A heartbeat with the member's name, which aiokafka's own lacks."""

    API_KEY = 12

    def __init__(self, group: str, generation: int, member: str, name: str) -> None:
        self._fields = (group, generation, member, name)

    def build(self, request_struct_class: type[_Said]) -> _Said:
        """The request in one version of the protocol."""
        return request_struct_class(*self._fields)


class Membership(GroupCoordinator):  # type: ignore[misc]
    """aiokafka's coordinator, which ends the process when a namesake has taken its place."""

    async def _push_error_to_user(self, exc: BaseException) -> Any:
        # Whoever reads would see it at the next fetch, and try again.
        if isinstance(exc, FORBIDDEN):
            end(exc)
        return await super()._push_error_to_user(exc)

    async def _send_req(self, request: Any) -> Any:
        response = await super()._send_req(request)
        codes = _codes(request, response)
        if UnknownMemberIdError.errno in codes and self.member_id and self._group_instance_id:
            asked = NamedHeartbeat(self.group_id, self.generation, self.member_id, self._group_instance_id)
            codes |= _codes(asked, await super()._send_req(asked))
        if GroupAuthorizationFailedError.errno in codes:
            end(GroupAuthorizationFailedError(self.group_id))
        if FENCED_INSTANCE_ID in codes:
            message = (
                f"another worker of the group {self.group_id} bears the name {self._group_instance_id}; "
                "give each its own with --worker"
            )
            end(NameTaken(message))
        return response


def _codes(request: Any, response: Any) -> set[int]:
    """The error codes of an answer of the group's coordinator."""
    if isinstance(request, OffsetCommitRequest):
        return {code for _, partitions in response.topics for _, code in partitions}
    return {getattr(response, "error_code", 0)}


def install() -> None:
    """Make aiokafka's consumers members of this kind."""
    consuming.GroupCoordinator = Membership
