"""The replay in a thread of its own, beside which the demo looks at the workers."""

import threading
from typing import Final

from attente.demo.feed import Feed
from attente.sources.replay import ReplayReport, ReplaySettings, replay

# A stopped replay waits some seconds for what is on its way, if the broker is silent.
_GRACE_S: Final = 8.0


class Player:
    """Plays a feed.

    Attributes:
        feed: what it plays.
    """

    def __init__(self, feed: Feed, settings: ReplaySettings) -> None:
        """Nothing is sent yet."""
        self.feed = feed
        self._settings = settings
        self._stop = threading.Event()
        self._report: ReplayReport | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._play, name="replay", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def report(self) -> ReplayReport | None:
        """What was sent; None as long as it plays.

        Raises:
            AttenteError: why it could not go on.
        """
        if self._error is not None:
            raise self._error
        return self._report

    def stop(self) -> None:
        """End it early; returns when it has ended, or is not worth waiting for."""
        self._stop.set()
        self.feed.close()
        if self._thread.is_alive():
            self._thread.join(_GRACE_S)

    def _play(self) -> None:
        try:
            self._report = replay(self.feed, self._settings, stop=self._stop)
        except BaseException as error:  # noqa: BLE001 - whoever asks for the report gets it
            self._error = error
        finally:
            self.feed.wake.set()
