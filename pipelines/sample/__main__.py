"""`python -m pipelines.sample serve | ui`: the sample company's systems, up until a signal."""

from __future__ import annotations

import os
import signal
import sys
import threading

from connectors.errors import ConfigError
from pipelines.sample.files import write_office
from pipelines.sample.place import sample_workspace
from pipelines.sample.servers import build, hand_out, running
from pipelines.sample.story import tell
from pipelines.texts import t
from pipelines.ui import PORT, serve
from pipelines.workspace import Workspace


def main(words: list[str]) -> int:
    """Serve until SIGTERM or SIGINT; `ui` opens Dagster beside it. Returns the exit code."""
    port = words[1] if len(words) > 1 else str(PORT)
    if not words or words[0] not in ("serve", "ui") or not port.isdecimal():
        print(t("sample.usage"), file=sys.stderr)
        return 2
    space, office = sample_workspace(Workspace.discover())
    story = tell()
    write_office(office, story)
    ended = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: ended.set())
    try:
        with running(build(story)):
            print(t("sample.serving"))
            for name, value in hand_out(os.environ, office).items():
                print(f"  export {name}={value}", flush=True)
            if words[0] == "serve":
                ended.wait()
                return 0
            print(t("sample.ui", url=f"http://127.0.0.1:{port}"), flush=True)
            return serve(space, int(port), ended)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
