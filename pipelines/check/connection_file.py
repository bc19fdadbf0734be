"""Checks one `defs.yaml` without reaching anything: syntax, members, settings, streams, secrets."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from connectors.base import Context
from connectors.errors import ConnectorError
from mappings.yamltext import Document, Spot, YamlError, read_file
from pipelines.check import company_names
from pipelines.check.problems import Problem, at, from_validation, from_yaml, locate, show
from pipelines.check.secrets import in_clear, rendered
from pipelines.check.words import meant
from pipelines.company import CompanyFile
from pipelines.connection import NAME, TYPE, ConnectionFile
from pipelines.texts import t

if TYPE_CHECKING:
    from connectors.base import Connector, Stream

COMPANY = "pipelines.Company"
KNOWN = ("type", "attributes", "requirements", "post_processing", "template_vars_module")
"""Members of any component's file; ours use the first two."""
ATTRIBUTES: Spot = ("attributes",)
CONFIG: Spot = ("attributes", "config")


def check_connection_file(path: Path) -> list[Problem]:
    """Return every mistake in a connection's file, in the order of its lines.

    Nothing is reached and no secret is resolved. Mappings are not looked at: a stream without a
    good mapping fails alone.
    """
    document, problems = _read(path, TYPE)
    problems += _name(path)
    if document is not None:
        secrets = [*rendered(document), *in_clear(document, CONFIG)]
        problems += secrets
        problems += _attributes(document, ConnectionFile)
        problems += (p for p in _system(document) if not _said(p, secrets))
    return _ordered(problems)


def check_company_file(path: Path) -> list[Problem]:
    """Return every mistake in the company's file."""
    document, problems = _read(path, COMPANY)
    if document is not None:
        problems += rendered(document)
        problems += _attributes(document, CompanyFile)
        problems += company_names.names(document)
    return _ordered(problems)


def company_warnings(path: Path) -> list[Problem]:
    """Return what the company's file sets in vain; a file that cannot be read sets nothing."""
    document, _ = _read(path, COMPANY)
    spot: Spot = ("attributes", "keep", "landing")
    if document is None or spot not in document.keys:
        return []
    return [at(document, spot, t("found.keep_landing"), t("meant.keep_landing"))]


def _read(path: Path, kind: str) -> tuple[Document | None, list[Problem]]:
    repeats: list[YamlError] = []
    try:
        document = read_file(path, repeats=repeats)
    except YamlError as error:
        return None, [from_yaml(error)]
    problems = [from_yaml(error) for error in repeats]
    if not isinstance(document.data, dict):
        problems.append(at(document, (), t("found.no_map"), t("meant.first_line", kind=kind)))
        return None, problems
    for name in document.data:
        if name not in KNOWN:
            problems.append(at(document, (name,), t("found.unknown_key"), meant(name, KNOWN[:2])))
    found = document.data.get("type")
    if found != kind:
        problems.append(
            at(document, ("type",), t("found.value", value=show(found)),
               t("meant.first_line", kind=kind))
        )  # fmt: skip
    return document, problems


def _name(path: Path) -> Iterator[Problem]:
    name = path.parent.name
    if not re.fullmatch(NAME, name):
        better = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_") or "shop"
        better = better if better[0].isalpha() else f"c_{better}"
        yield Problem(str(path), 1, t("field.folder"), t("found.value", value=show(name)),
                      t("meant.folder", better=better[:41]))  # fmt: skip


def _attributes(document: Document, model: type[BaseModel]) -> Iterator[Problem]:
    attributes = document.data.get("attributes")
    if "attributes" not in document.data and set(document.data) - set(KNOWN):
        return  # misspelt, which is said already
    if attributes is not None and not isinstance(attributes, dict):
        yield at(document, ATTRIBUTES, t("found.value", value=show(attributes)), t("meant.map"))
        return
    try:
        model.model_validate(attributes or {})
    except ValidationError as error:
        for problem in from_validation(document, error, model, under=ATTRIBUTES):
            zone = problem.field.rpartition(".")[2] == "timezone"
            yield _with_zone(document, problem) if zone else problem


def _with_zone(document: Document, problem: Problem) -> Problem:
    value = str((document.data.get("attributes") or {}).get("timezone"))
    guess = meant(value, zoneinfo.available_timezones(), most=0)
    return Problem(problem.file, problem.line, problem.field, problem.found,
                   guess if "/" in guess or "UTC" in guess else problem.meant)  # fmt: skip


def _system(document: Document) -> Iterator[Problem]:
    """Yield what is wrong with the connector's name, its settings and its streams."""
    from connectors import registry

    attributes = document.data.get("attributes")
    system = attributes.get("system") if isinstance(attributes, dict) else None
    if not isinstance(attributes, dict) or not isinstance(system, str) or "{{" in system:
        return  # said already
    names = registry.names()
    if system not in names:
        yield at(document, ("attributes", "system"), t("found.system", value=show(system)),
                 meant(system, names))  # fmt: skip
        return
    try:
        kind = registry.load(system)
    except ConnectorError as error:  # its package is broken; the other connections go on
        yield at(document, ("attributes", "system"), error.what, t("do", do=error.do))
        return
    config = attributes.get("config")
    if config is not None and not isinstance(config, dict):
        return  # said already
    try:
        settings = kind.Settings.model_validate(config or {})
    except ValidationError as error:
        yield from from_validation(document, error, kind.Settings, under=CONFIG)
        offered = _declared(config)
    except ConnectorError as error:
        yield at(document, CONFIG, error.what, t("do", do=error.do))
        return
    else:
        streams, problems = _offered(document, kind, settings)
        yield from problems
        offered = None if streams is None else list(streams)
        if streams is not None:
            yield from _wants(document, attributes.get("streams"), streams)
    if offered is not None:
        yield from _streams(document, attributes.get("streams"), offered)


def _wants(
    document: Document, wanted: Any, streams: Mapping[str, Stream]
) -> Iterator[Problem]:  # fmt: skip
    """Yield which streams lack the query that they need, or have one that nobody reads."""
    options = wanted if isinstance(wanted, dict) else {}
    for name, stream in streams.items():
        if isinstance(wanted, list | dict) and name not in wanted:
            continue
        given = options.get(name)
        has = isinstance(given, dict) and "wants" in given
        if has and not stream.wants:
            spot: Spot = ("attributes", "streams", name, "wants")
            yield at(document, spot, t("found.wants_in_vain", stream=name), t("meant.leave_out"))
        if stream.wants and not has and not stream.query:
            columns = ", ".join(stream.wants)
            yield at(
                document, ("attributes", "streams"), t("found.no_wants", stream=name),
                t("meant.wants", stream=name, columns=columns),
            )  # fmt: skip


def _declared(config: Any) -> list[str] | None:
    """Return the streams that broken settings declare themselves, None where it is not known."""
    streams = config.get("streams") if isinstance(config, dict) else None
    return list(streams) if isinstance(streams, dict) else None


def _offered(
    document: Document, kind: type[Connector], settings: Any
) -> tuple[Mapping[str, Stream] | None, list[Problem]]:
    try:
        context = Context(connection=Path(document.file).parent.name,
                          base=str(Path(document.file).parent))  # fmt: skip
        return kind(settings, context).streams(), []
    except ConnectorError as error:
        spot = _spot_of(document, error.place)
        return None, [at(document, spot, error.what, t("do", do=error.do))]


def _spot_of(document: Document, place: str) -> Spot:
    """Return the spot under `config` that a connector's error names (`streams.orders.path`)."""
    names = [int(n) if n.isdigit() else n for n in re.split(r"[.\[\]]+", place) if n]
    spot = locate(document, (*CONFIG, *names))
    return spot if len(spot) > len(CONFIG) else CONFIG


def _streams(document: Document, wanted: Any, offered: list[str]) -> Iterator[Problem]:
    if not isinstance(wanted, list | dict):
        return
    seen: set[str] = set()
    for position, name in enumerate(wanted):
        spot: Spot = ("attributes", "streams", position if isinstance(wanted, list) else name)
        if not isinstance(name, str):
            continue
        if name not in offered:
            yield at(document, spot, t("found.stream", value=show(name)), meant(name, offered))
        elif name in seen:
            yield at(document, spot, t("found.twice", value=show(name)), t("meant.once"))
        seen.add(name)


def _said(problem: Problem, secrets: Iterable[Problem]) -> bool:
    """Return whether a connector refuses a map for a secret in it that is told already."""
    inside = any(s.field.startswith(f"{problem.field}.") for s in secrets)
    return inside and "env:NAME" in problem.meant


def _ordered(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems by line, one a field: the first said is the most telling one."""
    kept: dict[tuple[int, str], Problem] = {}
    for problem in problems:
        kept.setdefault((problem.line, problem.field), problem)
    return sorted(kept.values())
