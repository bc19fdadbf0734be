"""Does each toxic do what its name says, and is it counted?"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from tests.faults.proxy import Proxy, Toxic, proxy

WORDS = b"0123456789" * 100


@pytest.fixture
def echo() -> Iterator[int]:
    """Answer each 1,000 bytes with the same bytes; close when the client has closed its side."""
    listener = socket.create_server(("127.0.0.1", 0))

    def talk(con: socket.socket) -> None:
        with con, suppress(OSError):
            while data := con.recv(65536):
                con.sendall(data)

    def run() -> None:
        while True:
            try:
                con, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(con,), daemon=True).start()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def ask(one: Proxy, times: int = 1) -> list[bytes]:
    """Say WORDS so many times on one connection; return what came back each time."""
    with closing(socket.create_connection(("127.0.0.1", one.port), 5)) as con:
        found = []
        for _ in range(times):
            con.sendall(WORDS)
            got = b""
            while len(got) < len(WORDS) and (piece := con.recv(65536)):
                got += piece
            found.append(got)
        return found


def test_without_orders_everything_passes(echo: int) -> None:
    with proxy(echo) as one:
        assert ask(one, 3) == [WORDS] * 3
        assert (one.connections, one.turns, one.fired) == (1, 3, [])


@pytest.mark.parametrize("after", [0, 1, 500, 1000])
def test_limit_ends_in_order_after_so_many_bytes(echo: int, after: int) -> None:
    with proxy(echo) as one:
        one.expect({2: Toxic("limit", after=after)})
        assert ask(one, 2) == [WORDS, WORDS[:after]]
        assert len(one.fired) == 1
        assert ask(one) == [WORDS]


@pytest.mark.parametrize("after", [0, 500])
def test_reset_is_an_error_at_the_client(echo: int, after: int) -> None:
    with proxy(echo) as one:
        one.expect({1: Toxic("reset", after=after)})
        with pytest.raises(ConnectionResetError):
            ask(one)
        assert [toxic.kind for toxic in one.fired] == ["reset"]


def test_a_request_can_be_broken_off_as_an_answer_can(echo: int) -> None:
    with proxy(echo) as one:
        one.expect({1: Toxic("limit", after=10, direction="up")})
        assert ask(one) == [WORDS[:10]] or one.fired


@pytest.mark.parametrize(
    ("toxic", "low"),
    [
        (Toxic("latency", seconds=0.1, jitter=0.05), 0.1),
        (Toxic("slicer", size=100, seconds=0.01), 0.1),
        (Toxic("bandwidth", size=5000), 0.15),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_slow_ways_lose_nothing(echo: int, toxic: Toxic, low: float) -> None:
    with proxy(echo) as one:
        one.expect({0: toxic})
        begun = time.monotonic()
        assert ask(one) == [WORDS]
        assert time.monotonic() - begun >= low * 0.9
        assert one.fired == [toxic]


def test_a_black_hole_answers_nothing_and_closes_nothing(echo: int) -> None:
    with proxy(echo) as one:
        one.expect({1: Toxic("blackhole", after=5)})
        with closing(socket.create_connection(("127.0.0.1", one.port), 5)) as con:
            con.sendall(WORDS)
            assert con.recv(100) == WORDS[:5]
            con.settimeout(0.1)
            with pytest.raises(TimeoutError):
                con.recv(100)
        assert len(one.fired) == 1


def test_a_closed_port_is_refused_until_it_opens_again(echo: int) -> None:
    with proxy(echo) as one:
        one.refuse()
        with pytest.raises(ConnectionRefusedError):
            ask(one)
        one.accept()
        assert ask(one) == [WORDS]
