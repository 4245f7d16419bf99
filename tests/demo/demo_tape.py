"""The tapes that the demo plays in tests: the real month where it lies beside the repository, and made-up ones."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

from sources.technion_rows import ANSWERED, HUNG_UP, JANUARY, LEFT, as_row, row, tape


@dataclass(frozen=True)
class Tape:
    """A tape and what must come out of it.

    Attributes:
        file: where it is.
        events: of its tickets.
        totals, within, levels: the figures, as the demo writes them.
    """

    file: Path
    events: int
    totals: dict[str, int]
    within: dict[str, int]
    levels: dict[str, float]

    def result(self, duplicates: float = 0.0) -> dict[str, Any]:
        """The whole result, when this share of the events is sent twice."""
        again = round(duplicates * self.events)
        return {
            "events": {"read": self.events + again, "counted": self.events, "duplicate": again, "dead": 0},
            "totals": self.totals,
            "within": {"60": self.within},
            "service_levels": {"60": self.levels},
        }


def january() -> Tape:
    """The real month, whose exact result is known."""
    return Tape(
        JANUARY,
        114_442,
        {
            "issued": 30_161,
            "called": 27_060,
            "served": 27_060,
            "abandoned": 3_101,
            "no_show": 0,
            "wait_sum_seconds": 947_857,
        },
        {"answered": 21_442, "left": 2_103},
        {"credited_if_within": 0.780644, "excluded": 0.792387, "failed": 0.710918, "ignored_if_within": 0.764203},
    )


def made_up(folder: Path, calls: int, seed: int = 1) -> Tape:
    """A tape of some days with so many calls that queue, and a few rows that are none."""
    random = Random(seed)  # noqa: S311 - it has to be repeatable
    rows, answered, left = [], [], []
    for number in range(calls):
        wait = random.choice((0, 1, 5, 30, 59, 60, 61, 90, 300))
        at = number * 7 * 86_400 // calls
        place = {
            "call_id": str(number),
            "date": f"9901{4 + at // 86_400:02}",
            "vru_entry": _clock(at),
            "vru_exit": _clock(at),
            "q_start": _clock(at),
            "q_time": str(wait),
        }
        if random.random() < 0.1:
            left.append(wait)
            rows.append(as_row(HUNG_UP | place))
        else:
            answered.append(wait)
            rows.append(as_row(ANSWERED | place | {"ser_time": str(random.randrange(600))}))
    rows += [as_row(LEFT), row(outcome="PHANTOM")]
    return Tape(
        tape(folder, *rows),
        4 * len(answered) + 2 * len(left),
        {
            "issued": calls,
            "called": len(answered),
            "served": len(answered),
            "abandoned": len(left),
            "no_show": 0,
            "wait_sum_seconds": sum(answered),
        },
        {"answered": _within(answered), "left": _within(left)},
        _levels(len(answered), _within(answered), len(left), _within(left)),
    )


def _clock(at: int) -> str:
    # Midnight is the tape's way to say that something did not happen.
    seconds = max(1, at % 86_400)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _within(waits: list[int]) -> int:
    return sum(wait <= 60 for wait in waits)


def _levels(answered: int, answered_within: int, left: int, left_within: int) -> dict[str, float]:
    exact = {
        "credited_if_within": Fraction(answered_within + left_within, answered + left),
        "excluded": Fraction(answered_within, answered),
        "failed": Fraction(answered_within, answered + left),
        "ignored_if_within": Fraction(answered_within, answered + left - left_within),
    }
    return {name: round(float(level), 6) for name, level in exact.items()}
