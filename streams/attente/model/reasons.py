"""Why an event is refused: the reason codes of the dead letters."""

from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """A reason code, stable for ever: vendors, alerts and dashboards read them."""

    EMPTY = "empty"
    """The record has no value."""
    NOT_JSON = "not_json"
    """The bytes are not one JSON value in UTF-8, or nest deeper than any reader should follow."""
    NOT_AN_OBJECT = "not_an_object"
    """The JSON value is not an object."""
    WRONG_SPECVERSION = "wrong_specversion"
    """`specversion` is missing or not "1.0"."""
    UNKNOWN_TYPE = "unknown_type"
    """`type` is missing, no string, or none of this model's."""
    MISSING_ATTRIBUTE = "missing_attribute"
    """An attribute that the type requires is not there."""
    BAD_ATTRIBUTE = "bad_attribute"
    """An attribute has the wrong JSON type, a value out of its list, range or length."""
    BAD_TIME = "bad_time"
    """`time`, `due` or `arrived` is no instant: not RFC 3339, or a date that does not exist."""
    NAIVE_TIME = "naive_time"
    """`time`, `due` or `arrived` carries no offset."""
    IMPLAUSIBLE_TIME = "implausible_time"
    """`arrived` lies after the ticket or over a day before it, or `due` lies over a week away."""
    WRONG_KEY = "wrong_key"
    """The record's key is not the event's office."""
    UNKNOWN_OFFICE = "unknown_office"
    """The registry has no such office."""
    WRONG_PARTITION = "wrong_partition"
    """The record is not in the partition that Kafka's murmur2 gives its key."""
    UNSIGNED = "unsigned"
    """The office's events must be signed, and the record has no signature."""
    UNKNOWN_KEY = "unknown_key"
    """The signature names a key that is none of the office's at the record's timestamp."""
    BAD_SIGNATURE = "bad_signature"
    """The signature does not fit the record's key and value, or is none."""
    FROM_THE_FUTURE = "from_the_future"
    """`time` is more than five minutes after the record's timestamp."""
    TOO_LATE = "too_late"
    """`time` is older than stream time less the horizon."""
    TOO_MANY_FACTS = "too_many_facts"
    """Of the ticket, or of the desk on this day, more is known already than any life has."""


REASONS = tuple(Reason)


class Refusal(ValueError):  # noqa: N818 - a refusal is an answer, and the word of the dead letters
    """An event that cannot be accepted.

    Attributes:
        reason: the code.
        detail: one line for a person: the attribute, the offending value, the remedy.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail


_SHOWN: Final = 60  # characters: enough to recognise a value, too few to fill a log


def shown(text: str, longest: int = _SHOWN) -> str:
    """A text for one line of a message: printable, because it comes from anywhere, and cut when it is long."""
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:longest])
    return line if len(text) <= longest else f"{line}… ({len(text)} characters)"
