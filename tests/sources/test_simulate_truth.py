"""What the simulator counts is what the core makes of its events, also when they come late, twice and drifting."""

from dataclasses import replace

import pytest

from attente.core.view import ServiceView, Tally, WaitEnd, Window
from attente.sources.simulate.hours import instant
from attente.sources.simulate.network import Network, Shares
from attente.sources.simulate.stream import simulate_days
from attente.sources.simulate.truth import OfficeTruth, ServiceTruth
from sources.simulated import HOUR, MONDAY, after, counted, offices

FLAWED = Shares(late=0.5, duplicates=0.03, drift=1.0)
NETWORK = Network.generate(4, offices=12, everywhere=True, shares=FLAWED)


def expected(truth: ServiceTruth) -> dict[Tally, int]:
    return {
        Tally.ISSUED: sum(truth.issued.values()),
        Tally.CALLED: truth.called,
        Tally.ABANDONED: truth.abandoned,
        Tally.NO_SHOW: truth.no_show,
        Tally.TRANSFERRED: truth.transferred,
        Tally.REQUEUED: truth.requeued,
        Tally.CLOSED: truth.closed + truth.left_open,
        Tally.STARTED: truth.started,
        Tally.SERVED: sum(truth.served.values()),
        Tally.TURNED_AWAY: truth.turned_away,
    }


def figures(views: list[ServiceView]) -> dict[str, dict[Tally, int]]:
    return {view.service: dict(view.lifetime) for view in views if any(view.lifetime.values())}


def wanted(truth: OfficeTruth) -> dict[str, dict[Tally, int]]:
    every = {service: expected(counts) for service, counts in truth.services.items()}
    return {service: counts for service, counts in every.items() if any(counts.values())}


@pytest.mark.parametrize("live", [False, True], ids=["stamped by the events", "stamped by the broker"])
def test_every_count_of_every_service_is_what_happened(live: bool) -> None:
    deliveries, truths = simulate_days(NETWORK, [MONDAY, MONDAY + 1])
    core = counted(NETWORK, deliveries, live=live)
    events, duplicates = (sum(getattr(truth, what) for truth in truths) for what in ("events", "duplicates"))
    assert core.account() == (events, events - duplicates, duplicates, {})
    assert not core.contradictions()
    assert sum(truth.late for truth in truths) > 500
    assert sum(counts.left_open for truth in truths for counts in truth.services.values()) > 0

    # At the cut-over whoever was left open over night is closed.
    views = offices(after(core, NETWORK, instant(MONDAY + 2, 4 * 60, "Europe/Paris")))
    for truth in truths:
        view = views[truth.office]
        assert figures(list(view.services)) == wanted(truth), truth.office
        for service in view.services:
            if (counts := truth.services.get(service.service)) is not None:
                assert dict(service.greatest_served) == counts.served
                assert service.lifetime_wait_ms[WaitEnd.CALLED] == counts.call_wait_ms


def test_open_desks_add_up_to_what_they_were_open() -> None:
    flawless = replace(NETWORK, shares=Shares(0, 0, 0))
    deliveries, truths = simulate_days(flawless, [MONDAY])
    core = counted(flawless, deliveries)
    views = offices(core, instant(MONDAY, 23 * 60, "Europe/Paris"))
    for truth in truths:
        assert views[truth.office].open_desk_ms[Window.DAY] == truth.desk_open_ms > HOUR
        assert views[truth.office].open_desks == 0
