"""Keys, signatures and registries that ask for them, as the tests of signed events need them."""

from dataclasses import replace

from attente.model.signatures import HEADER, SECRET_BYTES, Key, Keyring, Signer
from attente.registry.entities import Office, OfficeKey, Registry, Signatures

Signed = tuple[tuple[str, bytes | None], ...]


def key_of(office: str, number: int = 1) -> Key:
    """A key of an office; the same numbers make the same one."""
    return Key(f"{office}.k{number}", office, bytes([number]) + office.encode().ljust(SECRET_BYTES - 1, b"."))


def entry(key: Key, first_ms: int = 0, end_ms: int = 1 << 42) -> OfficeKey:
    """What the registry says of a key."""
    return OfficeKey(key.id, key.fingerprint, first_ms=first_ms, end_ms=end_ms)


def signature(key: Key, value: bytes | None) -> tuple[tuple[str, bytes]]:
    """The headers of a record that is signed with a key."""
    return ((HEADER, Signer(key).sign(value or b"")),)


def asking(
    registry: Registry,
    keys: dict[str, tuple[OfficeKey, ...]],
    mode: Signatures = Signatures.REQUIRE,
    from_ms: int = 0,
) -> Registry:
    """The registry with keys of some offices, which are asked for signatures; it has the hash of no file."""

    def changed(office: Office) -> Office:
        return replace(office, keys=keys[office.id], signatures=mode, signatures_from_ms=from_ms)

    offices = {id_: changed(office) if id_ in keys else office for id_, office in registry.offices.items()}
    return replace(registry, offices=offices)


def ring(*keys: Key) -> Keyring:
    """The secrets of some keys."""
    return Keyring(keys)
