"""Runs `isthmus` commands in processes of their own that need not import Dagster first.

Imports once, then forks a child for each JSON line of stdin: `words`, `env`, `out` and `err`
(files). Answers with two lines: the child's pid, and, once it has ended, its exit code.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from typing import Any

WARM = ("pipelines.cli.status", "pipelines.cli.sync", "pipelines.runs", "warehouse.load",
        "warehouse.publish", "warehouse.unify")  # fmt: skip


def command(order: dict[str, Any]) -> int:
    """Be the command line that a line asks for; returns its exit code."""
    from pipelines.cli import main

    # A background job of a shell has SIGINT ignored, and so would we.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.update(order["env"])
    for name, handle in (("out", 1), ("err", 2)):
        os.dup2(os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), handle)
    sys.argv = ["isthmus", *order["words"]]
    code = main(order["words"])
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def serve() -> None:
    """Serve lines until stdin ends."""
    for name in WARM:
        importlib.import_module(name)
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(command(json.loads(line)))
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
