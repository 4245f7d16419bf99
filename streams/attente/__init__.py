"""attente: exact waiting-time statistics for public-service networks."""

__version__ = "0.1.0"
