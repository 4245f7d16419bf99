"""Room on the disk that is kept for emptying a spool: on a full disk even taking away would find none."""

import errno
import os
import shutil
from pathlib import Path
from typing import Final

RESERVE: Final = 1 << 20
"""Bytes. A spool that is at its end has some hundred pages of 4 kB which its file has no room for yet."""


class Reserve:
    """A file that is there to be deleted when the disk is full."""

    def __init__(self, path: Path) -> None:
        """Describes it; nothing is made."""
        self._path = path

    @property
    def is_kept(self) -> bool:
        """Whether it is there, in its whole size."""
        try:
            return self._path.stat().st_size == RESERVE
        except OSError:
            return False

    def keep(self) -> None:
        """Makes it where it is not.

        Raises:
            OSError: there is no room for it.
        """
        if self.is_kept:
            return
        if shutil.disk_usage(self._path.parent).free < RESERVE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            # Zeros could be kept as a hole, or squeezed to nothing.
            rest = memoryview(os.urandom(RESERVE))
            while rest:
                rest = rest[os.write(handle, rest) :]
            os.fsync(handle)
        except OSError:
            self.release()
            raise
        finally:
            os.close(handle)

    def release(self) -> bool:
        """Gives its room to whoever takes it first; False when there is none to give."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
