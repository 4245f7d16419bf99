"""Business days, local hours and months of one time zone and cut-over, in integer milliseconds."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
MILLISECOND: Final = timedelta(milliseconds=1)


class Calendar:
    """The business days of a zone: day *n* is `[cut-over of date n, cut-over of date n + 1)`, n a proleptic ordinal.

    Days are computed once and remembered; nothing here reads a clock.
    """

    def __init__(self, zone: tzinfo, cut_over_min: int) -> None:
        self.zone = zone
        self.cut_over_min = cut_over_min
        self._starts: dict[int, int] = {}

    def start_of(self, day: int) -> int:
        """The cut-over at which business day `day` begins."""
        found = self._starts.get(day)
        if found is None:
            hour, minute = divmod(self.cut_over_min, 60)
            local = datetime.combine(date.fromordinal(day), datetime.min.time(), self.zone).replace(
                hour=hour, minute=minute
            )
            found = self._starts[day] = (local - EPOCH) // MILLISECOND
        return found

    def day_of(self, at: int) -> int:
        """The business day that holds an instant."""
        day = EPOCH_DAY + at // DAY_MS
        while self.start_of(day) > at:
            day -= 1
        while self.start_of(day + 1) <= at:
            day += 1
        return day

    def cut_over_before(self, at: int) -> int:
        """The latest cut-over at or before an instant."""
        return self.start_of(self.day_of(at))

    def cut_over_after(self, at: int) -> int:
        """The first cut-over after an instant."""
        return self.start_of(self.day_of(at) + 1)

    def hour_of(self, at: int) -> int:
        """The beginning of the local clock hour that holds an instant."""
        offset = datetime.fromtimestamp(at / 1000, self.zone).utcoffset() or timedelta(0)
        return at - (at + offset // MILLISECOND) % HOUR_MS

    @staticmethod
    def month_of(day: int) -> int:
        """The first day of the calendar month that holds business day `day`."""
        return date.fromordinal(day).replace(day=1).toordinal()
