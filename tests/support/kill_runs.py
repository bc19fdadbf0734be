"""Runs syncs in children that may be killed: imports once, then forks a child for each line read.

A line is JSON: `home`, `defs`, `work` (names of WORK), `crash_at` (a crash point or ""), `after`
(seconds until SIGKILL, or null), and, where a batch is not to be of the product's size, `batch`
(its records). The answer is the child's exit code (-9: killed) and its seconds.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from typing import Any

from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from warehouse import writer


def discover(order: dict[str, Any]) -> Workspace:
    """Return the workspace that a line names."""
    return Workspace.discover({"ISTHMUS_HOME": order["home"], "ISTHMUS_DEFS": order["defs"]})


def work(space: Workspace, names: list[str]) -> int:
    """Do what `names` say, in their order; 0 when all went well."""
    for name in names:
        if name == "publish":
            outcome = unify_publish(space)
        else:
            stream, _, how = name.partition(":")
            named = {word: True for word in how.split(",") if word}
            outcome = sync_stream(space, "shop", stream, **named)
        if outcome.error is not None:
            print(f"{name}: {outcome.error}", file=sys.stderr, flush=True)
            return 1
    return 0


def main() -> None:
    """Serve lines until stdin ends."""
    for line in sys.stdin:
        order = json.loads(line)
        if order["crash_at"] == "warm up":  # what a process pays once, it pays here
            code = work(discover(order), order["work"])
            print(json.dumps({"code": code, "seconds": 0}), flush=True)
            continue
        began = time.monotonic()
        child = os.fork()
        if child == 0:
            os.environ["ISTHMUS_CRASH_AT"] = order["crash_at"]
            writer.MAX_RECORDS = order.get("batch", writer.MAX_RECORDS)
            if order["after"] is not None:
                kill = threading.Timer(order["after"], os.kill, (os.getpid(), signal.SIGKILL))
                kill.daemon = True
                kill.start()
            os._exit(work(discover(order), order["work"]))
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        print(json.dumps({"code": code, "seconds": time.monotonic() - began}), flush=True)


if __name__ == "__main__":
    main()
