"""A forked child that syncs, tells each crash point that it passes, and may be killed anywhere."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from tests.faults.world import World
from warehouse import crashpoints

KILLED = -int(signal.SIGKILL)
LIMIT = 120.0
"""Seconds after which a child that does not end is killed and counts as hung."""


class Child:
    """Runs `work` in a fork. `heard` are the crash points that it passed, in order.

    `crash_at` and `by` as in warehouse/crashpoints.py. The child waits at its first arrival at
    `hold_at` until `go` is called. What `say` is told in the child is heard, too.
    """

    def __init__(
        self,
        made: World,
        work: Callable[[], object],
        *,
        crash_at: str = "",
        by: str = "KILL",
        hold_at: str = "",
    ) -> None:
        self.heard: list[str] = []
        self.heard_at: dict[str, float] = {}
        self.began = time.monotonic()
        self._rest = b""
        self._held = False
        self._from, self._to = os.pipe()
        wait, self._release = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                os.close(self._from)
                os.close(self._release)
                # A background job of a shell has SIGINT ignored, and so would we.
                signal.signal(signal.SIGINT, signal.default_int_handler)
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                os.environ["ISTHMUS_CRASH_AT"] = crash_at
                os.environ["ISTHMUS_CRASH_SIGNAL"] = by
                crashpoints.told = lambda point: self._tell(point, hold_at, wait)
                made.space = made.discover()
                code = int(getattr(work(), "error", None) is not None)
            except KeyboardInterrupt:
                code = 130
            finally:
                os._exit(code)
        os.close(self._to)
        os.close(wait)

    def _tell(self, point: str, hold_at: str, wait: int) -> None:
        self.say(point)
        if point == hold_at and not self._held:
            self._held = True
            os.read(wait, 1)

    def say(self, text: str) -> None:
        """In the child: tell the parent a line."""
        os.write(self._to, text.encode() + b"\n")

    def go(self) -> None:
        """Let a child go on that waits where it was told to."""
        with suppress(BrokenPipeError):  # it has ended before
            os.write(self._release, b".")

    def until(self, text: str, seconds: float = LIMIT) -> bool:
        """Listen until `text` is heard; False where the child ended or time is over."""
        end = time.monotonic() + seconds
        while text not in self.heard:
            if not self._listen(end):
                return False
        return True

    def kill_after(self, seconds: float, *, by: int = signal.SIGKILL) -> None:
        """Send a signal after so many seconds, unless it has ended."""
        end = time.monotonic() + seconds
        while self._listen(end):
            pass
        os.kill(self.pid, by)  # not waited for yet: the pid is still its own

    def wait(self, seconds: float = LIMIT) -> int:
        """Return its exit code (-9: killed; 130: interrupted); a hung one is killed: -99."""
        end = time.monotonic() + seconds
        while self._listen(end):
            pass
        code = -99
        if time.monotonic() >= end:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        else:
            code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.ended = time.monotonic()
        for handle in (self._from, self._release):
            os.close(handle)
        return code

    def _listen(self, end: float) -> bool:
        """Hear what is said; False once the child has closed its end or time is over."""
        left = end - time.monotonic()
        if left <= 0 or not select.select([self._from], [], [], left)[0]:
            return False
        said = os.read(self._from, 65_536)
        *lines, self._rest = (self._rest + said).split(b"\n")
        for line in lines:
            self.heard.append(line.decode())
            self.heard_at.setdefault(line.decode(), time.monotonic())
        return bool(said)


def play(made: World, words: Sequence[str], **how: bool) -> object:
    """Do what `words` name in their order: streams, or "publish"; `how` goes to the syncs.

    Stops at the first that reports an error and returns its outcome.
    """
    outcome: object = None
    for word in words:
        outcome = made.publish(keep=False) if word == "publish" else made.sync(word, **how)
        if getattr(outcome, "error", None) is not None:
            return outcome
    return outcome
