"""`query`: SQL on the published file through the locked reader."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.boundary import tell
from pipelines.cli.codes import FAILED, CliError
from pipelines.cli.options import AsJson
from pipelines.cli.show import age, as_json, console, remark, table
from pipelines.texts import t

if TYPE_CHECKING:
    from warehouse.home import Home

GRACE = 15.0
"""Seconds after the reader's own limit: some functions do not listen to an interrupt."""
SHOWN = 100
"""Rows of a table on the terminal unless `--limit` says otherwise; files get all."""
NUMBERS = ("DECIMAL", "BIGINT", "INTEGER", "DOUBLE", "HUGEINT", "FLOAT", "SMALLINT", "TINYINT",
           "UBIGINT", "UINTEGER")  # fmt: skip


def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help=t("opt.sql"))],
    json: AsJson = False,
    csv: Annotated[Path | None, typer.Option("--csv", help=t("opt.csv"))] = None,
    parquet: Annotated[Path | None, typer.Option("--parquet", help=t("opt.parquet"))] = None,
    xlsx: Annotated[Path | None, typer.Option("--xlsx", help=t("opt.xlsx"))] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=0, help=t("opt.limit"))] = None,
) -> None:
    """Answer SQL from the published file: a table, JSON, or a file."""
    from pipelines.cli.session import workspace

    files = {"csv": csv, "parquet": parquet, "xlsx": xlsx}
    wanted = {kind: file for kind, file in files.items() if file is not None}
    if len(wanted) + json > 1:
        raise CliError(t("query.one_form"), t("query.one_form_do"))
    if sql == "-":
        sql = sys.stdin.read()
    published = current(workspace().home)
    from warehouse import export, reader

    with _ended_after(reader.TIMEOUT + GRACE):
        if wanted:
            ((kind, file),) = wanted.items()
            result = reader.run_query(published, sql, limit=limit)
            count = getattr(export, f"write_{kind}")(result, file)
            remark(t("query.written", rows=count, file=file))
        elif json:
            result = reader.run_query(published, sql, limit=limit)
            as_json([dict(zip(result.columns, row, strict=True)) for row in result.rows])
        else:
            show(reader.run_query(published, sql, limit=_one_more(limit)), limit)
    tell_age(published)


def show(result: Any, limit: int | None = None) -> None:
    """Print a result as a table; say so when rows were left out."""
    rows = list(result.rows)
    most = SHOWN if limit is None else limit
    right = [i for i, kind in enumerate(result.types) if str(kind).upper().startswith(NUMBERS)]
    fits = table(result.columns, rows[:most], right=right, tall=True)
    if not rows:
        remark(t("query.none"))
    elif not fits:
        remark(t("query.long", width=console().width))
    if limit is None and len(rows) > most:
        remark(t("query.more", rows=most))


def current(home: Home) -> Path:
    """Return the published file; ends the command where nothing is published yet."""
    if not home.current.exists():
        if home.store.exists():
            raise CliError(t("query.gone", file=home.current), t("query.gone_do"))
        raise CliError(t("query.nothing", file=home.current), t("query.nothing_do"))
    return home.current


def tell_age(published: Path) -> None:
    """Say on stderr how old the published data is."""
    then = datetime.fromtimestamp(published.stat().st_mtime, UTC)
    remark(t("query.age", age=age(then, now())))


def now() -> datetime:
    """Return the time now: the clock of the command line."""
    from connectors.base import utc_now

    return utc_now()


@contextmanager
def _ended_after(seconds: float) -> Iterator[None]:
    """End this process with a word where the answer does not stop by itself."""

    def end() -> None:
        tell(t("query.stuck", seconds=round(seconds)), t("query.stuck_do"))
        os._exit(FAILED)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _one_more(limit: int | None) -> int:
    return SHOWN + 1 if limit is None else limit
