"""Pages as pictures, by a Chromium that draws them without a window."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from attente.errors import Missing
from attente.grafana.preview.page import WIDTH
from attente.settings import foreign

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""By which names the browser is looked for."""

_PATIENCE_S: Final = 60.0
_HEIGHT: Final = re.compile(r'data-height="(\d+)"')


def browser() -> str | None:
    """The program; None where there is none on the path."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


def flags(profile: str) -> list[str]:
    """With which a Chromium runs without a window, leaves no trace and asks nobody.

    Args:
        profile: a folder of its own, or it would wait for one that is already open.
    """
    # A process of root gets no sandbox of its own; what is drawn here has no script.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    quiet = ["--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking"]
    return ["--headless", *quiet, f"--user-data-dir={profile}", *sandbox]


def height_of(html: str) -> int:
    """How high a page is, in pixels of CSS."""
    found = _HEIGHT.search(html)
    return int(found[1]) if found else 1_000


def picture(page: Path, to: Path, program: str, scale: float = 1.0) -> None:
    """Draw a page as PNG.

    Args:
        page: the file of the page.
        to: the file of the picture.
        program: the browser.
        scale: pixels of the picture for each of CSS.

    Raises:
        Missing: the browser does not draw it.
    """
    html = page.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="attente-preview-", ignore_cleanup_errors=True) as profile:
        command = [
            program,
            *flags(profile),
            "--hide-scrollbars",
            f"--force-device-scale-factor={scale:g}",
            f"--window-size={WIDTH},{height_of(html)}",
            f"--screenshot={to.resolve()}",
            page.resolve().as_uri(),
        ]
        try:
            done = subprocess.run(  # noqa: S603 - our own
                command, capture_output=True, text=True, check=False, timeout=_PATIENCE_S, env=foreign(os.environ)
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            msg = f"{program} does not draw {page}: {error}; try another Chromium, or leave --pictures out"
            raise Missing(msg) from error
    if done.returncode or not to.is_file():
        said = " ".join(done.stderr.split())[-300:]
        msg = f"{program} does not draw {page}: {said}; try another Chromium, or leave --pictures out"
        raise Missing(msg)
