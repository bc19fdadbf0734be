"""The page for people on call names every kind of error and every check."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import small_shop

import connectors.errors
import warehouse.errors
from pipelines.definitions import build
from pipelines.workspace import PROJECT

PAGE = (PROJECT / "docs" / "on-call.md").read_text("utf-8")
ABSTRACT = {"ConnectorError", "WarehouseError"}


def kinds() -> Iterator[str]:
    for module in (connectors.errors, warehouse.errors):
        for name, found in vars(module).items():
            if (
                isinstance(found, type)
                and issubclass(found, Exception)
                and found.__module__ == module.__name__
            ):
                yield name


def test_every_kind_of_error_has_its_row() -> None:
    known = set(re.findall(r"`([A-Z][A-Za-z]+)`", PAGE))
    assert set(kinds()) - ABSTRACT - known == set()


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20")
def test_every_check_and_job_has_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = small_shop.workspace(tmp_path, "http://127.0.0.1:1")
    for name in ("ISTHMUS_HOME", "ISTHMUS_DEFS", "ISTHMUS_MAPPINGS"):
        monkeypatch.setenv(name, "")
    defs = build(space)
    checks = {
        key.name for node in defs.resolve_asset_graph().asset_nodes for key in node.check_keys
    }
    assert {name for name in checks if f"`{name}`" not in PAGE} == set()
    jobs = {job.name for job in defs.get_repository_def().get_all_jobs()} - {"shop_sync"}
    jobs = {name for name in jobs if not name.startswith("__")}
    assert {name for name in jobs if f"`{name}`" not in PAGE} == set()
