"""Dagster's webserver and daemon for one workspace, as a child of this process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

from pipelines.dagster_home import prepare
from pipelines.workspace import Workspace

PORT = 3000
WAIT_SECONDS = 20.0


def serve(space: Workspace, port: int, ended: threading.Event) -> int:
    """Run webserver and daemon until `ended` is set or they end by themselves; the exit code."""
    from pipelines.definitions import LOCATION

    space.export()
    # The location's name is in every recorded run: under another one the UI re-executes none.
    services = prepare(space) / "workspace.yaml"
    services.write_text(
        "load_from:\n  - python_module:\n      module_name: pipelines.definitions\n"
        f"      location_name: {LOCATION}\n"
    )
    child = subprocess.Popen(  # noqa: S603 - our own interpreter and a number from our own user
        [
            *(sys.executable, "-W", "ignore", "-m", "dagster", "dev"),
            *("-w", str(services), "-h", "127.0.0.1", "-p", str(port)),
        ],
        start_new_session=True,
    )
    while not ended.is_set() and child.poll() is None:
        ended.wait(0.5)
    _end(child)
    return 0 if ended.is_set() else child.returncode


def _end(child: subprocess.Popen[bytes]) -> None:
    """End `dagster dev` with its webserver and daemon.

    It ends them on an interrupt alone, and takes none where it was started in the background of a
    shell; on any other signal it leaves them behind. So its whole group is told then.
    """
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
    for how in (signal.SIGTERM, signal.SIGKILL):
        with suppress(subprocess.TimeoutExpired):
            child.wait(WAIT_SECONDS)
            return
        os.killpg(child.pid, how)
