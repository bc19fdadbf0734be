"""The outermost frame of the command line: an exception becomes a sentence and an exit code.

One of the two places where any exception is caught. A person never sees a traceback; it goes to a
file under the home, whose name the person is told.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pipelines.cli.codes import FAILED, LATER, OK, USAGE, CliError
from pipelines.stops import stops_pass
from pipelines.texts import t

INTERRUPTED = 130
"""What Typer makes of Ctrl-C."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; never raises."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")  # a terminal that cannot show 中文 still shows the rest
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        from pipelines.cli.app import app

        with stops_pass():
            app(args=words, prog_name="isthmus")
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            return interrupted()
        return stop.code if isinstance(stop.code, int) else OK if stop.code is None else USAGE
    except BrokenPipeError:  # `isthmus query … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except Exception as error:
        return explain(error, words)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) or "Interrupted" in type(error).__name__:
            return interrupted()  # Dagster's own is no Exception either
        raise
    return OK


def interrupted() -> int:
    """Tell that a person ended the command; what was done stays, and it can go on."""
    tell(t("main.interrupted"), t("main.interrupted_do"))
    return LATER


def explain(error: Exception, words: Sequence[str]) -> int:
    """Tell a person what happened and what to do; return the exit code."""
    if isinstance(error, CliError):
        tell(error.what, error.do)
        return error.code
    what, do = getattr(error, "what", None), getattr(error, "do", None)
    if isinstance(what, str) and isinstance(do, str):
        file, line = getattr(error, "file", ""), getattr(error, "line", "")
        place = f"{file}:{line}" if file else getattr(error, "place", "")
        tell(f"{place}: {what}" if place else what, do)
        return USAGE if _is_settings(error) else FAILED
    log = write_log(error, words)
    first = redacted(next(iter(str(error).strip().splitlines()), ""))[:300]
    kind = type(error).__name__
    tell(t("main.unexpected", kind=kind, text=first), t("main.unexpected_do", log=log))
    return FAILED


def tell(what: str, do: str) -> None:
    """Print a failure on stderr: what happened, then what to do."""
    print(t("main.failed", what=plain(redacted(what))), file=sys.stderr)
    if do:
        print(t("main.do", do=plain(redacted(do))), file=sys.stderr)


def redacted(text: str) -> str:
    """Return `text` without the secrets that this process was given."""
    from connectors.redact import Redactor
    from pipelines.secrets import handed_out

    return Redactor(handed_out()).mask(text)


def plain(text: str) -> str:
    """Return `text` without what could steer a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)


def write_log(error: Exception, words: Sequence[str]) -> Path:
    """Append the traceback to `logs/cli.log` under the home and return the file."""
    from pipelines.secrets import handed_out
    from pipelines.trace import write_trace

    root = os.environ.get("ISTHMUS_HOME")
    folder = Path(root) / "logs" if root else Path("var", "logs")
    head = f"--- isthmus {' '.join(words[:1])}\n"  # further words may hold a secret
    try:
        file = write_trace(folder / "cli.log", error, handed_out(), head=head)
    except OSError:
        own = Path(tempfile.mkdtemp(prefix="isthmus-"))
        file = write_trace(own / "cli.log", error, handed_out(), head=head)
    return file.resolve()


def _is_settings(error: Exception) -> bool:
    names = {k.__name__ for k in type(error).__mro__}
    return bool(
        names & {"ConfigError", "YamlError", "MappingError", "MappingMismatch", "QueryError"}
    )
