"""How far this machine's clock is from the broker's, from the instants at which it stamped what it acknowledged."""

from collections import deque
from typing import Final

SAMPLES: Final = 32


class Drift:
    """An estimate from the acknowledgements: the clock stood somewhere between sending and answer when it was stamped.

    Of the last samples the one with the shortest way is taken, as NTP does: its error is half of that way at most.
    """

    def __init__(self) -> None:
        self._samples: deque[tuple[int, int]] = deque(maxlen=SAMPLES)  # way there and back, drift; in ms

    def learn(self, sent_ms: int, stamped_ms: int, answered_ms: int) -> None:
        """Take an acknowledgement.

        Args:
            sent_ms: when the record was handed over, by this clock.
            stamped_ms: the broker's timestamp of it.
            answered_ms: when the answer was there, by this clock; a clock that was set meanwhile makes no sample.
        """
        if answered_ms >= sent_ms:
            self._samples.append((answered_ms - sent_ms, (sent_ms + answered_ms) // 2 - stamped_ms))

    def forget(self) -> None:
        """The clock may have been set, or the broker is another one."""
        self._samples.clear()

    @property
    def ms(self) -> int | None:
        """This clock less the broker's; None before the first acknowledgement."""
        return min(self._samples)[1] if self._samples else None
