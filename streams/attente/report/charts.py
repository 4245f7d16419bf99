"""The drawings of a page: how long visitors waited, when, from day to day, and how norms read."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from xml.etree.ElementTree import Element

from attente.core.levels import percentiles
from attente.markup import line, node, picture, rectangle, text
from attente.registry.entities import Left, Norm, Per, Registry
from attente.report.bins import Bin, cut, edges_for
from attente.report.figures import Figures, Kept
from attente.report.numbers import NONE, clock, percent, share, stretch
from attente.report.versions import label
from attente.report.words import SHORT

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
FEWEST: Final = 5
"""Cells of fewer waits show none: a percentile of a handful tells of persons, not of the office."""

_WIDTH: Final = 940
_HEIGHT: Final = 300
_LEFT: Final = 56
_RIGHT: Final = 14
_TOP: Final = 40
_BOTTOM: Final = 44
_SHADES: Final = 7
_DARK_FROM: Final = 4
_MOST_LABELS: Final = 16
_BINS: Final = 26
_LABEL: Final = 52  # as wide as `≤ 1:00:00` is in a drawing


# ---- the distribution


def distribution(waits: Mapping[int, int], left: Mapping[int, int], registry: Registry) -> Element:
    """Called and abandoned by their wait, with a line for every threshold."""
    thresholds = _thresholds(registry)
    edges = edges_for(thresholds, waits, left, most=_BINS)
    called, gone = cut(waits, edges), cut(left, edges)
    most = max([*(one.number for one in (*called, *gone)), 1])
    ticks = _ticks(most)
    top = ticks[-1]
    width = (_WIDTH - _LEFT - _RIGHT) / len(called)
    height = _HEIGHT - _TOP - _BOTTOM

    def y(count: int) -> float:
        return _TOP + height - count * height / top

    parts = [_stripes()]
    for tick in ticks:
        parts += [
            line(_LEFT, y(tick), _WIDTH - _RIGHT, y(tick), "grid"),
            text(_LEFT - 6, y(tick) + 4, f"{tick:,}", kind="soft", anchor="end"),
        ]
    whole, whole_gone = sum(waits.values()), sum(left.values())
    every = -(-_LABEL // width)
    for i, (one, other) in enumerate(zip(called, gone, strict=True)):
        x = _LEFT + i * width
        for j, (bar, kind, verb, of) in enumerate(
            ((one, "called", "called", whole), (other, "left", "abandoned", whole_gone))
        ):
            told = f"{_span(bar)}: {bar.number:,} {verb} ({percent(bar.number, max(1, of))})"
            part = rectangle(
                x + width * (0.08 + 0.44 * j), y(bar.number), width * 0.4, y(0) - y(bar.number), kind, told
            )
            parts.append(part)
        # The last label stands for all that is longer, and is never left out.
        if one.upto is None or (i % every == 0 and len(called) - 1 - i >= every):
            parts.append(text(x + width / 2, _HEIGHT - 26, _edge(one), kind="soft", anchor="middle"))
    parts.append(line(_LEFT, y(0), _WIDTH - _RIGHT, y(0), "axis"))
    parts.append(
        text(
            _WIDTH - _RIGHT,
            _HEIGHT - 6,
            "wait, m:ss; each group reaches from the one before",
            kind="soft",
            anchor="end",
        )
    )
    parts += _norm_lines(called, width, thresholds)
    parts += _legend(_LEFT, _HEIGHT - 10, (("called", "called, no-shows included"), ("left", "abandoned")))
    half = clock(percentiles(waits, (50,)).get(50))
    says = f"{whole:,} called, {whole_gone:,} abandoned; half of the called waited at most {half}"
    return picture("How long visitors waited", says, _WIDTH, _HEIGHT, *parts)


def _span(one: Bin) -> str:
    return f"over {clock(one.above)}" if one.upto is None else f"{clock(one.above)} to {clock(one.upto)}"


def _edge(one: Bin) -> str:
    return f"> {clock(one.above)}" if one.upto is None else f"≤ {clock(one.upto)}"


def _thresholds(registry: Registry) -> dict[int, list[str]]:
    names: dict[int, list[str]] = {}
    for norm in registry.definitions():
        names.setdefault(norm.threshold_s, []).append(label(registry, norm))
    return names


def _norm_lines(found: Sequence[Bin], width: float, names: Mapping[int, list[str]]) -> Iterable[Element]:
    shown = [(i, one.upto) for i, one in enumerate(found, 1) if one.upto in names]
    for row, (i, upto) in enumerate(shown):
        if upto is None:
            continue
        x = _LEFT + i * width
        y = _TOP - 8 - 14 * (row % 2)
        anchor = "end" if x > _WIDTH * 2 / 3 else "start"
        yield line(x, y + 4, x, _HEIGHT - _BOTTOM, "norm")
        words = f"{', '.join(names[upto])}: {stretch(upto)}"
        yield text(x + (-5 if anchor == "end" else 5), y + 4, words, kind="norm", anchor=anchor)


def _legend(x: float, y: float, entries: Iterable[tuple[str, str]]) -> Iterable[Element]:
    for kind, words in entries:
        yield rectangle(x, y - 9, 11, 11, kind)
        yield text(x + 16, y + 1, words)
        x += 34 + 6.6 * len(words)


def _stripes() -> Element:
    stripe = node("line", x1=0, y1=0, x2=0, y2=6, class_="stripe")
    pattern = node(
        "pattern", stripe, id="stripes", width=6, height=6, patternUnits="userSpaceOnUse", patternTransform="rotate(45)"
    )
    return node("defs", pattern)


def _ticks(most: int) -> list[int]:
    step = 1
    while True:
        for factor in (1, 2, 5):
            if most <= step * factor * 5:
                return [step * factor * i for i in range(-(-most // (step * factor)) + 1)]
        step *= 10


# ---- the week


def week(hours: Mapping[int, Mapping[int, int]], norm: Norm | None) -> Element:
    """The 90th percentile of the waits by weekday and local hour of the call."""
    cells = {hour: waits for hour, waits in hours.items() if sum(waits.values())}
    columns = sorted({hour % 24 for hour in cells})
    columns = list(range(columns[0], columns[-1] + 1)) if columns else [0]
    width = (_WIDTH - _LEFT - _RIGHT) / len(columns)
    height = 30
    values = sorted(_p90(waits) for waits in cells.values() if sum(waits.values()) >= FEWEST)
    worst = values[-1] if values else 0
    # One hour of an odd day must not make all others look alike: the darkest shade begins where a tenth of them lies.
    dark = values[len(values) * 9 // 10] if values else 0
    parts: list[Element] = []
    for i, hour in enumerate(columns):
        parts.append(text(_LEFT + (i + 0.5) * width, 16, f"{hour:02d}", kind="soft", anchor="middle"))
    for day, name in enumerate(WEEKDAYS):
        y = 24 + day * height
        parts.append(text(_LEFT - 10, y + 19, name, anchor="end"))
        for i, hour in enumerate(columns):
            waits = cells.get(day * 24 + hour)
            if waits:
                parts += _cell(_LEFT + i * width, y, width, height, waits, dark, f"{name} {hour:02d}:00", norm)
    bottom = 24 + 7 * height
    parts += _scale(bottom + 12, dark, worst)
    says = f"90th percentile of the wait by weekday and local hour of the call; the longest is {clock(worst)}"
    return picture("When they waited", says, _WIDTH, bottom + 34, *parts)


def _p90(waits: Mapping[int, int]) -> int:
    return percentiles(waits, (90,)).get(90, 0)


def _shade(value: int, dark: int) -> int:
    return min(_SHADES - 1, value * (_SHADES - 1) // max(1, dark))


def _cell(
    x: float, y: float, width: float, height: float, waits: Mapping[int, int], dark: int, when: str, norm: Norm | None
) -> Iterable[Element]:
    count = sum(waits.values())
    if count < FEWEST:
        yield rectangle(x + 1, y + 1, width - 2, height - 2, "few", f"{when}: fewer than {FEWEST} called")
        yield text(x + width / 2, y + 19, "·", kind="soft", anchor="middle")
        return
    value = _p90(waits)
    shade = _shade(value, dark)
    told = f"{when}: {count:,} called, p50 {clock(percentiles(waits, (50,))[50])}, p90 {clock(value)}"
    if norm is not None:
        within = sum(n for seconds, n in waits.items() if seconds <= norm.threshold_s)
        told += f", {percent(within, count)} of the calls within {stretch(norm.threshold_s)}"
    yield rectangle(x + 1, y + 1, width - 2, height - 2, f"h{shade}", told)
    yield text(
        x + width / 2, y + 19, clock(value), kind="on-dark" if shade >= _DARK_FROM else "on-light", anchor="middle"
    )


def _scale(y: float, dark: int, worst: int) -> Iterable[Element]:
    yield text(_LEFT, y + 12, "p90 of the wait, m:ss", kind="soft")
    x = _LEFT + 150.0
    for shade in range(_SHADES):
        begin = -(-dark * shade // (_SHADES - 1))
        words = f"≥ {clock(begin)}" if shade else "0:00"
        yield rectangle(x, y + 1, 16, 13, f"h{shade}")
        yield text(x + 20, y + 12, words if begin <= worst else NONE, kind="soft")
        x += 84
    yield rectangle(x, y + 1, 16, 13, "few")
    yield text(x + 20, y + 12, f"fewer than {FEWEST}", kind="soft")


# ---- the readings


def readings(registry: Registry, kept: Kept) -> Element:
    """The four service levels of a norm per leg, first and visit, the target, and which one is the promise."""
    norm = kept.norm
    bar, gap, begin, end = 17, 12, 250, _WIDTH - 150
    parts: list[Element] = []
    y = 26.0
    first = y
    for per in Per:
        parts.append(text(0, y + 2 * bar + 4, f"per {per.value}", kind="strong"))
        for left in Left:
            level = kept.level(per, left)
            is_promise = (per, left) == (norm.clock.per, norm.left)
            strong = "strong" if is_promise else ""
            parts.append(text(begin - 8, y + 13, f"{SHORT[left]} {left.value}", kind=strong, anchor="end"))
            words = NONE if level is None else share(level, 2)
            told = f"per {per.value}, {left.value}: {words}"
            length = 0.0 if level is None else float(level) * (end - begin)
            parts.append(rectangle(begin, y + 2, length, bar - 4, "called" if is_promise else "other", told))
            parts.append(text(begin + length + 6, y + 13, f"{words} ◀ promise" if is_promise else words, kind=strong))
            y += bar
        y += gap
    target = begin + (end - begin) * norm.target_milli / 100_000
    words = f"target {percent(norm.target_milli, 100_000)}"
    parts += [
        line(begin, first, begin, y - gap, "axis"),
        line(target, first - 6, target, y - gap, "norm"),
        text(target, first - 10, words, kind="norm", anchor="middle"),
    ]
    says = f"the promise is {share(kept.promise, 2)} per {norm.clock.per.value}, {norm.left.value}; {words}"
    return picture(f"Four readings of {label(registry, norm)}", says, _WIDTH, int(y), *parts)


# ---- from day to day


def days(rows: Sequence[Figures]) -> Element:
    """The median and the 90th percentile of the waits, by business day."""
    height = 240
    top = max([*(row.waits.percentiles_s.get(90, 0) for row in rows), 1])
    step = next(step for step in (1, 5, 10, 15, 30, 60, 120, 300, 600, 1_200, 3_600, 10_800, 86_400) if top <= 5 * step)
    ticks = range(0, -(-top // step) * step + 1, step)
    width = (_WIDTH - _LEFT - _RIGHT) / len(rows)

    def y(seconds: int) -> float:
        return height - 36 - seconds * (height - 60) / ticks[-1]

    parts: list[Element] = []
    for tick in ticks:
        parts += [
            line(_LEFT, y(tick), _WIDTH - _RIGHT, y(tick), "grid"),
            text(_LEFT - 6, y(tick) + 4, clock(tick), kind="soft", anchor="end"),
        ]
    every = -(-len(rows) // _MOST_LABELS)
    for i, row in enumerate(rows):
        if i % every == 0:
            parts.append(text(_LEFT + (i + 0.5) * width, height - 18, row.day[5:], kind="soft", anchor="middle"))
    for rank, kind in ((90, ""), (50, " median")):
        points = [
            (_LEFT + (i + 0.5) * width, y(row.waits.percentiles_s[rank]), row)
            for i, row in enumerate(rows)
            if row.waits.percentiles_s
        ]
        parts.append(
            node("polyline", points=" ".join(f"{x:.1f},{at:.1f}" for x, at, _ in points), class_=f"curve{kind}")
        )
        for x, at, row in points:
            told = f"{row.day}: p{rank} {clock(row.waits.percentiles_s[rank])} of {row.called:,} called"
            parts.append(node("circle", node("title", told), cx=x, cy=at, r=3, class_=f"dot{kind}"))
    parts += [
        node("circle", cx=_LEFT + 6, cy=height - 4, r=3, class_="dot"),
        text(_LEFT + 16, height, "90th percentile"),
        node("circle", cx=_LEFT + 146, cy=height - 4, r=3, class_="dot median"),
        text(_LEFT + 156, height, "median"),
    ]
    return picture("From day to day", f"{len(rows)} business days", _WIDTH, height + 6, *parts)
