"""A dashboard drawn from a running Prometheus."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from attente.grafana.preview.asking import Answer, Asked, ask, panels_of, queries
from attente.grafana.preview.page import Drawn, as_page
from attente.grafana.preview.prometheus import Prometheus, QueryRefused
from attente.grafana.preview.variables import Times, resolve

_AT_ONCE: Final = 4  # queries; a Prometheus answers twenty by default, and is there for others too


@dataclass(frozen=True, slots=True)
class Preview:
    """A dashboard as a page, and what there is to say of it.

    Attributes:
        html: the page.
        empty: the titles of the panels that show nothing.
        failures: by title, why a panel's query was refused.
    """

    html: str
    empty: tuple[str, ...]
    failures: Mapping[str, str]


def draw(
    dashboard: Mapping[str, Any],
    prometheus: Prometheus,
    times: Times,
    zone: ZoneInfo,
    *,
    given: Mapping[str, Sequence[str]] | None = None,
    lang: str = "en",
) -> Preview:
    """Ask what the panels of a dashboard ask, and draw it.

    Args:
        dashboard: its JSON, of the classic schema.
        prometheus: who is asked.
        times: what is looked at.
        zone: of all times on the page.
        given: the values of variables that are chosen, by name.
        lang: the language of its texts, for the page to say.

    Raises:
        BadInput: the dashboard asks for something that a preview cannot do, or a variable has no such value.
        Unreachable: Prometheus does not answer; a query that it refuses is a failure of its panel.
    """
    values = resolve(dashboard, prometheus, times, given)
    panels = {panel["id"]: panel for panel in panels_of(dashboard)}
    asked = {number: queries(panel, values, times) for number, panel in panels.items()}
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="ask") as pool:

        def answered(some: list[Asked]) -> list[Answer] | str:
            try:
                return [ask(one, prometheus, times) for one in some]
            except QueryRefused as error:
                return str(error)

        found = dict(zip(asked, pool.map(answered, asked.values()), strict=True))
    failures = {number: one for number, one in found.items() if isinstance(one, str)}
    answers = {number: one for number, one in found.items() if not isinstance(one, str)}
    page = as_page(Drawn(dashboard, answers, values, times, zone, failures), lang)
    empty = tuple(
        str(panels[number].get("title"))
        for number, one in answers.items()
        if asked[number] and not any(answer.series for answer in one)
    )
    return Preview(page, empty, {str(panels[number].get("title")): why for number, why in failures.items()})
