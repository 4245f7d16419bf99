"""The boards, in the order in which one looks at them."""

from typing import Final

from attente.grafana.boards.budget import BUDGET
from attente.grafana.boards.network import NETWORK
from attente.grafana.boards.office import OFFICE
from attente.grafana.boards.pipeline import PIPELINE
from attente.grafana.boards.readings import READINGS

BOARDS: Final = (NETWORK, OFFICE, READINGS, BUDGET, PIPELINE)
"""Every board."""
