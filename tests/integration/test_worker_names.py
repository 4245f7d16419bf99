"""Two workers of one name, and one that comes back from the dead: neither ever shows a figure that is not its own."""

from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

from attente.core.state import digest
from attente.metrics import catalogue as c
from attente.metrics.reading import Reading, read
from attente.registry.load import parse
from driver import Driver
from lives import random_log
from workers import HANG_S, Crew, Watch, Worker, wait_until, write, written

MakeCrew = Callable[..., Crew]
PARTITIONS = 4
LOG = random_log(6, 6_000, partitions=PARTITIONS)


def test_of_two_workers_with_one_name_the_elder_ends_and_says_why(make_crew: MakeCrew) -> None:
    crew = make_crew(LOG.registry, PARTITIONS)
    write(crew.bootstrap, crew.events, LOG.records)
    elder = crew.start("w0")
    crew.wait_for(PARTITIONS, len(LOG.records))
    younger = crew.start("w0")
    assert elder.exit_code() == 4, elder.story
    assert elder.lines[-1] == (
        f"attente: worker stops: another worker of the group {crew.prefix}attente bears the name w0; "
        "give each its own with --worker"
    )
    assert "Traceback" not in elder.story
    crew.wait_for(PARTITIONS, len(LOG.records))
    assert crew.running() == [younger]
    assert younger.stop() == 0, younger.story


def test_a_worker_that_was_paused_for_longer_than_its_session_shows_nothing_that_it_has_lost(
    make_crew: MakeCrew,
) -> None:
    crew = make_crew(LOG.registry, PARTITIONS)
    half = len(LOG.records) // 2
    flags = ("--checkpoint-events", "500", "--hash-every", "500")
    zombie, other = crew.start("w0", *flags), crew.start("w1", *flags)
    with Watch(crew) as watch:
        write(crew.bootstrap, crew.events, LOG.records[:half])
        crew.wait_for(PARTITIONS, half)
        wait_until(lambda: (zombie.owned(), other.owned()) == ({0, 2}, {1, 3}), "each has its share")
        told = len(zombie.matches("owns "))

        zombie.pause()
        wait_until(lambda: other.shown() == set(range(PARTITIONS)), "the other has taken over")
        write(crew.bootstrap, crew.events, LOG.records[half:])
        wait_until(lambda: other.scrape().total(c.EVENTS_READ) == len(LOG.records), "the other has read everything")
        # These are the first things that it hears when it is back.
        answers = [asked(zombie) for _ in range(3)]
        zombie.resume()
        scrapes = 0
        while True:
            shown = shown_on(answers.pop()()) if answers else zombie.shown()
            if len(zombie.matches("owns ")) > told:
                break  # it has been given partitions again, perhaps while this page was made
            assert shown == set(), zombie.story
            scrapes += 1
        assert scrapes > 0
        crew.wait_for(PARTITIONS, len(LOG.records))
        wait_until(lambda: (zombie.owned(), other.owned()) == ({0, 2}, {1, 3}), "each has its share again")
        crew.wait_for(PARTITIONS, len(LOG.records))
    assert watch.falls == []
    assert watch.rounds > 5

    driver = Driver(parse(written(LOG.registry), "registry.yaml"), PARTITIONS)
    for part in driver.parts:
        part.mark(500, digest)
    driver.feed(LOG.records)
    read, counted, duplicate, refused = driver.account()
    assert crew.total(c.EVENTS_READ) == read
    assert crew.total(c.EVENTS_COUNTED) == counted
    assert crew.total(c.EVENTS_DUPLICATE) == duplicate
    assert crew.total(c.EVENTS_REFUSED) == sum(refused.values())
    wanted = {(part.number, offset): hashed for part in driver.parts for offset, hashed in part.marks}
    assert zombie.hashes() | other.hashes() == wanted
    for place in zombie.hashes().keys() & other.hashes().keys():
        assert zombie.hashes()[place] == other.hashes()[place]
    assert zombie.stop() == 0, zombie.story
    assert other.stop() == 0, other.story


def asked(worker: Worker) -> Callable[[], Reading]:
    """Ask for a page of a worker that does nothing now; the kernel takes the request for it."""
    address = urlsplit(worker.url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=HANG_S)
    connection.request("GET", "/metrics")

    def answered() -> Reading:
        with closing(connection):
            answer = connection.getresponse()
            assert answer.status == 200
            return read(answer.read().decode())

    return answered


def shown_on(page: Reading) -> set[int]:
    """The partitions whose figures a page shows."""
    return {int(row.labels["partition"]) for row in page.rows(c.EVENTS_READ)}
