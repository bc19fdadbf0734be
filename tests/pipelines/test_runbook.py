"""The runbook, in both languages, names every kind of error, every check and every job."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import dagster as dg
import pytest
import small_shop

import connectors
import mappings
import pipelines
import warehouse
from connectors.errors import ConnectorError
from mappings.errors import MappingError
from mappings.yamltext import YamlError
from pipelines.definitions import build
from pipelines.outcome import ErrorText, StreamOutcome
from pipelines.runbook import OTHER, PAGE, TWIN, entry, rows_of
from pipelines.streams import failure
from pipelines.workspace import PROJECT
from warehouse.errors import WarehouseError

TEXTS = {name: (PROJECT / name).read_text("utf-8") for name in (PAGE, TWIN)}
ABSTRACT = {ConnectorError, WarehouseError}
SHOWN_BY_OUTCOMES = {"Interrupted", "RunStopped"}
both = pytest.mark.parametrize("page", [PAGE, TWIN])


def names(page: str) -> set[str]:
    return {name for found, _ in rows_of(TEXTS[page]) for name in found}


def below(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from below(narrower)


def kinds() -> set[str]:
    """All errors with two texts that the product's modules define."""
    for room in (connectors, mappings, warehouse, pipelines):
        for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            if not re.search(r"\.(testing|defs|simulator\w*|__main__)\b", module.name):
                importlib.import_module(module.name)
    roots = (ConnectorError, WarehouseError, MappingError, YamlError)
    ours = tuple(room.__name__ for room in (connectors, mappings, warehouse, pipelines))
    found = {kind for root in roots for kind in below(root)} - ABSTRACT
    return {kind.__name__ for kind in found if kind.__module__.split(".")[0] in ours}


@both
def test_every_kind_of_error_has_its_row(page: str) -> None:
    wanted = kinds() | SHOWN_BY_OUTCOMES
    assert len(wanted) > 30
    assert wanted - names(page) == set()


@both
@pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20")
def test_every_check_and_job_has_its_row(
    page: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = small_shop.workspace(tmp_path_factory.mktemp("shop"), "http://127.0.0.1:1")
    for name in ("ISTHMUS_HOME", "ISTHMUS_DEFS", "ISTHMUS_MAPPINGS"):
        monkeypatch.setenv(name, "")
    defs = build(space)
    checks = {
        key.name for node in defs.resolve_asset_graph().asset_nodes for key in node.check_keys
    }
    assert checks
    assert checks - names(page) == set()
    jobs = {job.name for job in defs.get_repository_def().get_all_jobs()} - {"shop_sync"}
    jobs = {name for name in jobs if not name.startswith("__")}
    assert {name for name in jobs if f"| `{name}` |" not in TEXTS[page]} == set()


def test_the_twins_say_the_same_things() -> None:
    english, chinese = ([*rows_of(TEXTS[page])] for page in (PAGE, TWIN))
    for (one, cells), (other, twins) in zip(english, chinese, strict=True):
        assert one == other or "`" not in " ".join(cells[0])  # heads of tables, "any other"
        commands = [re.findall(r"`(isthmus \w+)", text) for text in (cells[1], twins[1])]
        assert commands[0] == commands[1], one
    pictures = [re.findall(r"\]\((runbook/[^)]+)\)", TEXTS[page]) for page in (PAGE, TWIN)]
    assert pictures[0] == pictures[1]
    heads = [re.findall(r"^##? ", TEXTS[page], re.MULTILINE) for page in (PAGE, TWIN)]
    assert heads[0] == heads[1]


def test_every_picture_is_there_and_small_and_shown() -> None:
    folder = PROJECT / "docs" / "runbook"
    shown = set(re.findall(r"\]\(runbook/([^)]+)\)", TEXTS[PAGE]))
    files = {file.name: file.stat().st_size for file in folder.iterdir()}
    assert files.keys() == shown
    assert max(files.values()) < 300_000
    assert sum(files.values()) < 1_500_000


def test_a_failure_shows_its_row_of_the_runbook() -> None:
    error = ErrorText("AuthError", "HTTP 401.", "renew env:SHOP_TOKEN.")
    shown = failure(error, StreamOutcome("shop", "orders")).metadata["runbook"]
    assert isinstance(shown, dg.MarkdownMetadataValue)
    assert shown.value is not None
    assert shown.value.startswith("renew the secret behind `env:NAME`")
    assert "Right again when: " in shown.value
    assert "更新 `env:NAME`" in shown.value
    assert entry("SomethingNew") == entry(OTHER)
