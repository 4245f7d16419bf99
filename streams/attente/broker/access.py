"""Making the rights and passwords of a broker what they must be, and seeing whether they are."""

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from attente.broker.admin import Admin
from attente.broker.grants import Difference, Grant, Network, Principal, difference
from attente.broker.secure import new_password, password_file, private_folder, write_private, write_sasl_settings

_VISIBLE_S: Final = 10.0
_PAUSE_S: Final = 0.05
_FORGOTTEN: Final = "remove the password"


@dataclass(frozen=True, slots=True)
class Done:
    """Something that was tried.

    Attributes:
        principal: for whom.
        what: what was to be done.
        failure: why it was not; "" when it was.
    """

    principal: str
    what: str
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Keys:
    """Where passwords go, for those who get one.

    Attributes:
        folder: for each principal a file with its password and one with its settings.
        ca: the authorities of the broker's certificate, for the settings files.
        renewed: the principals who get a new password though they have one.
    """

    folder: Path
    ca: Path | None
    renewed: Collection[str] = ()


def plan(admin: Admin, network: Network) -> Difference:
    """What has to be done.

    Raises:
        BrokerUnreachable, BrokerRefused: the broker is away, has no access control, or we may not see it.
    """
    return difference(network, admin.access())


def apply(admin: Admin, network: Network, keys: Keys | None = None, *, roles_only: bool = False) -> list[Done]:
    """Grant what is missing, take away what is surplus, and look again whether it is so.

    Args:
        admin: the broker.
        network: what is wanted.
        keys: where the passwords of those go who have none; None makes none.
        roles_only: nothing is taken from anybody: of the kiosks nothing is known.

    Raises:
        BrokerUnreachable, BrokerRefused: as `plan`.
    """
    before = _seen(admin, network, roles_only=roles_only)
    done = [Done(user, _FORGOTTEN, why or "") for user, why in admin.forget(before.gone).items()]
    done += [Done(grant.principal, _taken(grant), why) for grant, why in admin.revoke(before.surplus).items()]
    done += [Done(grant.principal, str(grant), why) for grant, why in admin.allow(before.missing).items()]
    if keys is not None:
        wanted = [one for one in network.principals() if one in before.without or one.name in keys.renewed]
        done += _passwords(admin, wanted, keys)
    return [*done, *_not_so(admin, network, done, roles_only=roles_only)]


def _seen(admin: Admin, network: Network, *, roles_only: bool) -> Difference:
    found = plan(admin, network)
    return replace(found, surplus=(), gone=()) if roles_only else found


def _not_so(admin: Admin, network: Network, done: Sequence[Done], *, roles_only: bool) -> list[Done]:
    """What the broker took and does not show. The controller has agreed; a broker learns of it a moment later."""
    failed = {(one.principal, one.what) for one in done if one.failure}
    limit = time.monotonic() + _VISIBLE_S
    while True:
        after = _seen(admin, network, roles_only=roles_only)
        late = [
            *((grant.principal, str(grant)) for grant in after.missing),
            *((grant.principal, _taken(grant)) for grant in after.surplus),
            *((user, _FORGOTTEN) for user in after.gone),
        ]
        late = [one for one in late if one not in failed]
        if not late or time.monotonic() >= limit:
            return [Done(principal, what, "the broker took it and does not show it") for principal, what in late]
        time.sleep(_PAUSE_S)


def _taken(grant: Grant) -> str:
    return f"no longer {grant}"


def _passwords(admin: Admin, principals: Sequence[Principal], keys: Keys) -> Iterator[Done]:
    if principals:
        private_folder(keys.folder)
    for principal in principals:
        # First on the disk: a password that only the broker knows would be of no use to anybody.
        password = new_password()
        file = password_file(keys.folder, principal.file)
        waiting = file.with_suffix(".new")
        write_private(waiting, password + "\n")
        why = admin.set_password(principal.name, password)
        if why is None:
            waiting.replace(file)
            more = {"sasl_user": principal.name, **dict(principal.settings)}
            write_sasl_settings(keys.folder, admin.bootstrap, keys.ca, principal.file, more)
        else:
            waiting.unlink()
        yield Done(principal.name, f"password in {file}", why or "")
