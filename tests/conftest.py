"""Fixtures shared by all tests."""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from pathlib import Path

import pytest

from warehouse.home import Home

pytest_plugins = ["postgres"]
_KEPT = ("ISTHMUS_HYPOTHESIS",)  # how many examples the models play
for _name in [n for n in os.environ if n.startswith(("ISTHMUS_", "DAGSTER_"))]:
    if _name not in _KEPT:
        del os.environ[_name]


class _NoPandas(MetaPathFinder):
    """Says at once that pandas is not there: DuckDB looks for it at each value of a statement."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        """Return nothing, for other names; raises ModuleNotFoundError for that one."""
        if fullname == "pandas":
            raise ModuleNotFoundError("No module named 'pandas'", name=fullname)


if importlib.util.find_spec("pandas") is None:
    sys.meta_path.insert(0, _NoPandas())


LONGEST = (
    "system/test_tryton.py",
    "attacks/test_attacks.py",
    "faults/test_stores_quick.py",
    "pipelines/test_sample_sync.py",
    "pipelines/test_kills.py",
    "faults/test_kills_quick.py",
    "system/test_any_order.py",
    "faults/test_network_quick.py",
    "system/test_printed_forms.py",
    "connectors/sql/test_sql_sync.py",
    "warehouse/test_publish.py",
    "pipelines/test_cli_party.py",
    "pipelines/test_erase_kills.py",
    "warehouse/test_publish_kills.py",
    "system/test_restore_drill.py",
    "pipelines/test_cli_breaks.py",
    "warehouse/matching/test_rules.py",
    "warehouse/test_recon_rules.py",
    "system/test_restore_decisions.py",
    "pipelines/test_erase.py",
    "pipelines/test_verify_rest.py",
    "system/test_stripe_localstripe.py",
    "faults/test_data_quick.py",
    "faults/test_through_quick.py",
    "faults/test_honest.py",
    "connectors/stripe/test_stripe_changes.py",
    "pipelines/test_dagster_runs.py",
    "warehouse/test_as_of.py",
    "connectors/erp/test_u8.py",
    "pipelines/test_first_connection.py",
    "pipelines/test_alongside.py",
    "warehouse/test_unify.py",
    "warehouse/matching/test_orders.py",
    "warehouse/test_mask.py",
    "warehouse/test_rebuild_equal.py",
    "warehouse/test_winners.py",
    "warehouse/test_order_grain.py",
    "warehouse/test_kept.py",
    "faults/test_random_runs_quick.py",
    "connectors/sql/test_sql_kills.py",
    "warehouse/test_load_kills.py",
    "bench/test_bench.py",
    "system/test_localstripe.py",
    "models/test_loader_model.py",
)
"""The files that take longest, the longest first: one that began last would end the run alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest files begin first; the others stay in their order."""
    place = {Path(__file__).parent / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


def pytest_collection_finish() -> None:
    """Let the collector pass over what was imported and collected: it was a tenth of the run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@contextmanager
def _kept_environment() -> Iterator[None]:
    """Take back what the block wrote into the environment of our names: others would find it."""

    def ours() -> dict[str, str]:
        return {n: v for n, v in os.environ.items() if n.startswith(("ISTHMUS_", "DAGSTER_"))}

    before = ours()
    yield
    if (after := ours()) != before:
        for name in after.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


def _handed_out() -> set[str]:
    """Return the secrets that this process has handed out: texts are masked by them."""
    return getattr(sys.modules.get("pipelines.secrets"), "_HANDED_OUT", set())


@pytest.fixture(autouse=True, scope="module")
def _environment_of_a_file() -> Iterator[None]:
    before = set(_handed_out())
    with _kept_environment():
        yield
    _handed_out().intersection_update(before)


@pytest.fixture(autouse=True)
def _environment_of_a_test(_environment_of_a_file: None) -> Iterator[None]:
    with _kept_environment():
        yield


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Return an empty home of its own."""
    return Home(tmp_path / "home").make()
