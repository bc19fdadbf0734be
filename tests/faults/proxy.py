"""A TCP proxy on loopback that does what networks do: toxics as data, ordered by turn, counted."""

from __future__ import annotations

import contextlib
import random
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "latency",  # `seconds` (and up to `jitter` more) before the first byte
    "bandwidth",  # `size` bytes a second
    "slicer",  # `size` bytes at a time, `seconds` between
    "reset",  # RST after `after` bytes
    "limit",  # an orderly close after `after` bytes
    "slow_close",  # the end of the answer comes `seconds` late
    "blackhole",  # nothing passes after `after` bytes, and nothing is closed
]
_STEP = 65536


@dataclass(frozen=True)
class Toxic:
    """One thing to do wrong to one direction of a turn: down is from the server to the client."""

    kind: Kind
    after: int = 0
    seconds: float = 0.0
    jitter: float = 0.0
    size: int = 0
    direction: Literal["down", "up"] = "down"


class Proxy:
    """Passes connections on to `upstream`, a port on loopback; one thread a connection.

    A turn is what a client says until the server has answered and the client speaks again: one
    HTTP request, whether connections are kept or not. Turns are numbered from 1 over all
    connections since `expect`. `fired` lists what came to play; `on_fire` is told, in a thread.
    """

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.connections = 0
        self.turns = 0
        self.fired: list[Toxic] = []
        self.on_fire: Callable[[Toxic], None] = lambda toxic: None
        self.port = 0
        self.ended = threading.Event()
        self._orders: dict[int, Toxic] = {}
        self._listener: socket.socket | None = None
        self._threads: list[threading.Thread] = []
        self.accept()

    @property
    def url(self) -> str:
        """Where clients go."""
        return f"http://127.0.0.1:{self.port}"

    def expect(self, orders: dict[int, Toxic] | None = None) -> None:
        """Number turns anew and play `orders` at their turns; turn 0 stands for every turn."""
        self._orders = dict(orders or {})
        self.turns = 0

    def refuse(self) -> None:
        """Close the port: the next connections are refused by the system itself."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def accept(self) -> None:
        """Open the port (again, the same)."""
        self._listener = listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._start(self._listen, listener)

    def close(self) -> None:
        """End everything and wait for it."""
        self.ended.set()
        self.refuse()
        for thread in self._threads:
            thread.join(5)

    def _start(self, work: Callable[[socket.socket], None], sock: socket.socket) -> None:
        thread = threading.Thread(target=work, args=(sock,), daemon=True)
        self._threads = [t for t in self._threads if t.is_alive()] + [thread]
        thread.start()

    def _listen(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            server = socket.create_connection(("127.0.0.1", self.upstream), 5)
            with server:
                _Link(self, client, server).run()

    def turn(self) -> Toxic | None:
        """Begin the next turn and return what is to be played in it."""
        self.turns += 1
        return self._orders.get(self.turns, self._orders.get(0))

    def fire(self, toxic: Toxic) -> None:
        """Count a toxic that acts."""
        self.fired.append(toxic)
        self.on_fire(toxic)


class _Link:
    """One client's connection: both directions see the same turn."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self.proxy = proxy
        self.client, self.server = client, server
        self.toxic: Toxic | None = None
        self.answered = True
        self.passed = 0
        self.acted = False

    def run(self) -> None:
        """Pass bytes on until a side has ended or a toxic ends both."""
        sides = [self.client, self.server]
        while not self.proxy.ended.is_set():
            ready, _, _ = select.select(sides, [], [], 0.1)
            for side in ready:
                data = side.recv(_STEP)
                if not data or not self._pass(data, side):
                    self._end(side)
                    return

    def _pass(self, data: bytes, side: socket.socket) -> bool:
        way = "up" if side is self.client else "down"
        if way == "up" and self.answered:
            self.toxic, self.answered = self.proxy.turn(), False
            self.passed, self.acted = 0, False
        self.answered = self.answered or way == "down"
        toxic = self.toxic if self.toxic and self.toxic.direction == way else None
        return self._send(data, self.server if way == "up" else self.client, toxic)

    def _end(self, side: socket.socket) -> None:
        toxic = self.toxic
        if side is self.server and toxic is not None and toxic.kind == "slow_close":
            self._act(toxic)
            self.proxy.ended.wait(toxic.seconds)

    def _send(self, data: bytes, to: socket.socket, toxic: Toxic | None) -> bool:
        """Send on as the toxic has it; return False where the connection is over."""
        if toxic is None or toxic.kind == "slow_close":
            to.sendall(data)
        elif toxic.kind == "latency":
            if not self.acted:
                time.sleep(toxic.seconds + random.uniform(0, toxic.jitter))
            self._act(toxic)
            to.sendall(data)
        elif toxic.kind in ("bandwidth", "slicer"):
            self._act(toxic)
            size = toxic.size if toxic.kind == "slicer" else max(toxic.size // 20, 1)
            for at in range(0, len(data), size):
                to.sendall(data[at : at + size])
                if self.proxy.ended.wait(toxic.seconds or size / toxic.size):
                    return False
        else:
            return self._break_off(data, to, toxic)
        return True

    def _break_off(self, data: bytes, to: socket.socket, toxic: Toxic) -> bool:
        left = max(toxic.after - self.passed, 0)
        self.passed += len(data)
        if left > len(data):
            to.sendall(data)
            return True
        self._act(toxic)
        to.sendall(data[:left])
        if toxic.kind == "blackhole":
            while not self.proxy.ended.is_set():
                ready, _, _ = select.select([self.client], [], [], 0.05)
                if ready and not self.client.recv(_STEP):
                    break
        elif toxic.kind == "reset":
            time.sleep(0.01)  # an RST overtakes what the client has not read yet
            rst = struct.pack("ii", 1, 0)
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, rst)
        return False

    def _act(self, toxic: Toxic) -> None:
        if not self.acted:
            self.acted = True
            self.proxy.fire(toxic)


@contextlib.contextmanager
def proxy(upstream: int) -> Iterator[Proxy]:
    """Run a proxy in front of a port while the block runs."""
    made = Proxy(upstream)
    try:
        yield made
    finally:
        made.close()
