"""Losses that docs/restore.md owns up to, with decisions about what is lost: the rows are judged.

The source goes on meanwhile, so that other records take the numbers of the lost batches.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import drill_steps
import duckdb
import office_files
import pytest
from drill_company import Company, served

from tests.faults.stores_state import cut
from tests.faults.world import World
from warehouse.errors import LandingDamaged
from warehouse.landing import Landing
from warehouse.rebuild import rebuild

ORDERS = "landing/shop/orders"
ROWS = "sku,qty\nC3,none\n" + "".join(f"A{n},{n}\n" for n in range(30))
FILES = office_files.files(ROWS, name="erp", stream="orders")
Damage = Callable[[Path], None]


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    """A shop, and another connection that has a stream of the same name; each with a discard."""
    with served(tmp_path / "acme", FILES, orders=12) as made:
        made.read("customers")
        made.read()
        made.wait(60)
        made.put_broken(13)
        made.read()
        made.isthmus("sync", "erp", "orders")
        for name in ("shop", "erp"):
            (entry,) = json.loads(made.isthmus("quarantine", "list", name, "--json"))
            made.isthmus("quarantine", "discard", entry["id"], "--why", "a test")
        yield made


def _last_lost(home: Path) -> None:
    for path in (home / ORDERS).glob("000000000002.*"):
        path.unlink()


def _first_lost(home: Path) -> None:
    for path in (home / ORDERS).glob("000000000001.*"):
        path.unlink()


@pytest.mark.parametrize(
    ("damage", "step"),
    [
        (_last_lost, "older-lost"),
        pytest.param(_first_lost, "batch-lost", marks=pytest.mark.slow),
    ],
)
def test_no_decision_falls_on_records_that_nobody_decided_about(
    company: Company, damage: Damage, step: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert (company.home / ORDERS / "000000000002.json").exists(), "it holds the discarded order"
    damage(company.home)
    company.delete(13)
    company.wait(3600)
    for number in range(14, 40):
        company.put(number)
    capfd.readouterr()
    drill_steps.run(drill_steps.steps()[step], company.folder, {"ISTHMUS_LANG": "en"})
    said = "".join(capfd.readouterr())
    assert "decision 1 (discard) is not applied: its batch 2 is gone, or another one" in said
    assert "decision 2" not in said
    company.space = company.discover()
    company.wait(3600)
    for number in range(40, 46):
        company.put(number)
    company.read()
    company.publish(keep=False)
    assert (company.home / ORDERS / "000000000002.json").exists(), "another one has its number"
    counts = company.judge()
    assert counts.is_clean, counts.details
    with duckdb.connect(str(company.published), read_only=True) as con:
        held = con.execute("select connection, source_key, status from ops.quarantine").fetchall()
    assert held == [("erp", "C3", "discarded")], "what was decided elsewhere holds"


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Path]]:
    """A world that was published, then lost the last batch of its landing."""
    made = World(tmp_path_factory.mktemp("short") / "w", orders=5, customers=0)
    made.sync()
    made.wait(3600)
    for number in range(7, 11):
        made.put(number)
    made.sync()
    made.publish(keep=False)
    made.space.control.close()
    last = max((made.home / ORDERS).glob("*.json")).stem
    for path in (made.home / ORDERS).glob(f"{last}.*"):
        path.unlink()
    whole = made.folder / "whole"
    shutil.copytree(made.home, whole, symlinks=True)
    yield made, whole
    made.close()


STORES: dict[str, tuple[str, Damage]] = {
    "gone": ("projection of the store", lambda home: (home / "store/store.duckdb").unlink()),
    "cut": ("projection of the store", lambda home: cut(home / "store/store.duckdb", 0.01)),
    "all gone": ("published file", lambda home: shutil.rmtree(home / "store")),
    "both cut": (
        "published file",
        lambda home: [cut(home / f"store/{n}.duckdb", 0.01) for n in ("store", "public")] and None,
    ),
}


@pytest.mark.parametrize("name", STORES)
def test_a_short_landing_is_noticed_without_a_store(name: str, short: tuple[World, Path]) -> None:
    made, whole = short
    witness, damage = STORES[name]
    shutil.rmtree(made.home)
    shutil.copytree(whole, made.home, symlinks=True)
    damage(made.home)
    made.space = made.discover()
    space, landing = made.space, Landing(made.space.home.landing, now=made.clock.now)

    def make(**how: bool) -> None:
        space.home.make()
        plan = lambda name, stream: space.connection(name).plan(stream)  # noqa: E731
        rebuild(space.home, landing, plan, made.clock.now, **how)

    before = (made.home / "store/store.duckdb").exists()
    with pytest.raises(LandingDamaged, match=f"the {witness} holds batches of shop/orders that"):
        make()
    assert (made.home / "store/store.duckdb").exists() == before, "nothing is put in its place"
    make(accept_loss=True)
    with duckdb.connect(str(made.home / "store/store.duckdb")) as con:
        assert con.execute("select count(*) from source.orders").fetchall() == [(5,)]
    made.space.control.close()
