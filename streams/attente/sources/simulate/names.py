"""Names of places that do not exist, and of services that do."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

_FIRST: Final = ("Mont", "Clair", "Val", "Roche", "Belle", "Saint-", "Haut", "Long", "Vieux", "Beau", "Champ", "Noir")
_SECOND: Final = ("fleury", "vigne", "bois", "mare", "fontaine", "lac", "pré", "court", "pont", "bourg", "rive")
_REGIONS: Final = ("Nord", "Côte", "Plaine", "Monts", "Sud", "Vallées", "Îles", "Lacs", "Forêt", "Estuaire")


@dataclass(frozen=True, slots=True)
class SimulatedService:
    """A service of the catalogue.

    Attributes:
        id, title: as the registry has them.
        median_s: half of the visitors are served within so many seconds.
        sigma: how much service times differ, as the log-normal distribution's sigma.
        weight: how many visitors ask for it, over those of the others.
    """

    id: str
    title: str
    median_s: float
    sigma: float
    weight: float


_CATALOGUE: Final = (
    SimulatedService("prestations", "Benefits", 420, 0.55, 3.0),
    SimulatedService("logement", "Housing", 600, 0.6, 1.5),
    SimulatedService("famille", "Family", 480, 0.55, 1.6),
    SimulatedService("accueil", "Information", 150, 0.7, 2.2),
    SimulatedService("handicap", "Disability", 720, 0.5, 0.6),
    SimulatedService("numerique", "Help with online forms", 540, 0.65, 1.1),
    SimulatedService("recours", "Appeals", 900, 0.5, 0.4),
    SimulatedService("cartes", "Cards and certificates", 210, 0.5, 1.4),
    SimulatedService("retraite", "Pensions", 660, 0.55, 0.8),
    SimulatedService("emploi", "Employment", 570, 0.6, 1.0),
    SimulatedService("impots", "Taxes", 390, 0.6, 0.9),
    SimulatedService("sante", "Health", 450, 0.55, 0.9),
)


def services(count: int) -> tuple[SimulatedService, ...]:
    """So many services; beyond the catalogue they are numbered."""
    named = _CATALOGUE[:count]
    more = range(len(named) + 1, count + 1)
    return (*named, *(SimulatedService(f"service-{n:02d}", f"Service {n}", 420, 0.55, 1.0) for n in more))


def region(number: int) -> str:
    """The name of a region, counted from 0."""
    turn, place = divmod(number, len(_REGIONS))
    return _REGIONS[place] + (f" {turn + 1}" if turn else "")


def place(number: int) -> tuple[str, str]:
    """Id and name of an office, counted from 0; an id sorts like its number."""
    # 12 and 11 have no common factor: all their pairs are met before one comes again.
    turn = number // (len(_FIRST) * len(_SECOND))
    name = _FIRST[number % len(_FIRST)] + _SECOND[number % len(_SECOND)] + (f" {turn + 1}" if turn else "")
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return f"{number + 1:04d}-{re.sub(r'[^a-z0-9]+', '-', plain)}", name
