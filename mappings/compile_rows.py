"""Compiles the members that a target and a child have in common: key, fields, extra, conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from mappings import sqltypes
from mappings.emit import Emitter
from mappings.errors import ValueRefused, did_you_mean
from mappings.expressions import parse_value
from mappings.form import Child, Key, Target, Value, Version
from mappings.native import Native, native
from mappings.paths import Path
from mappings.scopes import RecordScope
from mappings.targets import Row
from mappings.typed import Typed, present
from mappings.values import FieldSql, Habits, field_sql
from mappings.yamltext import Spot
from warehouse.model.base import Entity
from warehouse.model.plan import Reference

if TYPE_CHECKING:
    from mappings.compile import _Compiler


class MakeScope(Protocol):
    """Makes the scope in which the value at a spot is read."""

    def __call__(
        self, spot: Spot, /, *, false_is_null: bool = True, zone: str | None = None
    ) -> RecordScope:
        """Return the scope."""
        ...


class RowCompiler:
    """Compiles rows; mistakes are noted at the compiler it serves."""

    def __init__(self, compiler: _Compiler) -> None:
        self.compiler = compiler
        form = compiler.form
        self.habits = Habits(form.empty == "keep", form.empty == "null", form.words, None)

    def row(self, spot: Spot, form: Target | Child, entity: type[Entity], scope: MakeScope) -> Row:
        """Return what one row is made of."""
        made = Row()
        file_line = self.compiler.mapping.place((*spot, "key"))[1]
        self.compiler.lines[f"{entity.entity}.key"] = file_line
        if not (isinstance(form, Child) and form.key == "position"):
            made.key = self.key_parts(form.key, (*spot, "key"), scope((*spot, "key")))
            made.key_names = [form.key] if isinstance(form.key, str) else list(form.key)
        made.fields = list(self._fields(spot, form.fields, entity, scope, made.natives))
        for at, text in enumerate(form.extra):
            here = (*spot, "extra", at)
            path = self.path(here, text)
            if path is not None:
                made.extra.append((_plain(path), scope(here, false_is_null=False).json(path)))
        return made

    def key_parts(self, key: Key, spot: Spot, scope: RecordScope) -> list[str]:
        """Return the SQL of each part of a key, as text."""
        parts = [key] if isinstance(key, str) else key
        found = []
        for at, text in enumerate(parts):
            here = spot if isinstance(key, str) else (*spot, at)
            piece = self.piece(here, text, scope)
            if piece is not None:
                if piece.is_literal or piece.kind == "null":
                    self.compiler.refuse(
                        here,
                        f"`{text}` is the same in all records.",
                        "write a path, in double quotes if that is the name of a member.",
                    )
                found.append(_text_sql(piece))
        return found

    def piece(self, spot: Spot, text: str, scope: RecordScope) -> Typed | None:
        """Return a compiled value, None after noting why it is refused."""
        try:
            return Emitter(scope).value(parse_value(text))
        except ValueRefused as error:
            self.compiler.refuse(spot, error.what, error.do)
            return None

    def path(self, spot: Spot, text: str) -> Path | None:
        """Return a value that must be a path, None after noting that it is none."""
        try:
            parsed = parse_value(text)
        except ValueRefused as error:
            self.compiler.refuse(spot, error.what, error.do)
            return None
        if isinstance(parsed, Path):
            return parsed
        self.compiler.refuse(spot, f"`{text}` is no path.", "name a member of the record.")
        return None

    def condition(self, spot: Spot, text: str | None, scope: MakeScope | None = None) -> str | None:
        """Return the SQL of `where`, None where there is none; a null is no."""
        if text is None:
            return None
        made = (scope or self.compiler.scope)(spot, false_is_null=False)
        piece = self.piece(spot, text, made)
        return self._yes(spot, piece)[0] if piece else None

    def deleted(self, text: str | None) -> tuple[str | None, str | None]:
        """Return the SQL of `deleted` and of the condition that it cannot be read."""
        if text is None:
            return None, None
        piece = self.piece(
            ("deleted",), text, self.compiler.scope(("deleted",), false_is_null=False)
        )
        return self._yes(("deleted",), piece) if piece else (None, None)

    def _yes(self, spot: Spot, piece: Typed) -> tuple[str | None, str | None]:
        if piece.kind == "text" and not piece.is_literal:
            found = sqltypes.boolean(piece.sql, self.compiler.form.words)
            if piece.refs != (piece.sql,):
                found = f"try({found})"
            bad = f"({present(piece.refs)} and trim({piece.sql}) <> '' and {found} is null)"
            return found, bad if piece.refs == (piece.sql,) else None
        if piece.kind not in ("bool", "null"):
            self.compiler.refuse(
                spot, f"`{piece.spelled}` is no condition.", "compare it: x = 'y'."
            )
        return f"try({piece.sql})", None

    def version(self, form: Version | None) -> str | None:
        """Return the SQL of the version's text."""
        if form is None:
            return None
        spot: Spot = ("version", "value")
        if spot not in self.compiler.mapping.places:
            spot = ("version",)
        piece = self.piece(spot, form.value, self.compiler.scope(spot))
        return _text_sql(piece) if piece else None

    def _fields(
        self,
        spot: Spot,
        fields: Mapping[str, Value],
        entity: type[Entity],
        scope: MakeScope,
        natives: list[Native],
    ) -> Iterator[FieldSql]:
        columns = entity.columns()
        for name, form in fields.items():
            here = (*spot, "fields", name)
            if name not in columns:
                guess = did_you_mean(name, columns)
                self.compiler.refuse(
                    here, f"{entity.entity} has no field {name}.{guess}",
                    f"use one of: {', '.join(columns)}; or keep the member under extra:.",
                )  # fmt: skip
                continue
            self.compiler.lines[f"{entity.entity}.{name}"] = self.compiler.mapping.place(here)[1]
            column = columns[name]
            if form.zone is not None:
                self.compiler.check_zone(form.zone, (*here, "zone"))
                if column.kind not in ("instant", "date"):
                    self.compiler.refuse(
                        (*here, "zone"),
                        f"{name} is {column.kind}, it has no zone.",
                        "leave `zone` out.",
                    )
            made = scope(here, false_is_null=column.kind != "boolean", zone=form.zone)
            piece = self.piece(self._value_spot(here), form.value, made)
            if piece is None:
                continue
            try:
                yield field_sql(name, column, form, piece, self.habits)
            except ValueRefused as error:
                self.compiler.refuse(here, error.what, error.do)
                continue
            if taken := native(name, column, form, piece, self.habits):
                natives.append(taken)

    def _value_spot(self, spot: Spot) -> Spot:
        long = (*spot, "value")
        return long if long in self.compiler.mapping.places else spot

    def references(
        self, spot: Spot, fields: Mapping[str, Value], entity: type[Entity]
    ) -> tuple[Reference, ...]:
        """Return how the references of a row are found; notes `by:` and `stream:` misplaced."""
        found = []
        for name, form in fields.items():
            column = entity.columns().get(name)
            if column is None:
                continue
            here = (*spot, "fields", name)
            if column.ref is None:
                if form.stream or form.by:
                    member = "stream" if form.stream else "by"
                    self.compiler.refuse((*here, member), f"{name} refers to nothing.",
                                         f"leave `{member}` out.")  # fmt: skip
                continue
            other = self.compiler.entities.get(column.ref)
            if form.by and other is not None:
                unique = [n for n, c in other.columns().items() if c.natural]
                if form.by not in unique:
                    guess = did_you_mean(form.by, unique)
                    self.compiler.refuse(
                        (*here, "by"), f"{form.by} does not tell one {column.ref} from another."
                        f"{guess}", f"use one of: {', '.join(unique)}; without `by` it is the key.",
                    )  # fmt: skip
            found.append(Reference(name, column.ref, form.stream, form.by))
        return tuple(found)


def _text_sql(piece: Typed) -> str:
    if piece.refs == (piece.sql,) or (piece.is_literal and piece.kind == "text"):
        return piece.sql
    return f"try(cast({piece.sql} as varchar))"


def _plain(path: Path) -> str:
    """Return the name under which an extra member is kept: its path without quotes."""
    out = ""
    for member in path.members:
        out += f"[{member}]" if isinstance(member, int) else f".{member}" if out else member
    return out
