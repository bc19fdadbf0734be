"""Takes values out of what is beside landing, store and published: databases and logs of runs.

None of it is meant to hold a person's data, and all of it quotes what systems and libraries say.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Engine,
    MetaData,
    Table,
    Text,
    cast,
    create_engine,
    func,
    type_coerce,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import String

from pipelines.workspace import Workspace
from warehouse.erase.rewrite import ERASED
from warehouse.erase.words import Value, needles

_SQLITE = b"SQLite format 3\0"


@dataclass(slots=True)
class Scrubbed:
    """Rows and files in which values were replaced, by place."""

    rows: dict[str, int] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)


def scrub(space: Workspace, values: Sequence[Value]) -> Scrubbed:
    """Replace the values in the control database, Dagster's storage and the logs of the home."""
    words = sorted({w for v in values for w in needles(v)}, key=len, reverse=True)
    done = Scrubbed()
    texts = [t for w in words if (t := _text(w)) is not None]
    if count := _database(space.control.engine, texts):
        done.rows["control"] = count
    root = space.home.root
    keep = {space.home.landing, space.home.store.parent, space.home.published}
    for folder in sorted(p for p in root.iterdir() if p not in keep):
        for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
            if path.is_symlink() or not path.is_file() or path == space.home.key_file:
                continue
            if _starts_with(path, _SQLITE):
                _file_of_rows(path, root, texts, done)
            else:
                _file_of_lines(path, root, words, done)
    return done


def _file_of_rows(path: Path, root: Path, texts: Sequence[str], done: Scrubbed) -> None:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
    try:
        if count := _database(engine, texts):
            name = str(path.relative_to(root))
            done.rows[name] = done.rows.get(name, 0) + count
    except DBAPIError:
        pass  # it cannot be written: the search of the bytes says whether that matters
    finally:
        engine.dispose()


def _database(engine: Engine, texts: Sequence[str]) -> int:
    """Replace the texts in every column of every table; returns the rows that changed."""
    known = MetaData()
    known.reflect(engine)
    count = 0
    with engine.begin() as con:
        for table in known.tables.values():
            for column in table.columns:
                if isinstance(column.type, String | JSON | Text):
                    count += _replace(con, table, column.name, texts)
    if count and engine.dialect.name == "sqlite":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as con:
            con.exec_driver_sql("VACUUM")  # a changed row leaves its old bytes in free pages
            con.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return count


def _replace(con: Connection, table: Table, name: str, texts: Sequence[str]) -> int:
    column = table.columns[name]
    plain = cast(column, Text)
    after: ColumnElement[str] = plain
    for text in texts:
        after = func.replace(after, text, ERASED)
    is_json = isinstance(column.type, JSON) and con.dialect.name != "sqlite"
    changed = con.execute(
        update(table)
        .where(plain != after)
        .values({name: cast(after, column.type) if is_json else type_coerce(after, Text)})
    )
    return changed.rowcount


def _file_of_lines(path: Path, root: Path, words: Sequence[bytes], done: Scrubbed) -> None:
    """Replace the words in a text file; what is no text is left to the search of the bytes."""
    content = path.read_bytes()
    if b"\0" in content[:4096] or not any(w in content for w in words):
        return
    for word in words:
        content = content.replace(word, ERASED.encode())
    new = path.with_name(f".{path.name}.erased")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    new.chmod(path.stat().st_mode & 0o777)
    new.replace(path)
    done.files.append(str(path.relative_to(root)))


def _starts_with(path: Path, head: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(head)) == head


def _text(word: bytes) -> str | None:
    try:
        text = word.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
