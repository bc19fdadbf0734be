"""What names mean: in a record, in a child of it, in a row of a group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mappings.columns import Columns
from mappings.errors import ValueRefused, did_you_mean
from mappings.paths import Path


@dataclass(slots=True)
class RecordScope:
    """Names are members of the record; `connection.` is the connection's settings.

    `place` is where the value stands, for the loader's messages. `false_is_null` turns a false
    into null (Odoo's empty value); conditions and booleans are compiled without it.
    """

    columns: Columns
    settings: Mapping[str, str]
    words: Mapping[str, str]
    zone: str | None = None
    false_is_null: bool = False
    place: str = ""
    used: dict[str, None] = field(default_factory=dict)  # columns that were named, in order

    def text(self, path: Path) -> str:
        """Return the SQL of the text at `path`."""
        return self._text(self.columns.text(path.members, self.place))

    def json(self, path: Path) -> str:
        """Return the SQL of the JSON at `path`."""
        column = self.columns.json(path.members, self.place)
        self.used[column] = None
        return column

    def setting(self, path: Path) -> str | None:
        """Return the setting that `connection.NAME` names, None for another path."""
        if path.head_quoted or path.members[0] != "connection" or len(path.members) == 1:
            return None
        name = ".".join(str(m) for m in path.members[1:])
        if name not in self.settings:
            guess = did_you_mean(name, self.settings)
            raise ValueRefused(
                f"the connection has no setting {name}.{guess}",
                f'add it under config:, or write "connection".{name} for a member of the record.',
            )
        return self.settings[name]

    def _text(self, column: str) -> str:
        self.used[column] = None
        return f"nullif({column}, 'false')" if self.false_is_null else column


@dataclass(slots=True)
class ChildScope(RecordScope):
    """Names are members of the child; `parent.` is the record around it."""

    record: Columns = field(default_factory=lambda: Columns("c"))
    parent_used: dict[str, None] = field(default_factory=dict)

    def text(self, path: Path) -> str:
        """Return the SQL of the text at `path`."""
        column = self._parent(path, False)
        return self._text(column or self.columns.text(path.members, self.place))

    def json(self, path: Path) -> str:
        """Return the SQL of the JSON at `path`."""
        column = self._parent(path, True) or self.columns.json(path.members, self.place)
        self.used[column] = None
        return column

    def _parent(self, path: Path, as_json: bool) -> str | None:
        if path.head_quoted or path.members[0] != "parent" or len(path.members) == 1:
            return None
        members = path.members[1:]
        if isinstance(members[0], int):
            raise ValueRefused(
                f"`{path.spelled}` names no member of the record.", "write parent.x."
            )
        read = self.record.json if as_json else self.record.text
        column = read(members, self.place)
        self.parent_used[column] = None
        return column
