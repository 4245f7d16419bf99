"""A live network against a real Kafka: what is told, what keys do, and that nothing of it goes on."""

import json
import os
import signal
from pathlib import Path

import pytest

from attente.broker.local import LocalBroker
from demo.demo_command import Command
from demo.demo_terminal import TerminalCommand

pytestmark = pytest.mark.broker

SMALL = ("--offices", "8", "--no-prometheus")
LEAST = ("--offices", "1", "--workers", "1", "--no-prometheus")


def test_two_live_networks_side_by_side_account_for_every_event_of_their_own(
    broker: LocalBroker, tmp_path: Path
) -> None:
    arguments = ("--broker", broker.bootstrap, "--for", "1s", "--json", "-")
    with (
        Command(tmp_path, *SMALL, "--workers", "1", "--seed", "1", *arguments) as first,
        Command(tmp_path, "--offices", "5", "--workers", "1", "--no-prometheus", *arguments) as second,
    ):
        for command, offices in ((first, 8), (second, 5)):
            assert command.result() == 0
            told = json.loads(command.output())
            events = told["events"]
            assert told["settled"]
            assert events["read"] == events["counted"] + events["duplicate"] + events["dead"]
            assert len(told["offices"]) == offices
            # It is the middle of the morning: every office has had visitors, and they are in the account.
            assert all(office["today"]["excluded"] is not None for office in told["offices"])
            assert events["counted"] > told["totals"]["issued"] > 5 * offices
            assert command.said(
                r": live, issued .* waiting .*; within-20: credited_if_within .*partitions shown 8 of 8"
            )
        assert not first.started()  # the folder is that of both
        assert not first.runs_left()


def test_keys_start_and_kill_workers_while_the_figures_stay_right_and_the_terminal_is_given_back(
    broker: LocalBroker, tmp_path: Path
) -> None:
    with TerminalCommand(tmp_path, *SMALL, "--partitions", "2", "--broker", broker.bootstrap) as demo:
        demo.until(lambda: demo.shows("q quits"))
        assert demo.modes() != demo.before
        demo.types("+")
        demo.until(lambda: demo.shows("2 workers run, as many as there are partitions"))
        demo.types("k")
        demo.until(lambda: demo.shows(r"kill -9 w\d \(partitions [\d ]+\)"))
        demo.types("k")
        demo.until(lambda: demo.shows("the last worker is not killed"))
        demo.types("+")
        demo.until(lambda: demo.shows(r"what w\d had is shown by w\d.* after \d"))
        demo.until(lambda: demo.shows(r" w2   ready "))
        demo.types("s")
        demo.until(lambda: demo.shows("by waiting"))
        demo.types("q")

        assert demo.result() == 0
        assert demo.modes() == demo.before
        assert demo.raw.rindex("\x1b[?1049l") > demo.raw.rindex("\x1b[?1049h")  # the screen of before
        assert demo.raw.rindex("\x1b[?25h") > demo.raw.rindex("\x1b[?25l")  # the cursor
        assert "workers killed: 1; in " in demo.output()
        assert not demo.started()
        assert not demo.runs_left()


def test_a_terminal_that_is_closed_ends_a_live_network_and_leaves_nothing(broker: LocalBroker, tmp_path: Path) -> None:
    with TerminalCommand(tmp_path, *LEAST, "--broker", broker.bootstrap) as demo:
        demo.until(lambda: demo.shows("q quits"))
        demo.hang_up()

        assert demo.result() == 0
        assert not demo.started()
        assert not demo.runs_left()


def test_ctrl_c_while_the_network_opens_leaves_nothing(broker: LocalBroker, tmp_path: Path) -> None:
    with Command(tmp_path, *LEAST, "--broker", broker.bootstrap) as demo:
        demo.until(lambda: demo.runs(" simulate --live "))
        demo.signal(signal.SIGINT)

        assert demo.result() == 130
        assert not demo.started()
        assert not demo.runs_left()


def test_a_simulator_that_dies_by_itself_ends_the_demo_and_its_log_stays(broker: LocalBroker, tmp_path: Path) -> None:
    with Command(tmp_path, *LEAST, "--broker", broker.bootstrap) as demo:
        demo.until(lambda: demo.runs("--worker w0 "))
        for pid in [pid for pid, words in demo.started().items() if " simulate --live " in words]:
            os.kill(pid, signal.SIGKILL)

        assert demo.result() == 1
        (why,) = demo.errors()
        assert "simulator has ended by itself by signal SIGKILL" in why
        assert not demo.started()
        (folder,) = demo.runs_left()
        assert (folder / "simulator.log").exists()
