"""Every threshold of the alerts, once, with its reason. docs/alerts.md tells them."""

from typing import Final

HOUR_VISITS: Final = 20
"""Fewest visits of an hour of which a share is worth a word: of 10, two that fail by chance are 20 %."""

DAY_VISITS: Final = 50
"""Fewest visits of a day. A burning day is told to the network, so it has to be more than a bad half hour."""

CROWD: Final = 10
"""Fewest who wait where a queue is said to grow; four becoming six is no crowd."""

GROWTH: Final = 1.5
"""How much longer a queue has become in `TREND_S`."""

TREND_S: Final = 15 * 60
"""How far back a queue and its desks are compared; half an hour is late for opening a desk."""

TURNED_AWAY: Final = 5
"""Most visitors of an office who may be turned away in `SURGE_S` without a word."""

TURNED_AWAY_RATIO: Final = 0.1
"""Nor are they worth a word below this share of all who came: a large office turns somebody away every day."""

SURGE_S: Final = 30 * 60

SILENT_S: Final = 30 * 60
"""How long an office that ought to be open may be silent. With desks, tickets and calls small ones speak as often."""

KIOSK_SILENT_S: Final = 15 * 60
"""A kiosk beats every minute; a restart or an update takes some minutes."""

DRIFT_S: Final = 60
"""A wait is wrong by as much as two clocks differ. At five minutes fast, events are refused."""

LAG: Final = 1_000
"""Events that may be unapplied whether they grow or not: a second's work of a worker."""

LAG_S: Final = 5 * 60
"""How far back a lag is compared."""

CHECKPOINT_AGE_S: Final = 2 * 3_600
"""A worker writes a checkpoint every hour at the latest, even when nothing happens."""

FAILURES_S: Final = 30 * 60
CHECKPOINT_FAILURES: Final = 1
"""Most checkpoints that may fail in `FAILURES_S`: one that fails is tried again and costs nothing."""

COMMIT_FAILURES: Final = 2
"""Most commits that may fail in `COMMITS_S`. A rebalance fails one; when they go on failing, figures vanish."""

COMMITS_S: Final = 10 * 60

REFUSED: Final = 10
"""Most events that may be refused for one reason in `FAILURES_S`."""

GAP_S: Final = 3_600

SCRAPE_S: Final = 5
"""Half of the ten seconds after which a worker gives up answering, and Prometheus asking."""
