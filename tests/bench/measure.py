"""What a side measures of itself, and the one line that it prints. Standard library only.

A side is a fresh process a step, so its peak is that step's own. Peers run it too, by the Python of
their own environment.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

STARTED = "BENCH_STARTED"
"""Environment variable: `time.time()` at which the bench started this process."""
MEMORY_CAP = "BENCH_MEMORY_CAP"
"""Environment variable: bytes of address space that a side may take, so that the machine lives."""


def preload(*names: str) -> None:
    """Import what a library would import when first used, so that it is not in the figures."""
    for name in names:
        importlib.import_module(name)


class Meter:
    """Wall and CPU seconds of named parts; made when all imports are done.

    CPU counts all threads and ended child processes. Modules imported inside a part are named in
    `late_imports`: their cost is in the figures. Peak memory is taken at the end of the last part,
    before anything is checked; of several processes it is the largest one's.
    """

    def __init__(self) -> None:
        cap = int(os.environ.get(MEMORY_CAP) or 0)
        if cap:
            resource.setrlimit(resource.RLIMIT_AS, (cap, cap))
        began = float(os.environ.get(STARTED) or time.time())
        self.imports = {"wall": time.time() - began, "cpu": _cpu()}
        self.parts: dict[str, dict[str, float]] = {}
        self.late: set[str] = set()
        self.peak = 0

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Measure the block under `name`; a name met again is added to."""
        modules, wall, cpu = set(sys.modules), time.perf_counter(), _cpu()
        yield
        found = self.parts.setdefault(name, {"wall": 0.0, "cpu": 0.0})
        found["wall"] += time.perf_counter() - wall
        found["cpu"] += _cpu() - cpu
        self.late |= set(sys.modules) - modules
        self.peak = max(_peak(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)

    def tell(self, check: dict[str, Any], **more: Any) -> None:
        """Print the figures as the last line; `check` holds counts (int) and sums (text)."""
        said = {
            "parts": self.parts,
            "imports": self.imports,
            "late_imports": sorted(self.late),
            "peak_mb": self.peak / 1024,
            "check": check,
            **more,
        }
        print(json.dumps(said))


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _peak() -> int:
    """Return kilobytes; `ru_maxrss` would be the bench's own where that was larger at the start."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise RuntimeError("the kernel tells no VmHWM")
