"""What the figures were measured on; nothing that names the machine or its owner."""

import os
import platform
import re
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import attente
from attente.broker.jars import kafka_version

PACKAGES: Final = ("faust-streaming", "aiokafka", "msgspec", "crc32c", "cramjam", "mypy")


def machine() -> dict[str, Any]:
    """Cores, memory, versions, the load when it began, and the date."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "load_before": load(),
        "system": platform.system(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "attente": attente.__version__,
        "kafka": kafka_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "gil": getattr(sys, "_is_gil_enabled", lambda: True)(),
    }


def load() -> float:
    """Processes that ran or wanted to in the last minute, on the average."""
    return round(os.getloadavg()[0], 1)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.machine()
