"""Checks the mapping of each stream, and every file of the overlay folders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mappings.errors import MappingError
from mappings.yamltext import Spot, YamlError
from pipelines.check.problems import Problem, from_yaml
from pipelines.check.words import closest
from pipelines.texts import t

if TYPE_CHECKING:
    from pipelines.connection import Connection


def unmapped(found: Connection) -> Iterator[Problem]:
    """Yield one problem a stream that has no mapping yet."""
    for spec in found.streams:
        if found.mapping_path(spec.name) is not None:
            continue
        wanted = found.file.streams
        place = list(wanted).index(spec.name) if isinstance(wanted, list) else spec.name
        spot: Spot = ("attributes", "streams", place)
        if wanted is None:
            spot = ("attributes", "config", "streams", spec.name)
        yield Problem(
            str(found.path), found.document.key_line(spot), f"streams.{spec.name}",
            t("found.no_mapping"), t("meant.suggest", name=found.name, stream=spec.name),
        )  # fmt: skip


def check_stream_mappings(found: Connection) -> Iterator[Problem]:
    """Yield what is wrong with the mappings of a connection's streams."""
    for spec in found.streams:
        path = found.mapping_path(spec.name)
        if path is None:
            continue
        yield from check_mapping(found, spec.name)


def check_mapping(found: Connection, stream: str) -> Iterator[Problem]:
    """Yield what is wrong with the mapping of one stream, compiled for it."""
    try:
        found.plan(stream)
    except MappingError as error:
        yield from of_error(error)
    except YamlError as error:
        yield from_yaml(error)


def check_overlays(
    folders: Sequence[Path], done: set[Path], owners: Sequence[str]
) -> Iterator[Problem]:
    """Yield what is wrong with overlay files that no stream has led to.

    `done` are the files already checked; `owners` the names of connections and systems that a
    folder may carry.
    """
    from mappings.load import load_mapping

    for folder in folders:
        for path in sorted([*folder.glob("*/*.yaml"), *folder.glob("*/*.yml")]):
            if path.resolve() in done:
                continue
            owner = path.parent.name
            if owner not in owners and (guess := closest(owner, owners)):
                yield Problem(str(path), 1, t("field.folder"), t("found.unused", owner=owner),
                              t("meant.guess", word=guess))  # fmt: skip
            if path.suffix == ".yml":
                yield Problem(str(path), 1, t("field.file"), t("found.yml"), t("meant.yaml"))
                continue
            try:
                load_mapping(path, search=folders)
            except MappingError as error:
                yield from of_error(error)
            except YamlError as error:
                yield from_yaml(error)


def of_error(error: MappingError) -> Iterator[Problem]:
    """Yield the problems that a mapping's error holds."""
    for one in getattr(error, "all", None) or [error]:
        yield Problem(str(one.file), one.line, one.field, one.what, t("do", do=one.do))
