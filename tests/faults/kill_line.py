"""Runs `isthmus` commands of an installation in processes of their own, which may be killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType

from pipelines.workspace import PROJECT
from tests.support.deployed import Place

LIMIT = 300.0


class Line:
    """A forker that has imported what commands need: a child begins at once."""

    def __init__(self, place: Place) -> None:
        self._folder: Path = place.folder
        env = place.env | {"ISTHMUS_LANG": "en", "PYTHONPATH": str(PROJECT)}
        self._forker = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.through_forker"],
            env=env, cwd=place.srv, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        if self._answer() != "ready":
            raise RuntimeError("the command line does not start")

    def __enter__(self) -> Line:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._forker.communicate(timeout=LIMIT)

    def _answer(self) -> str:
        assert self._forker.stdout is not None
        return self._forker.stdout.readline().strip()

    def call(self, *words: str, after: float | None = None) -> int:
        """Run `isthmus WORDS`, killed `after` seconds; its exit code, -9 where it was killed."""
        assert self._forker.stdin is not None
        out, err = (str(self._folder / name) for name in ("line.out", "line.err"))
        order = {"words": words, "env": {}, "out": out, "err": err}
        self._forker.stdin.write(json.dumps(order) + "\n")
        self._forker.stdin.flush()
        pid = int(self._answer())
        timer = threading.Timer(LIMIT if after is None else after, _kill, (pid,))
        timer.start()
        code = int(self._answer())
        timer.cancel()
        return code


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
