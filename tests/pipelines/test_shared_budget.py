"""Two runs of one connection share its budget: counted where the requests arrive."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from connectors.rate import Rate, parse_rates
from pipelines.control import Control
from pipelines.shelves import ControlShelf
from pipelines.workspace import PROJECT


@contextmanager
def counting_server() -> Iterator[tuple[str, list[float]]]:
    """Serve an empty list and note when each request arrived."""
    arrived: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            arrived.append(time.monotonic())
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            self.wfile.write(head + b"Content-Length: 2\r\n\r\n[]")

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", arrived
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def hammer(url: str, base: str, rates: str, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.hammer", url, base, rates, str(seconds)],
        cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def most(arrived: list[float], seconds: float) -> int:
    """Return the greatest number of arrivals in any window of so many seconds."""
    times = sorted(arrived)
    return max(sum(1 for t in times[n:] if t - first < seconds) for n, first in enumerate(times))


def test_two_processes_never_exceed_the_limits_and_use_them(tmp_path: Path, capsys):
    rates, binding = "20/s, 24/2s", Rate(24, 2.0)
    url = f"sqlite:///{tmp_path / 'control.db'}"
    with counting_server() as (base, arrived):
        running = [hammer(url, base, rates, 4.5) for _ in range(2)]
        for one in running:
            assert one.stdout.readline() == "ready\n"
        for one in running:
            one.stdin.write("go\n")
            one.stdin.flush()
        sent = [int(one.communicate(timeout=60)[0]) for one in running]
    assert sum(sent) == len(arrived)
    assert min(sent) > 0.3 * max(sent)  # neither starves
    for rate in parse_rates(rates):
        fullest = most(arrived, rate.seconds) / rate.count
        windows = int((max(arrived) - min(arrived)) / rate.seconds)
        early = sum(1 for at in arrived if at - min(arrived) < windows * rate.seconds)
        used = early / (windows * rate.count)
        with capsys.disabled():
            print(f"\n{rate.name} s: fullest window {fullest:.2f} of the limit, mean {used:.2f}")
        assert fullest <= 1.0
        assert used >= (0.9 if rate == binding else 0.0)


def test_a_killed_process_does_not_stop_the_next_run(tmp_path: Path):
    """It dies with the only place of the window taken; the next waits for a window, not for it."""
    url = f"sqlite:///{tmp_path / 'control.db'}"
    code = (
        "import sys, os, signal\n"
        "from connectors.rate import Budget, parse_rates\n"
        "from pipelines.control import Control\n"
        "from pipelines.shelves import ControlShelf\n"
        "c = Control(sys.argv[1])\n"
        "b = Budget(parse_rates('1/s'), ControlShelf(lambda: c, 'shop'), now=lambda: 1000.0,\n"
        "           pause=lambda s: None, patience=100, longest=50)\n"
        "b.take()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, url], cwd=PROJECT).returncode == -9
    from connectors.rate import Budget

    control, at = Control(url), [1000.0]

    def pause(seconds: float) -> None:
        at[0] += seconds

    shelf = ControlShelf(lambda: control, "shop")
    budget = Budget(
        parse_rates("1/s"), shelf, now=lambda: at[0], pause=pause, patience=100, longest=50
    )
    assert 0.9 < budget.take().waited < 1.1
    assert ControlShelf(lambda: control, "other").read() is None
    control.close()


def test_the_owner_is_known_to_live_and_another_machine_is_not_judged():
    shelf = ControlShelf(lambda: pytest.fail("not opened"), "shop")
    assert not shelf.is_dead(shelf.owner)
    assert shelf.is_dead(shelf.owner.replace('"pid": ', '"pid": 9999'))
    assert not shelf.is_dead(shelf.owner.replace('"host": "', '"host": "else'))
    assert not shelf.is_dead("rubbish")
