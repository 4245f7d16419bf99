"""The burn rates beyond which somebody is told, of every norm: `attente:burn_factor`.

How they follow from the budget is said in `attente.registry.budgets`. Here they become expressions over the target in
force, so that a norm whose target changes over night needs no new rules, and one that these rules do not know yet is
watched with the default.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from attente.grafana import recorded
from attente.grafana.rules.promql import number
from attente.registry.budgets import (
    CAPS,
    DEFAULT_SHARES,
    LEAST,
    Month,
    default_factor,
    factor,
    highest,
    month,
    month_of,
)
from attente.registry.entities import Norm, Registry
from attente.registry.scalars import WHOLE, percent

WINDOWS: Final = {"fast": "hour", "slow": "day"}
"""Which window each speed of burning is seen in."""


@dataclass(frozen=True, slots=True)
class Factor:
    """The burn factor of some norms in one window.

    Attributes:
        window: `hour` or `day`.
        norm: its id; "" for all that are not named.
        expr: PromQL with the label `norm`.
        why: how it came about, a line for each definition of the norm.
    """

    window: str
    norm: str
    expr: str
    why: tuple[str, ...]


def factors(registry: Registry) -> Iterator[Factor]:
    """The burn factors of all norms, and of those that are still to come."""
    for norm in registry.norms.values():
        for speed, window in WINDOWS.items():
            yield _factor(norm, speed, window, registry)
    known = "|".join(name.replace(".", "\\\\.") for name in registry.norms)
    everywhere = month(registry.offices.values(), registry.calendars)
    for speed, window in WINDOWS.items():
        others = f'{{norm!~"{known}"}}' if known else ""
        yield Factor(window, "", _by_default(others, speed, everywhere), ())


def _factor(norm: Norm, speed: str, window: str, registry: Registry) -> Factor:
    """One norm's: of each definition whose budget is given that, chosen by the target in force, else the default."""
    chosen = f'{{norm="{norm.id}"}}'
    target = f"{recorded.NORM_TARGET.name}{chosen}"
    # Of two definitions with one target the newer one, which is all that the target in force can tell.
    by_target = {one.target_milli: one for one in norm.definitions()}
    given = [
        f"({target} == {number(one.target_milli / WHOLE)}) * 0 + {_written(_of(one, speed, registry))}"
        for one in by_target.values()
        if _share(one, speed) is not None
    ]
    default = _by_default(chosen, speed, month_of(norm, registry))
    why = tuple(_why(one, speed, window, registry) for one in norm.definitions())
    return Factor(window, norm.id, " or ".join((*given, default)), why)


def _by_default(chosen: str, speed: str, over: Month) -> str:
    """The default shares under whatever target is in force (`budgets.default_factor`, in PromQL)."""
    wanted = max(factor(DEFAULT_SHARES[speed], speed, over), LEAST)
    cap = number(float(CAPS[speed]))
    possible = f"1 / (1 - {recorded.NORM_TARGET.name}{chosen})"
    return f"clamp_max(1 + {cap} * ({possible} - 1), {_written(wanted)})"


def _share(norm: Norm, speed: str) -> int | None:
    return norm.budget.fast_milli if speed == "fast" else norm.budget.slow_milli


def _of(norm: Norm, speed: str, registry: Registry) -> Fraction:
    """The factor of a definition."""
    share, over = _share(norm, speed), month_of(norm, registry)
    return default_factor(norm.target_milli, speed, over) if share is None else factor(share, speed, over)


def _why(norm: Norm, speed: str, window: str, registry: Registry) -> str:
    share, over = _share(norm, speed), month_of(norm, registry)
    opened = f"{float(over.in_window(speed)):.1f} {window}s open a month"
    wanted = factor(DEFAULT_SHARES[speed] if share is None else share, speed, over)
    said = f"{percent(DEFAULT_SHARES[speed] if share is None else share)} of {opened} = {_written(wanted)}"
    comes_to = _of(norm, speed, registry)
    if comes_to != wanted:
        said += f", brought to {_written(comes_to)}: {percent(round(comes_to / over.in_window(speed) * WHOLE))}"
    since = f" from {norm.valid_from}" if norm.valid_from else ""
    return (
        f"{norm.id}{since}, {window}: {said}; "
        f"at a target of {percent(norm.target_milli)} at most {_written(highest(norm.target_milli))} is possible"
    )


def _written(value: Fraction) -> str:
    """To four places, downwards: what is strictly below a bound stays below it."""
    return number(int(value * 10_000) / 10_000)
