"""Every query of every panel of every board, as Grafana would ask it, and its answer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attente.grafana.boards import BOARDS
from attente.grafana.build import dashboards
from attente.grafana.panels import panel_id
from attente.grafana.preview.asking import Answer, ask, panels_of, queries
from attente.grafana.preview.prometheus import Prometheus
from attente.grafana.preview.variables import Times, resolve

KEYS = {
    (board.uid, panel_id(board.key, panel.key)): f"{board.key}/{panel.key}"
    for board in BOARDS
    for row in board.rows
    for panel in row.panels
}
"""What panels are called in the code, by board and id."""


@dataclass(frozen=True)
class Asked:
    """One query of a panel: where it stands, as in `network/waiting:beyond`, and what it is answered."""

    place: str
    panel: Mapping[str, Any]
    answer: Answer


def ask_all(prometheus: Prometheus, times: Times, given: Mapping[str, Sequence[str]] | None = None) -> Iterator[Asked]:
    """Ask everything; a query that Prometheus refuses raises."""
    for uid, board in dashboards("en").items():
        has = {variable["name"] for variable in board["templating"]["list"]}
        chosen = {name: values for name, values in (given or {}).items() if name in has}
        values = resolve(board, prometheus, times, chosen)
        for panel in panels_of(board):
            for query in queries(panel, values, times):
                place = f"{KEYS[uid, panel['id']]}:{query.ref}"
                yield Asked(place, panel, ask(query, prometheus, times))
