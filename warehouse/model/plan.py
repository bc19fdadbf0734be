"""What a compiled mapping is: the SQL that the loader runs on a batch. No system, no YAML here.

The loader makes a temp table `record_paths` from `StreamPlan.paths_sql(files)` once a batch and
then runs the SELECT of each target on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Reference:
    """How a `*_key` field of a target finds what it refers to.

    `entity` is the canonical entity; `stream` narrows to one stream of the same connection (None:
    every stream that feeds the entity); `by` is the field compared (None: the source key).
    """

    field: str
    entity: str
    stream: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class PathColumn:
    """A column of `record_paths`: a path as the mapping spells it and its members.

    Members stand outermost first ("a", 0, "b"), for the test of names that differ only in case.
    """

    column: str
    spelled: str
    members: tuple[str | int, ...]
    place: str = ""  # file:line of the first use


@dataclass(frozen=True, slots=True)
class ChildPlan:
    """The SELECT of one owned set: one row a child, made of `record_paths`.

    Columns of `select`: n BIGINT (the parent's), line BIGINT (from 1), source_key VARCHAR, one per
    model column in `columns` (typed; words with `<field>_raw`), ext JSON, errors VARCHAR[] and
    warnings VARCHAR[] as in `TargetPlan`. `paths` are the members read of an element of the list,
    from the record inwards and with 0 for the element ("lines", 0, "sku"; rows of a group have no
    such head); their columns are inside `select`. They serve the test of names that differ only in
    case.
    """

    name: str
    entity: str
    columns: tuple[str, ...]
    select: str
    references: tuple[Reference, ...] = ()
    paths: tuple[PathColumn, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetPlan:
    """The SELECT that makes rows of one entity from `record_paths`; every expression is total.

    Columns of `select`: n BIGINT, source_key VARCHAR (null: `errors` says so), record_key VARCHAR
    (the record's own key, by which a deletion finds rows of `also` too), version VARCHAR or null,
    deleted BOOLEAN, one column per name in `columns` (typed; word fields come with `<field>_raw`),
    ext JSON, errors VARCHAR[] of 'field: reason' (empty: good), warnings VARCHAR[] of
    'field: reason: word'. Rows that fail `where` are not in it.
    `version_as` is None (instants, else numbers, else text), 'instant', 'number' or 'text'.
    `name` is the name under `also:`, empty for the main target, which comes first.
    """

    entity: str
    columns: tuple[str, ...]
    select: str
    has_version: bool
    version_as: str | None
    references: tuple[Reference, ...] = ()
    children: tuple[ChildPlan, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """A mapping, compiled for one stream of one connection.

    `paths_sql(encoding, files, whole)` answers the SELECT that reads landed files into
    `record_paths`: columns `file_no` BIGINT (index into `files`), `position` BIGINT (line of its
    file, from 1; with `group` the first line of the group), `n` BIGINT (unique over all files; with
    a `step` it is file_no * step + position) and one column a `PathColumn`: VARCHAR, but for those
    of tables that fields take by their own type (`over` gives the SELECTs for these). `whole` reads
    whole objects (names that clash in case, keys that repeat). `version` is a hash over the
    mapping's text and the compiler's version; `zone` is what the session's TimeZone must be.
    `records`, empty without a main `where:`, is a SELECT of n, record_key and version of all
    records: one that fails `where` now may have made a row before.
    """

    connection: str
    stream: str
    version: str
    source: str  # the mapping file, as shown to people
    zone: str
    paths: tuple[PathColumn, ...]
    paths_sql: Callable[[str, Sequence[str], bool], str]
    targets: tuple[TargetPlan, ...]
    grouped: bool = False
    lines: Mapping[str, int] = field(default_factory=dict)  # 'entity.field' -> line of the mapping
    records: str = ""
    step: int = 0
    typed: Callable[[Mapping[str, str]], tuple[tuple[TargetPlan, ...], str]] | None = None

    def over(self, types: Mapping[str, str]) -> StreamPlan:
        """Return the plan over a `record_paths` whose columns of `types` are no text."""
        if not types or self.typed is None:
            return self
        targets, records = self.typed(types)
        return replace(self, targets=targets, records=records)
