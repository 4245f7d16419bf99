"""Making the rights and passwords of a broker what they must be, and seeing whether they are."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from attente.broker.admin import Admin
from attente.broker.grants import Difference, Network, Principal, difference
from attente.broker.secure import new_password, password_file, private_folder, write_private, write_sasl_settings


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
    before = plan(admin, network)
    if roles_only:
        before = replace(before, surplus=(), gone=())
    done = [Done(user, "remove the password", why or "") for user, why in admin.forget(before.gone).items()]
    done += [Done(grant.principal, f"no longer {grant}", why) for grant, why in admin.revoke(before.surplus).items()]
    done += [Done(grant.principal, str(grant), why) for grant, why in admin.allow(before.missing).items()]
    if keys is not None:
        wanted = [one for one in network.principals() if one in before.without or one.name in keys.renewed]
        done += _passwords(admin, wanted, keys)
    after = plan(admin, network)
    failed = {(one.principal, one.what) for one in done if one.failure}
    late = "the broker took it and does not show it"
    done += [
        Done(grant.principal, str(grant), late)
        for grant in after.missing
        if (grant.principal, str(grant)) not in failed
    ]
    return done


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
