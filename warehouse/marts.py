"""The SQL models of `mart`: one file a view, its grain on the first line, in dependency order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from warehouse.errors import StoreError

FOLDER = Path(__file__).parent / "sql" / "mart"


@dataclass(frozen=True, slots=True)
class Mart:
    """One model. `needs` are the other marts it reads, `reads` every table with its schema."""

    name: str
    grain: str
    sql: str
    reads: tuple[str, ...]
    needs: tuple[str, ...]


@cache
def in_order(folder: Path = FOLDER) -> tuple[Mart, ...]:
    """Return the marts of `folder`, each behind those it reads.

    Raises StoreError for a file without its grain, or for marts that read each other.
    """
    left = {m.name: m for m in (_read(p) for p in sorted(folder.glob("*.sql")))}
    known = set(left)
    done: list[Mart] = []
    while left:
        ready = [m for m in left.values() if not (set(m.needs) & set(left) - {m.name})]
        if not ready:
            raise StoreError(
                f"The marts {', '.join(sorted(left))} read each other.", "break the circle."
            )
        for mart in ready:
            unknown = set(mart.needs) - known
            if unknown or mart.name in mart.needs:
                raise StoreError(
                    f"The mart reads {', '.join(sorted(unknown or {mart.name}))}, which is no "
                    "other mart.",
                    "name a mart that has a file.",
                    place=f"{mart.name}.sql",
                )
            done.append(left.pop(mart.name))
    return tuple(done)


def texts(folder: Path = FOLDER) -> list[str]:
    """Return the files of `folder` as they stand, by name."""
    return [f"{p.name}\n{p.read_text('utf-8')}" for p in sorted(folder.glob("*.sql"))]


def _read(path: Path) -> Mart:
    text = path.read_text("utf-8")
    first, _, sql = text.partition("\n")
    if not first.startswith("-- grain: "):
        raise StoreError(
            "The first line does not say the grain.",
            "begin the file with `-- grain: one row …`.",
            place=path.name,
        )
    # Imported here: a projection that makes no new file need not wait for it.
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(sql, dialect="duckdb")
    tables = sorted({f"{t.db}.{t.name}" for t in tree.find_all(exp.Table) if t.db})
    needs = tuple(t.removeprefix("mart.") for t in tables if t.startswith("mart."))
    return Mart(
        path.stem, first.removeprefix("-- ").strip(), sql.strip().rstrip(";"), tuple(tables), needs
    )
