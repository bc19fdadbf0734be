"""A raw HTTP server before a shop: bodies framed by length, by chunks, or by the end alone."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Literal, get_args

from connectors.rest.faults import Reply
from connectors.rest.simulator import RestSimulator

Framing = Literal["length", "chunked", "end"]
FRAMINGS: tuple[Framing, ...] = get_args(Framing)


class Door:
    """Serves `shop`, one thread a connection, which ends after one answer unless `keeps`.

    `after` is told the number of each answer before it is sent.
    """

    def __init__(self, *, wrap: Callable[[socket.socket], socket.socket] | None = None) -> None:
        self.shop: RestSimulator | None = None
        self.framing: Framing = "length"
        self.keeps = False
        self.answers = 0
        self.after: Callable[[int], None] = lambda number: None
        self._wrap = wrap or (lambda con: con)
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads: list[threading.Thread] = []
        self._start(self._listen)

    @property
    def url(self) -> str:
        """Where clients go without a proxy."""
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """End everything and wait for it."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads = [t for t in self._threads if t.is_alive()] + [thread]
        thread.start()

    def _listen(self) -> None:
        while True:
            try:
                con, _ = self._listener.accept()
            except OSError:
                return
            con.settimeout(5)
            self._start(lambda con=con: self._serve(con))  # type: ignore[misc]

    def _serve(self, plain: socket.socket) -> None:
        with plain, contextlib.suppress(OSError), self._wrap(plain) as con:
            while True:
                text = b""
                while b"\r\n\r\n" not in text:
                    piece = con.recv(65536)
                    if not piece:
                        return
                    text += piece
                with self._lock:
                    reply = self._answer(text)
                    self.answers += 1
                    self.after(self.answers)
                con.sendall(self._framed(reply))
                if not self.keeps or self.framing == "end":
                    return

    def _answer(self, text: bytes) -> Reply:
        head, _, body = text.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {n.lower(): v.strip() for n, _, v in (x.partition(":") for x in lines)}
        path, _, query = target.partition("?")
        assert self.shop is not None
        return self.shop.answer(method, path, query, headers, body)

    def _framed(self, reply: Reply) -> bytes:
        headers = {"content-type": "application/json", **reply.headers}
        if not self.keeps or self.framing == "end":
            headers["connection"] = "close"
        body = reply.body
        if self.framing == "length":
            headers["content-length"] = str(len(body))
        elif self.framing == "chunked":
            headers["transfer-encoding"] = "chunked"
            half = len(body) // 2
            chunks = [part for part in (body[:half], body[half:]) if part]
            body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in chunks)
            body += b"0\r\n\r\n"
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {reply.status} Answer\r\n{lines}\r\n".encode() + body


@contextlib.contextmanager
def door(wrap: Callable[[socket.socket], socket.socket] | None = None) -> Iterator[Door]:
    """Open a door while the block runs; the caller sets `shop`."""
    made = Door(wrap=wrap)
    try:
        yield made
    finally:
        made.close()
