"""Causes that stand in the published file: systems that contradict each other, data not proved.

The file is looked at anew only when it is another one: the watch comes every minute.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.alerts.causes import Cause

if TYPE_CHECKING:
    from warehouse.home import Home

BREAKS = """
select rule, severity, open_count, english, do_english
from recon.rules
where is_on and applies and open_count > 0 and severity in ('error', 'warning')
order by rule
"""
UNPROVED = """
select connection, list(distinct stream order by stream), count(*)
from ops.completeness
where status in ('missing', 'surplus', 'differs')
group by connection
order by connection
"""
FAILED = """
select rule, severity from recon.rules
where failed is not null and severity in ('error', 'warning')
order by rule
"""
UNMADE = """
select replace(name, 'mart_failed:', ''), value from ops.meta
where starts_with(name, 'mart_failed:')
order by name
"""
TABLES = """
select schema_name || '.' || table_name from duckdb_tables()
where (schema_name, table_name) in (('recon', 'rules'), ('ops', 'completeness'), ('ops', 'meta'))
union all
select 'failed' from duckdb_columns()
where (schema_name, table_name, column_name) = ('recon', 'rules', 'failed')
"""


def published_causes(home: Home) -> list[Cause]:
    """Return the causes of the published file; none where there is none, or an older release's."""
    path = home.current
    try:
        state = path.stat()
    except FileNotFoundError:
        return []
    return list(_of_file(path, state.st_ino, state.st_mtime_ns))


@lru_cache(maxsize=4)
def _of_file(path: Path, _inode: int, _mtime: int) -> tuple[Cause, ...]:
    from warehouse.reader import run_query

    there = {name for (name,) in run_query(path, TABLES).rows}
    found: list[Cause] = []
    if "recon.rules" in there:
        found += [
            Cause("breaks", "error" if severity == "error" else "warning", "", rule,
                  what=what or "", do=do or "", count=int(count))
            for rule, severity, count, what, do in run_query(path, BREAKS).rows
        ]  # fmt: skip
    if "failed" in there:
        found += [
            Cause("unchecked", "error" if severity == "error" else "warning", "", rule)
            for rule, severity in run_query(path, FAILED).rows
        ]
    if "ops.completeness" in there:
        found += [
            Cause("unproved", "error", connection, "", tuple(streams), count=int(count))
            for connection, streams, count in run_query(path, UNPROVED).rows
        ]
    if "ops.meta" in there:
        found += [
            Cause("unmade", "error", "", mart, what=why)
            for mart, why in run_query(path, UNMADE).rows
        ]
    return tuple(found)
