"""Compiles a mapping for one stream of one connection into the SQL that the loader runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mappings.columns import FILE_STEP, Columns, Elements, Reader
from mappings.compile_rows import RowCompiler
from mappings.errors import MappingError, did_you_mean, first_of
from mappings.form import Child, Target
from mappings.load import LoadedMapping
from mappings.native import Native, Types, typed_source
from mappings.paths import Path
from mappings.scopes import ChildScope, RecordScope
from mappings.targets import ChildSource, child_select, record_select, target_select
from mappings.yamltext import Spot
from warehouse.model import ENTITIES
from warehouse.model.base import Entity
from warehouse.model.plan import ChildPlan, StreamPlan, TargetPlan

COMPILER_VERSION = 1


def compile_mapping(
    mapping: LoadedMapping,
    *,
    connection: str,
    stream: str,
    zone: str,
    settings: Mapping[str, str],
    entities: Mapping[str, type[Entity]] = ENTITIES,
) -> StreamPlan:
    """Return the plan of a stream; raises MappingError, whose `.all` holds every mistake.

    `zone` is the connection's time zone, `settings` what `connection.NAME` may name.
    """
    return _Compiler(mapping, zone, settings, entities).plan(connection, stream)


class _Compiler:
    def __init__(
        self,
        mapping: LoadedMapping,
        zone: str,
        settings: Mapping[str, str],
        entities: Mapping[str, type[Entity]],
    ) -> None:
        self.mapping = mapping
        self.form = mapping.form
        self.zone = self.form.zone or zone
        self.settings = settings
        self.entities = entities
        self.errors: list[MappingError] = []
        self.columns = Columns("c")
        self.rows = Columns("r")
        self.lines: dict[str, int] = {}
        self.natives: list[Native] = []
        self.rows_of = RowCompiler(self)

    def plan(self, connection: str, stream: str) -> StreamPlan:
        """Return the whole plan."""
        self.check_zone(self.zone, ("zone",))
        self._check_words()
        group = self._group()
        targets = [self._target((), self.form, None)]
        for name, also in self.form.also.items():
            targets.append(self._target(("also", name), also, self.form))
        head: tuple[list[str], str | None] | None = None
        if self.form.where is not None:
            key = self.rows_of.key_parts(self.form.key, ("key",), self.scope(("key",)))
            head = key, self.rows_of.version(self.form.version)
        if self.errors:
            raise first_of(self.errors)
        natives = () if group else tuple(self.natives)  # a group's SQL is over text
        reader = Reader(self.columns, self.rows, group, natives)
        drafts = tuple(t for t in targets if t is not None)
        found = tuple(draft({}) for draft in drafts)

        def typed(types: Types) -> tuple[tuple[TargetPlan, ...], str]:
            source = typed_source(types)
            again = record_select(*head, source) if head else ""
            return tuple(draft(types) for draft in drafts), again

        return StreamPlan(
            connection=connection,
            stream=stream,
            version=self._version(reader, found),
            source=self.mapping.file,
            zone=self.zone,
            paths=self.columns.described(),
            paths_sql=reader,
            targets=found,
            grouped=group is not None,
            lines=dict(self.lines),
            records=record_select(*head) if head else "",
            step=FILE_STEP,
            typed=typed,
        )

    def refuse(self, spot: Spot, what: str, do: str) -> None:
        """Note one mistake; compiling goes on to find the others."""
        self.errors.append(self.mapping.error(spot, what, do))

    def scope(
        self, spot: Spot, *, false_is_null: bool = True, zone: str | None = None
    ) -> RecordScope:
        """Return the scope of a value of the record."""
        file, line = self.mapping.place(spot)
        return RecordScope(
            self.columns, self.settings, self.form.words, zone,
            self.form.false_is_null and false_is_null, f"{file}:{line}",
        )  # fmt: skip

    def check_zone(self, zone: str, spot: Spot) -> None:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            self.refuse(spot, f"{zone!r} is no time zone.", "write one like Asia/Shanghai.")

    def _check_words(self) -> None:
        for word, meant in self.form.words.items():
            if meant.lower() not in {"true", "false", "yes", "no", "1", "0", "t", "f", "y", "n"}:
                self.refuse(("words", word), f"{meant!r} is neither true nor false.", "write true.")

    def _group(self) -> str | None:
        if self.form.group is None:
            return None
        scope = self.scope(("group",))
        parts = self.rows_of.key_parts(self.form.group, ("group",), scope)
        return " || '/' || ".join(parts)

    def _entity(self, name: str, spot: Spot) -> type[Entity] | None:
        entity = self.entities.get(name)
        if entity is None:
            guess = did_you_mean(name, self.entities)
            self.refuse(
                spot, f"there is no entity {name}.{guess}",
                f"use one of: {', '.join(self.entities)}.",
            )  # fmt: skip
        return entity

    def _target(
        self, spot: Spot, form: Target, main: Target | None
    ) -> Callable[[Types], TargetPlan] | None:
        """Return what writes the target for columns of some types, none of them for JSON."""
        entity = self._entity(form.entity, (*spot, "entity"))
        if entity is None:
            return None
        if entity.parent is not None:
            self.refuse(
                (*spot, "entity"), f"{form.entity} is owned by {entity.parent}.",
                f"map {entity.parent} and name it under children:.",
            )  # fmt: skip
            return None
        conditions = [self.rows_of.condition(("where",), self.form.where)]
        if main is not None:
            conditions.append(self.rows_of.condition((*spot, "where"), form.where))
        where = " and ".join(c for c in conditions if c) or None
        row = self.rows_of.row(spot, form, entity, self.scope)
        record_key = self.rows_of.key_parts(self.form.key, ("key",), self.scope(("key",)))
        deleted, deleted_bad = self.rows_of.deleted(self.form.deleted)
        children = [
            self._child((*spot, "children", name), name, child, entity, where)
            for name, child in form.children.items()
        ]
        version = self.form.version
        if form.extra == [] and not form.fields and not form.children:
            self.refuse(spot or ("entity",), "maps no field.", "name some under fields:.")
        self.natives += row.natives
        row_version = self.rows_of.version(version)
        references = self.rows_of.references(spot, form.fields, entity)

        def made(types: Types) -> TargetPlan:
            source = typed_source(types)
            return TargetPlan(
                entity=form.entity,
                columns=tuple(f.name for f in row.fields),
                select=target_select(
                    row.typed(types), where=where, record_key=record_key, version=row_version,
                    deleted=deleted, deleted_bad=deleted_bad, source=source,
                ),
                has_version=version is not None,
                version_as=version.compared if version else None,
                references=references,
                children=tuple(c(source) for c in children if c is not None),
                name=str(spot[-1]) if spot else "",
            )  # fmt: skip

        return made

    def _child(
        self, spot: Spot, name: str, form: Child, parent: type[Entity], where: str | None
    ) -> Callable[[str], ChildPlan] | None:
        """Return what writes the child over a source of records."""
        if name not in parent.children:
            guess = did_you_mean(name, parent.children)
            self.refuse(
                spot, f"{parent.entity} has no children {name}.{guess}",
                f"use one of: {', '.join(parent.children) or 'none'}.",
            )  # fmt: skip
            return None
        entity = self.entities[parent.children[name]]
        if form.entity not in (None, entity.entity):
            self.refuse(
                (*spot, "entity"), f"the {name} of {parent.entity} are {entity.entity}, "
                f"not {form.entity}.", f"write entity: {entity.entity}.",
            )  # fmt: skip
            return None
        grouped = self.form.group is not None and form.each == "rows"
        elements: Columns = self.rows if grouped else Elements("e")
        scopes: list[ChildScope] = []

        def scope(at: Spot, *, false_is_null: bool = True, zone: str | None = None) -> ChildScope:
            file, line = self.mapping.place(at)
            made = ChildScope(
                elements, self.settings, self.form.words, zone,
                self.form.false_is_null and false_is_null, f"{file}:{line}", record=self.columns,
            )  # fmt: skip
            scopes.append(made)
            return made

        row = self.rows_of.row(spot, form, entity, scope)
        own_where = self.rows_of.condition((*spot, "where"), form.where, scope)
        path = None if grouped else self.rows_of.path((*spot, "each"), form.each)
        source = self._source(spot, path, elements, grouped)
        parent_columns = list(dict.fromkeys(c for s in scopes for c in s.parent_used))
        if source is None:
            return None
        made = ChildSource(
            *source, parent_columns, *self._cut(elements, scopes, grouped), own_where,
            form.key == "position",
        )  # fmt: skip
        references = self.rows_of.references(spot, form.fields, entity)
        return lambda records: ChildPlan(
            name=name,
            entity=entity.entity,
            columns=tuple(f.name for f in row.fields),
            select=child_select(row, made, where=where, records=records),
            references=references,
            paths=elements.described(() if path is None else (*path.members, 0)),
        )

    def _source(
        self, spot: Spot, path: Path | None, elements: Columns, grouped: bool
    ) -> tuple[str, str] | None:
        if grouped:
            return "group_rows", ""
        if path is None or not isinstance(elements, Elements):
            return None
        text = self.scope((*spot, "each")).text(path)
        return elements.list_of(text), text

    @staticmethod
    def _cut(
        elements: Columns, scopes: list[ChildScope], grouped: bool
    ) -> tuple[list[str], list[str]]:
        if isinstance(elements, Elements):
            return elements.of("e")
        used = dict.fromkeys(c for s in scopes for c in s.used if c in elements.names)
        return [], [f"struct_extract(e, '{column}') as {column}" for column in used]

    def _version(self, reader: Reader, targets: tuple[TargetPlan, ...]) -> str:
        parts = [
            COMPILER_VERSION, self.zone, self.mapping.data, reader.group or "",
            [[t.select, [c.select for c in t.children], repr(t.references)] for t in targets],
        ]  # fmt: skip
        text = json.dumps(parts, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
