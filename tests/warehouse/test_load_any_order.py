"""Any order and any repetition of the same batches gives the same rows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hand_plan import START, empty, land, order, order_plan
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warehouse.checks import check_store
from warehouse.home import Home
from warehouse.landing import Landing
from warehouse.load import load_pending
from warehouse.store import Store, open_store

PLAN = order_plan()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(Home(tmp_path_factory.mktemp("home")).make()) as found:
        yield found


def record(key: int, version: int) -> dict:
    """Return the one content that a key had at a version: the source tells one story."""
    lines = [{"id": str(n), "sku": f"S{key}", "quantity": version} for n in range(version % 3)]
    same = "same" if version in (2, 3) else f"v{version}"
    return order(
        key, f"2026-01-{version:02d}T00:00:00Z", name=same, lines=[] if same == "same" else lines,
        deleted=version == 4,
    )  # fmt: skip


RECORDS = st.builds(record, st.integers(1, 3), st.integers(1, 6))
BATCHES = st.lists(st.lists(RECORDS, min_size=1, max_size=4), min_size=1, max_size=4)


def final(store: Store, batches: list[list[dict]], together: bool) -> list[tuple]:
    empty(store)
    with tempfile.TemporaryDirectory() as folder:
        landing = Landing(Path(folder), now=lambda: START)
        for batch in batches:
            land(landing, *batch, trust_source=False)
            if not together:
                load_pending(store, landing, PLAN, now=START)
        load_pending(store, landing, PLAN, now=START)
    assert check_store(store.con) == []
    return store.con.execute(
        "select source_key, version, number, is_deleted, row_hash, (select list((l.source_key,"
        " l.quantity) order by l.line) from source.order_lines l where l.parent_key = o.source_key)"
        " from source.orders o order by all"
    ).fetchall()


@settings(
    max_examples=12, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(BATCHES, st.randoms(use_true_random=False), st.booleans())
def test_order_and_repetition_do_not_matter(
    store: Store, batches: list[list[dict]], random, together: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warehouse.load.checkpoint_at_commit", lambda store: None)
        patch.setattr(Store, "checkpoint", lambda store: None)
        shuffled = [*batches, *random.sample(batches, min(2, len(batches)))]
        random.shuffle(shuffled)
        for batch in shuffled:
            random.shuffle(batch)
        assert final(store, batches, together) == final(store, shuffled, not together)
        newest = {(r["id"], r["updated_at"]) for b in batches for r in b}
        keys = {str(k): max(v for k2, v in newest if k2 == k) for k, _ in newest}
        rows = store.con.execute("select source_key, version from source.orders").fetchall()
        assert dict(rows) == keys
