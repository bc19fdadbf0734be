"""Which members of a record are read, under our own column names, and the SELECT that reads them.

Measured (200,000 records of 800 bytes, 11 paths): JSON columns and `->>` 245,000 records/s, whole
objects with one list of paths 235,000, whole objects with a path each 110,000. So a top-level
member is one column: VARCHAR where only its text is wanted (a third less CPU than JSON and `->>`),
else JSON, from which several paths are read by one list.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mappings.paths import Member, extract, quote, spell, sql_text, steps
from warehouse.model.plan import PathColumn

if TYPE_CHECKING:
    from mappings.native import Native, Types

# A scan takes two buffers of this size a thread; a larger record fails its batch.
MAX_OBJECT = 32 * 1024 * 1024
FILE_STEP = 1 << 32


@dataclass(frozen=True, slots=True)
class _Wanted:
    column: str
    members: tuple[Member, ...]
    as_json: bool
    place: str


@dataclass(slots=True)
class Columns:
    """The members read of one kind of record; the same path is one column.

    `prefix` starts the columns' names: text columns are c0, c1…, JSON columns (for `extra`) cj0….
    """

    prefix: str
    wanted: dict[tuple[tuple[Member, ...], bool], _Wanted] = field(default_factory=dict)

    def text(self, members: tuple[Member, ...], place: str = "") -> str:
        """Return the column that holds the text at `members`."""
        return self._column(members, False, place)

    def json(self, members: tuple[Member, ...], place: str = "") -> str:
        """Return the column that holds the JSON at `members`."""
        return self._column(members, True, place)

    def _column(self, members: tuple[Member, ...], as_json: bool, place: str) -> str:
        known = self.wanted.get((members, as_json))
        if known is None:
            name = f"{self.prefix}{'j' if as_json else ''}{len(self.wanted)}"
            known = _Wanted(name, members, as_json, place)
            self.wanted[(members, as_json)] = known
        return known.column

    @property
    def names(self) -> list[str]:
        """The columns' names."""
        return [w.column for w in self.wanted.values()]

    @property
    def heads(self) -> list[str]:
        """The top-level members."""
        return list(dict.fromkeys(str(w.members[0]) for w in self.wanted.values()))

    @property
    def clash(self) -> bool:
        """Whether the members cannot be told apart by column names (case), or have no name."""
        return "" in self.heads or len({h.lower() for h in self.heads}) < len(self.heads)

    def is_leaf(self, head: str) -> bool:
        """Return whether only the text of a top-level member is wanted."""
        inside = [w for w in self.wanted.values() if w.members[0] == head]
        return all(len(w.members) == 1 and not w.as_json for w in inside)

    def described(self, inside: tuple[Member, ...] = ()) -> tuple[PathColumn, ...]:
        """Return the columns as the loader knows them; `inside` is the way from the record."""
        return tuple(
            PathColumn(w.column, spell((*inside, *w.members)), (*inside, *w.members), w.place)
            for w in self.wanted.values()
        )

    def from_members(self) -> tuple[list[str], list[str]]:
        """Return (shared, selected): SQL over one JSON column a top-level member.

        `shared` are lists that several paths of one member share; `selected` ends in aliases.
        """
        shared: list[str] = []
        selected: list[str] = []
        for at, head in enumerate(self.heads):
            inside = [w for w in self.wanted.values() if w.members[0] == head]
            deep = [w for w in inside if len(w.members) > 1 and not w.as_json]
            listed = [w for w in deep if len(list(steps(w.members[1:]))) == 1]
            if len(listed) > 1:
                pointers = ", ".join(sql_text(next(steps(w.members[1:]))) for w in listed)
                shared.append(
                    f"json_extract_string({quote(head)}, [{pointers}]) as {self.prefix}l{at}"
                )
            for wanted in inside:
                if len(listed) > 1 and wanted in listed:
                    sql = f"{self.prefix}l{at}[{listed.index(wanted) + 1}]"
                elif len(wanted.members) == 1 and (wanted.as_json or self.is_leaf(head)):
                    sql = quote(head)
                else:
                    sql = extract(quote(head), wanted.members[1:], as_json=wanted.as_json)
                selected.append(f"{sql} as {wanted.column}")
        return shared, selected

    def from_object(self, json: str) -> tuple[list[str], list[str]]:
        """Return (shared, selected) over one JSON expression that holds the whole object."""
        plain = [
            w for w in self.wanted.values() if not w.as_json and len(list(steps(w.members))) == 1
        ]
        shared = []
        if plain:
            pointers = ", ".join(sql_text(next(steps(w.members))) for w in plain)
            shared.append(f"json_extract_string({json}, [{pointers}]) as {self.prefix}l")
        selected = [
            f"{self.prefix}l[{plain.index(w) + 1}] as {w.column}"
            if w in plain
            else f"{extract(json, w.members, as_json=w.as_json)} as {w.column}"
            for w in self.wanted.values()
        ]
        return shared, selected


@dataclass(slots=True)
class Elements(Columns):
    """The members read of the objects in a list that a record holds as JSON text."""

    @property
    def structured(self) -> bool:
        """Whether the objects can be cut by `json_transform` into a struct."""
        return bool(self.wanted) and not self.clash

    def list_of(self, text: str) -> str:
        """Return the list of objects in `text`, null where it is null or something else."""
        shape = '["JSON"]'
        if self.structured:
            members = ",".join(f"{_json_text(h)}:{_json_text(self._type(h))}" for h in self.heads)
            shape = "[{" + members + "}]"
        return f"try(json_transform({text}, {sql_text(shape)}))"

    def of(self, element: str) -> tuple[list[str], list[str]]:
        """Return (shared, selected) over the unnested element."""
        if not self.structured:
            return self.from_object(element)
        selected = []
        for wanted in self.wanted.values():
            head, rest = str(wanted.members[0]), wanted.members[1:]
            member = f"struct_extract({element}, {sql_text(head)})"
            if self._type(head) == "VARCHAR" or (wanted.as_json and not rest):
                selected.append(f"{member} as {wanted.column}")
            else:
                selected.append(
                    f"{extract(member, rest, as_json=wanted.as_json)} as {wanted.column}"
                )
        return [], selected

    def _type(self, head: str) -> str:
        return "VARCHAR" if self.is_leaf(head) else "JSON"


def _json_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Reader:
    """Writes the SELECT that makes `record_paths` of landed files.

    `rows` are the members of the rows of a group; `group` is the SQL, over the columns, of the
    value whose rows are one record. `natives` are the fields that take a table's own types.
    """

    columns: Columns
    rows: Columns
    group: str | None = None
    natives: tuple[Native, ...] = ()

    def __call__(self, encoding: str, files: Sequence[str], whole: bool = False) -> str:
        """Return the SELECT for `files`; columns as `StreamPlan.paths_sql` promises."""
        both = Columns("c", {**self.columns.wanted, **self.rows.wanted})
        types: Types = {}
        if encoding.startswith("parquet"):
            from mappings.parquetfile import types_of

            types = types_of(both, self.natives, files)
        parts = [
            self._file(both, encoding, path, at, whole, types) for at, path in enumerate(files)
        ]
        union = "\nunion all\n".join(parts)
        if self.group is None:
            return union
        return self._grouped(union)

    def _file(
        self, both: Columns, encoding: str, path: str, at: int, whole: bool, types: Types
    ) -> str:
        if encoding.startswith("parquet"):
            from mappings.parquetfile import select_of

            source, shared, selected, position = select_of(both, path, types)
        else:
            position = "row_number() over ()"
            options = f"{_compression(path)}, maximum_object_size={MAX_OBJECT}"
            if whole or both.clash:
                shared, selected = both.from_object('"json"')
                source = f"read_ndjson_objects({file_literal(path)}, {options})"
            else:
                shared, selected = both.from_members()
                kinds = ", ".join(
                    f"{sql_text(h)}: '{'VARCHAR' if both.is_leaf(h) else 'JSON'}'"
                    for h in both.heads
                )
                source = (
                    f"read_json({file_literal(path)}, format='newline_delimited', records=true, "
                    f"columns={{{kinds}}}, {options})"
                )
        if shared:
            source = f"(select *, {', '.join(shared)} from {source})"
        return (
            f"select file_no, position, {at * FILE_STEP} + position as n, "
            f"{', '.join(both.names)}\nfrom (select {at}::bigint as file_no, "
            f"{position} as position, {', '.join(selected)}\nfrom {source})"
        )

    def _grouped(self, union: str) -> str:
        names = ", ".join(f"k.{name}" for name in self.columns.names)
        row = ", ".join(f"{name}: {name}" for name in self.rows.names) or "position: position"
        return (
            f"with r as ({union}),\n"
            f"g as (select *, {self.group} as group_of from r),\n"
            "heads as (select file_no, min(position) as position, "
            f"list({{{row}}} order by position) as group_rows from g\n"
            "group by file_no, group_of, case when group_of is null then position end)\n"
            f"select k.file_no, k.position, k.n, {names}, heads.group_rows\n"
            "from heads join g as k on k.file_no = heads.file_no and k.position = heads.position"
        )


def file_literal(path: str) -> str:
    """Return a path as an SQL literal that DuckDB does not take for a pattern."""
    for sign in "[*?":
        path = path.replace(sign, f"\x02{sign}\x01")
    return sql_text(path.replace("\x02", "[").replace("\x01", "]"))


def _compression(path: str) -> str:
    for ending, name in ((".zst", "zstd"), (".gz", "gzip")):
        if path.endswith(ending):
            return f"compression='{name}'"
    return "compression='uncompressed'"
