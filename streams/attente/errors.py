"""What a user of the command can be told, and the exit code each kind of trouble has.

Every error somebody can act on is an `AttenteError`: its message is one line with the offending value, the place and
the remedy, and the command prints that line alone and exits with the class's `exit_code`.
"""

from typing import ClassVar


class AttenteError(Exception):
    """Something went wrong that one line can explain; the command exits with `exit_code`."""

    exit_code: ClassVar[int] = 70


class CheckFailed(AttenteError):  # noqa: N818 - the name is what happened, as everywhere below
    """The thing asked about is not so: a check failed, an account does not balance."""

    exit_code: ClassVar[int] = 1


class BadInput(AttenteError):  # noqa: N818
    """A file or a setting has content that cannot be used."""

    exit_code: ClassVar[int] = 3


class Unreachable(AttenteError):  # noqa: N818
    """A broker or a Grafana does not answer, or refuses."""

    exit_code: ClassVar[int] = 4


class BrokerUnreachable(Unreachable):
    """Nothing answers as a Kafka broker at the address; it may later."""


class BrokerRefused(Unreachable):
    """The broker answers, and does not let us in, or does not do what it is asked."""


class Missing(AttenteError):  # noqa: N818
    """A file, a tool or an extra that is needed is not installed or not found."""

    exit_code: ClassVar[int] = 5


class Braked(AttenteError):  # noqa: N818
    """A worker refuses so many events that it stops, because something else than the events must be wrong."""

    exit_code: ClassVar[int] = 6
