"""A process under measurement, and how fast a count grew."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.process import Failed, Process, cpu_of, peak_of
from benchmarks.progress import Point, finish

Start = Callable[[str], Process]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    def run(program: str) -> Process:
        return Process(
            [sys.executable, "-u", "-c", program], {"SAID": "by the bench"}, tmp_path / "a" / "log", tmp_path
        )

    return run


def test_cpu_time_is_user_and_system_whatever_the_name_of_the_process() -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    stat = f"42 (a b) c)) S 1 2 3 4 5 6 7 8 9 10 {3 * ticks} {ticks // 2} 5 6 20 0 3 0 100"
    assert cpu_of(stat) == 3.5


def test_peak_memory_is_the_high_water_mark() -> None:
    assert peak_of("Name:\tpython\nVmPeak:\t 999 kB\nVmHWM:\t  2048 kB\nVmRSS:\t 1024 kB\n") == 2 * 1024 * 1024


def test_what_it_says_is_heard_once_with_its_time_and_kept_in_the_log(start: Start, tmp_path: Path) -> None:
    with start("import time\nprint('a 1'); print('b 2'); print('a 3'); time.sleep(60)") as process:
        first, found = process.hear(r"a (\d)", 30)
        later, other = process.hear(r"a (\d)", 30, since=1)
        assert (found[1], other[1]) == ("1", "3")
        assert process.started < first <= later
    assert (tmp_path / "a" / "log").read_text() == "a 1\nb 2\na 3\n"


def test_a_process_that_ends_before_it_says_what_is_awaited_is_an_error_with_its_last_words(start: Start) -> None:
    with start("print('no broker')") as process, pytest.raises(Failed, match="'owns' and ended: no broker"):
        process.hear("owns", 30)


def test_leaving_the_context_ends_the_process(start: Start) -> None:
    with start("import time; print('up'); time.sleep(60)") as process:
        process.hear("up", 30)
        assert process.is_running
    assert not process.is_running


def test_settings_of_the_product_in_the_environment_do_not_reach_it(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTENTE_HASH_EVERY", "1")
    with start("import os; print(sorted(k for k in os.environ if k.startswith(('ATTENTE', 'SAID'))))") as process:
        _, found = process.hear(r"\[.*\]", 30)
    assert found[0] == "['SAID']"


def test_a_stop_that_ends_with_an_error_fails(start: Start) -> None:
    program = (
        "import signal, sys, time\nsignal.signal(15, lambda *_: sys.exit(3))\nprint('up')\nwhile True: time.sleep(1)"
    )
    with start(program) as process:
        process.hear("up", 30)
        with pytest.raises(Failed, match="ended with 3 after SIGTERM: up"):
            process.stop()


def test_cpu_time_grows_with_work_and_settles_without(start: Start) -> None:
    with start("import time\nsum(range(10**7))\nprint('done')\ntime.sleep(60)") as process:
        process.hear("done", 30)
        used = process.settle(quiet_s=0.1)
        assert used > 0.05
        assert process.cpu_s - used < 0.05
        assert process.peak_bytes > 1_000_000


# finish


def test_the_end_is_estimated_between_the_last_news_of_an_unfinished_count_and_its_end() -> None:
    #  s   10     11     12     13
    #      100    300    500    550 told, though at 200/s the last 50 took a quarter of a second
    points = [Point(9, 0), Point(10, 100), Point(11, 300), Point(12, 500), Point(13, 550)]
    assert finish(points, 550) == 12.25


def test_the_end_is_never_later_than_it_was_told() -> None:
    assert finish([Point(0, 0), Point(1, 10), Point(2, 20), Point(3, 100)], 100) == 3


def test_with_less_than_two_points_on_the_way_the_end_is_when_it_was_told() -> None:
    assert finish([Point(0, 0), Point(1, 10), Point(2, 100)], 100) == 2


def test_a_count_that_never_ended_has_no_end() -> None:
    with pytest.raises(ValueError, match="stands at 20 of 100"):
        finish([Point(0, 0), Point(1, 20)], 100)
