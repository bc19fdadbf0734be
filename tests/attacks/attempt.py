"""What an attack family reports, and what its members share: guarded network, memory, a folder."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil
from pydantic import ValidationError

from connectors.errors import ConnectorError
from mappings.errors import MappingError
from mappings.yamltext import YamlError
from pipelines.cli.codes import CliError
from warehouse.errors import WarehouseError

TYPED = (ConnectorError, ValidationError, MappingError, YamlError, CliError, WarehouseError)
"""Errors that say what happened and what to do. Any other is a crash, and counts against us."""

Outcome = Literal["refused", "bounded", "handled", "succeeded"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attack that was tried.

    refused: a typed error named it. bounded: it ran and was stopped by a limit. handled: it was
    taken as the plain data that it is, whole and without effect. succeeded: the product is broken.
    `searches` are the spellings looked for to judge it, where there were any.
    """

    id: str
    name: str
    outcome: Outcome
    detail: str = ""
    searches: int = 0


@dataclass(slots=True)
class Family:
    """The attempts of one row of the sheet; `seconds` is wall time."""

    id: str
    title: str
    attempts: list[Attempt] = field(default_factory=list)
    seconds: float = 0.0

    def counts(self) -> Counter[str]:
        """Return how many attempts had each outcome."""
        return Counter(attempt.outcome for attempt in self.attempts)

    @property
    def succeeded(self) -> list[Attempt]:
        """The attempts that broke the product."""
        return [attempt for attempt in self.attempts if attempt.outcome == "succeeded"]


@dataclass(frozen=True, slots=True)
class Task:
    """Where a family works, and whether only its fast part is wanted."""

    folder: Path
    quick: bool = False

    def inner(self, name: str) -> Path:
        """Return a folder of its own below."""
        made = self.folder / name
        made.mkdir(parents=True, exist_ok=True)
        return made


@dataclass(slots=True)
class Wire:
    """Every address that a socket was told to connect to, and the names that were resolved."""

    reached: list[tuple[str, int]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@contextmanager
def guarded_wire(names: Callable[[str, int], list[str]] | None = None) -> Iterator[Wire]:
    """Record every connect; let none but loopback leave; answer names from `names`.

    `names(host, nth)` gives the addresses of the nth question about a host, or nothing.
    """
    wire, counted = Wire(), Counter[str]()
    connect, resolve = socket.socket.connect, socket.getaddrinfo

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family not in (socket.AF_INET, socket.AF_INET6):
            return connect(self, address)
        wire.reached.append((str(address[0]), int(address[1])))
        if not str(address[0]).startswith(("127.", "::1", "::ffff:127.", "0.0.0.0")):
            raise ConnectionRefusedError("nothing leaves this machine")
        return connect(self, address)

    def answered(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        text = host.decode() if isinstance(host, bytes) else str(host)
        wire.asked.append(text)
        counted[text] += 1
        found = names(text, counted[text]) if names else []
        if not found:
            return resolve(host, port, *args, **more)
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (ip, port, 0, 0))
            if ":" in ip
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port))
            for ip in found
        ]

    socket.socket.connect = guarded  # type: ignore[method-assign,assignment]
    socket.getaddrinfo = answered
    try:
        yield wire
    finally:
        del socket.socket.connect
        socket.getaddrinfo = resolve


@dataclass(slots=True)
class Cost:
    """What a block cost: seconds of wall time and of processor, megabytes it grew by at its peak.

    The machine may be shared: limits are on `cpu`, the time of this process.
    """

    seconds: float = 0.0
    cpu: float = 0.0
    megabytes: float = 0.0


@contextmanager
def measured() -> Iterator[Cost]:
    """Measure a block; memory is looked at every five milliseconds."""
    process, cost, done = psutil.Process(), Cost(), threading.Event()
    before = process.memory_info().rss
    peak = before

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.005):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    begun, own = time.perf_counter(), time.process_time()
    try:
        yield cost
    finally:
        cost.cpu = time.process_time() - own
        cost.seconds = time.perf_counter() - begun
        peak = max(peak, process.memory_info().rss)
        done.set()
        watcher.join()
        cost.megabytes = (peak - before) / 1e6


def refused(id: str, name: str, error: BaseException) -> Attempt:
    """Return the attempt that ended by `error`: refused by a typed one, else a success."""
    if isinstance(error, TYPED):
        return Attempt(id, name, "refused", said(error))
    return Attempt(id, name, "succeeded", f"crashed: {said(error)}")


def said(error: BaseException) -> str:
    """Return an error in one short line for the detail of an attempt."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:160]
