"""Pictures of the dashboards, for the documentation: a simulated day of forty offices, as a Prometheus would have it.

`make preview` runs it. It takes some minutes and 2 GB on the disk while it runs.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

from attente.grafana.preview.pictures import PROGRAMS, browser
from attente.model.instants import text_of
from attente.sources.simulate import Network
from attente.sources.simulate.hours import instant
from backfill import MINUTE, SECOND, Days, Stretch
from tsdb import filled

ZONE = "Europe/Paris"
TODAY = date(2026, 11, 20)
FIRST = date(2026, 11, 2)  # the budget of a month needs the days before
BEGIN, END = 8 * 60 + 30, 15 * 60 + 40  # when queues are at their longest
STEP_MS = 5 * MINUTE
NORM = "within-20"
SCALE, SCALE_OF_LONG = 0.8, 0.7  # pages of documentation are no wider, and nobody waits for pictures


def simulated(offices: int, seed: int) -> Days:
    """The day, the same day a week before, and the month so far."""
    days = [FIRST + timedelta(days=number) for number in range((TODAY - FIRST).days + 1)]
    stretches = tuple(
        Stretch(*(instant(day.toordinal(), minute, ZONE) for minute in (BEGIN, END)))
        for day in (TODAY - timedelta(days=7), TODAY)
    )
    return Days(
        Network.generate(seed=seed, offices=offices, zone=ZONE),
        tuple(day.toordinal() for day in days if day.weekday() < 5),
        stretches,
        STEP_MS,
        instant(TODAY.toordinal(), 11 * 60 + 30, ZONE),
        noise_every=4_001,
        is_seamless=True,
    )


def main() -> int:
    """Draw all boards; the exit code is that of the command which draws."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/images"), help="where board-NAME.png are written")
    parser.add_argument("--pages", type=Path, default=Path(".attente/preview"), help="where the pages are left")
    parser.add_argument("--offices", type=int, default=40)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--lang", default="en")
    asked = parser.parse_args()
    missing = [name for name in ("prometheus", "promtool") if shutil.which(name) is None]
    missing += [] if browser() else [PROGRAMS[0]]
    if missing:
        print(f"no pictures: {', '.join(missing)} not installed", file=sys.stderr)
        return 0
    days = simulated(asked.offices, asked.seed)
    end_s = days.stretches[-1].end / SECOND
    with tempfile.TemporaryDirectory(prefix="attente-pictures-") as folder, filled(days, Path(folder)) as prometheus:
        office = prometheus.instant("topk(1, attente:office_trouble)", end_s)[0].labels["office"]
        command = [
            *(sys.executable, "-m", "attente", "dashboards", "preview", "--prometheus", prometheus.url, "--pictures"),
            *("--out", str(asked.pages), "--lang", asked.lang, "--zone", ZONE, "--scrape", f"{STEP_MS // SECOND}s"),
            *("--at", text_of(days.stretches[-1].end), "--range", f"{END - BEGIN}m", "--var", f"norm={NORM}"),
        ]
        # The office's own board is of an office in trouble, the others are of all.
        others = [part for name in ("network", "readings", "budget") for part in ("--only", name)]
        scale, smaller = ("--scale", str(SCALE)), ("--scale", str(SCALE_OF_LONG))
        codes = [
            subprocess.run([*command, *more], check=False).returncode
            for more in (
                ("--only", "office", "--var", f"office={office}", *scale),
                (*others, *scale),
                ("--only", "pipeline", *smaller),
            )
        ]
    for picture in sorted(asked.pages.glob("*.png")):
        asked.out.mkdir(parents=True, exist_ok=True)
        shutil.copy(picture, asked.out / f"board-{picture.name}")
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
