"""Which process is this, and does another one still live: host, boot id, pid, start time."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

# Dagster shows no tag of this prefix: the runs page is for people.
TAG = ".dagster/isthmus_process"


@dataclass(frozen=True, slots=True)
class Process:
    """A process, told apart from every other one with the same pid. `started` is epoch seconds."""

    host: str
    boot: str
    pid: int
    started: float

    def is_dead(self) -> bool | None:
        """Say whether it has ended; None where this machine cannot know (another host)."""
        here = this_process()
        if self.host != here.host:
            return None
        if self.boot != here.boot:
            return True
        try:
            other = psutil.Process(self.pid)
            # A second apart is the same process: the start time is rounded differently by reader.
            return (
                abs(other.create_time() - self.started) > 1
                or other.status() == psutil.STATUS_ZOMBIE
            )
        except psutil.NoSuchProcess:
            return True
        except psutil.AccessDenied:
            return False

    def tags(self, run_id: str) -> dict[str, str]:
        """Return it as tags of the Dagster run that it executes.

        The run's id is among them: a re-execution inherits all tags of its parent, and must not be
        taken to be run by the parent's process.
        """
        said = {"run": run_id, "host": self.host, "boot": self.boot, "pid": self.pid}
        return {TAG: json.dumps({**said, "started": self.started})}

    @classmethod
    def of_run(cls, run_id: str, tags: Mapping[str, str]) -> Process | None:
        """Return the process that a run's own tags name, None where they name none."""
        try:
            said = json.loads(tags[TAG])
            if said["run"] != run_id:
                return None
            return cls(said["host"], said["boot"], int(said["pid"]), float(said["started"]))
        except (KeyError, ValueError, TypeError):
            return None


def this_process() -> Process:
    """Return the process that asks; right after a fork too."""
    pid = os.getpid()
    return Process(socket.gethostname(), _boot_id(), pid, psutil.Process(pid).create_time())


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:  # not Linux: the second of the boot is as good
        return f"boot-{int(psutil.boot_time())}"
