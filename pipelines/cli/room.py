"""`space`: what takes the disk, and when it will be full."""

from __future__ import annotations

from pipelines.cli.options import AsJson
from pipelines.cli.query import now
from pipelines.cli.session import workspace
from pipelines.cli.show import as_json, say, table
from pipelines.texts import t


def space(json: AsJson = False) -> None:
    """Tell how much room each connection's landing takes, the rest of the home, and a forecast."""
    from pipelines.sizes import room

    here = workspace()
    found = room(here.home.make(), here.company().min_free, now())
    if json:
        as_json(found.as_json())
        return
    rows = [
        (f"landing/{one.name}", one.files, _megabytes(one.bytes), _megabytes(one.a_day))
        for one in found.connections
    ]
    rows += [(one.name, one.files, _megabytes(one.bytes), "") for one in found.others]
    columns = ("what", "files", "bytes", "a_day")
    table([t(f"space.col.{c}") for c in columns], rows, right=(1, 2, 3))
    free, least = _megabytes(found.free), _megabytes(found.min_free)
    if found.days is None:
        say(t("space.still", free=free, least=least))
    else:
        say(t("space.forecast", free=free, least=least, days=f"{found.days:,.0f}"))


def _megabytes(size: float) -> str:
    return f"{size / 1e6:,.1f} MB"
