"""Two runs never read one stream at once; a dead holder stops nobody."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.control import Control
from pipelines.leases import EXPIRES, RENEW, AlreadyRunning, LeaseLost, lease
from pipelines.process import Process, this_process
from pipelines.workspace import PROJECT

START = datetime(2026, 3, 1, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def control(control_url: str):
    made = Control(control_url)
    yield made
    made.close()


def take(control: Control, run: str, clock: Clock, stream: str = "orders"):
    return lease(control, "shop", stream, run, clock)


def hold_as(control: Control, holder: Process, run: str = "other") -> None:
    values = {
        "connection": "shop", "stream": "orders", "token": "t", "run_id": run,
        "host": holder.host, "boot": holder.boot, "pid": holder.pid, "started": holder.started,
        "taken_at": START, "renewed_at": START,
    }  # fmt: skip
    assert control.take_lease(values) is None


def dead_process() -> Process:
    """Return a process that has ended, whose pid may be given to another one later."""
    script = "from pipelines.process import this_process as t; p = t(); print(p.pid, p.started)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=PROJECT
    )
    pid, started = done.stdout.split()
    return dataclasses.replace(this_process(), pid=int(pid), started=float(started))


def test_a_second_run_is_told_which_run_holds_the_stream(control: Control):
    with (
        take(control, "run-1", Clock()),
        pytest.raises(AlreadyRunning, match="already running in run run-1"),
        take(control, "run-2", Clock()),
    ):
        pass


def test_other_streams_of_the_connection_are_free(control: Control):
    with take(control, "a", Clock()), take(control, "b", Clock(), stream="stock"):
        assert len(control.held_leases()) == 2
    assert control.held_leases() == []


def test_a_lease_is_given_back_when_its_run_fails(control: Control):
    with pytest.raises(ZeroDivisionError), take(control, "a", Clock()):
        raise ZeroDivisionError
    with take(control, "b", Clock()):
        pass


@pytest.mark.parametrize("how", ["ended", "pid given again", "machine restarted"])
def test_the_lease_of_a_dead_holder_is_taken_over(control: Control, how: str):
    me = this_process()
    holder = {
        "ended": dead_process,
        "pid given again": lambda: dataclasses.replace(me, started=me.started - 1000),
        "machine restarted": lambda: dataclasses.replace(me, boot="another boot"),
    }[how]()
    hold_as(control, holder)
    with take(control, "next", Clock()):
        assert [row["run_id"] for row in control.held_leases()] == ["next"]


def test_a_holder_on_another_machine_dies_by_silence_alone(control: Control):
    hold_as(control, dataclasses.replace(this_process(), host="elsewhere"))
    clock = Clock()
    clock.at = START + EXPIRES - timedelta(seconds=1)
    with pytest.raises(AlreadyRunning, match="elsewhere"), take(control, "next", clock):
        pass
    clock.at = START + EXPIRES + timedelta(seconds=1)
    with take(control, "next", clock):
        pass


def test_a_run_that_lost_its_lease_stops(control: Control):
    clock = Clock()
    with take(control, "slow", clock) as held:
        held.renew()  # too early to write: says nothing
        control.give_back(held.token)
        clock.at += RENEW
        with pytest.raises(LeaseLost):
            held.renew()


def test_one_of_many_that_ask_at_once_gets_a_dead_holders_lease(control: Control):
    hold_as(control, dead_process())
    barrier, release = threading.Barrier(6), threading.Event()
    got: list[str] = []

    def ask(name: str) -> None:
        barrier.wait()
        try:
            with take(control, name, Clock()):
                got.append(name)
                release.wait(20)
        except AlreadyRunning:
            got.append("busy")
            if got.count("busy") == 5:
                release.set()

    askers = [threading.Thread(target=ask, args=(f"r{n}",)) for n in range(6)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert got.count("busy") == 5
