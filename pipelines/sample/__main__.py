"""`python -m pipelines.sample serve | ui`: the sample company's systems, up until a signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

from connectors.errors import ConfigError
from pipelines.dagster_home import prepare
from pipelines.sample.files import write_office
from pipelines.sample.place import sample_workspace
from pipelines.sample.servers import hand_out, running
from pipelines.sample.story import tell
from pipelines.texts import t
from pipelines.workspace import Workspace

UI_PORT = "3000"


def main(words: list[str]) -> int:
    """Serve until SIGTERM or SIGINT; `ui` opens Dagster beside it. Returns the exit code."""
    if not words or words[0] not in ("serve", "ui"):
        print(t("sample.usage"), file=sys.stderr)
        return 2
    space, office = sample_workspace(Workspace.discover())
    story = tell()
    write_office(office, story)
    ended = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: ended.set())
    try:
        with running(story):
            if words[0] == "serve":
                print(t("sample.serving"))
                for name, value in hand_out(os.environ, office).items():
                    print(f"  export {name}={value}", flush=True)
                ended.wait()
                return 0
            return _ui(space, words[1] if len(words) > 1 else UI_PORT, ended)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2


def _ui(space: Workspace, port: str, ended: threading.Event) -> int:
    """Run Dagster's webserver and daemon as a child until a signal, or until it ends by itself."""
    from pipelines.definitions import LOCATION

    # The location's name is in every recorded run: under another one the UI re-executes none.
    services = prepare(space) / "sample-workspace.yaml"
    services.write_text(
        "load_from:\n  - python_module:\n      module_name: pipelines.definitions\n"
        f"      location_name: {LOCATION}\n"
    )
    print(t("sample.ui", url=f"http://127.0.0.1:{port}"), flush=True)
    child = subprocess.Popen(  # noqa: S603 - our own interpreter and a number from our own user
        [
            *(sys.executable, "-m", "dagster", "dev"),
            *("-w", str(services), "-h", "127.0.0.1", "-p", str(int(port))),
        ]
    )
    while not ended.is_set() and child.poll() is None:
        ended.wait(0.5)
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
    return 0 if ended.is_set() else child.returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
