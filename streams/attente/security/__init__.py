"""How a client comes to its broker: in the open, over TLS, or with a password over TLS; and why it does not."""

from attente.security.connection import PLAINTEXT, BadSecurity, Protocol, Security
from attente.security.probe import PROBE_SECONDS, probe

__all__ = ["PLAINTEXT", "PROBE_SECONDS", "BadSecurity", "Protocol", "Security", "probe"]
