"""Rows that repeat their head become whole documents, wherever a page or a batch ends."""

from __future__ import annotations

from pathlib import Path

import pytest
import shop_server

import warehouse.writer
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from warehouse.landing import Landing
from warehouse.reader import run_query

CONNECTION = """\
type: pipelines.Connection
attributes:
  system: rest
  config:
    base_url: {url}
    allow_private: true
    streams:
      orders:
        path: /orders
        params: {{limit: 2}}
        records: data
        key: FID
        paging: {{cursor: next_cursor, param: cursor}}
"""
MAPPING = """\
entity: order
key: FID
group: FID
fields:
  number: FBillNo
children:
  lines: {each: rows, entity: order_line, key: FEntryID, fields: {sku: FSku, quantity: FQty}}
"""


def rows(document: int, lines: int, quantity: int = 1) -> dict[str, dict]:
    return {
        f"{document:03d}-{n}": {
            "id": f"{document:03d}-{n}", "updated_at": "2026-10-01T00:00:00", "FID": document,
            "FBillNo": f"N{document}", "FEntryID": n, "FSku": f"S{n}", "FQty": quantity,
        }
        for n in range(1, lines + 1)
    }  # fmt: skip


def lines_published(workspace: Workspace) -> list[tuple]:
    unify_publish(workspace)
    sql = (
        "select o.number, count(*)::int, sum(l.quantity)::int from unified.orders o"
        " join unified.order_lines l using (order_id) group by 1 order by 1"
    )
    return [tuple(row) for row in run_query(workspace.home.current, sql).rows]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warehouse.writer, "MAX_RECORDS", 4)


@pytest.mark.usefixtures("small_batches")
def test_documents_stay_whole_over_pages_batches_and_changes(tmp_path: Path) -> None:
    shop = shop_server.Shop(rows(1, 3) | rows(2, 5) | rows(3, 1) | rows(4, 4))
    with shop_server.running(shop) as url:
        for name, text in (
            ("defs/erp/defs.yaml", CONNECTION.format(url=url)),
            ("maps/erp/orders.yaml", MAPPING),
        ):
            (tmp_path / name).parent.mkdir(parents=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        workspace = Workspace.discover(
            {
                "ISTHMUS_HOME": str(tmp_path / "home"),
                "ISTHMUS_DEFS": str(tmp_path / "defs"),
                "ISTHMUS_MAPPINGS": str(tmp_path / "maps"),
            }
        )
        assert sync_stream(workspace, "erp", "orders").error is None
        assert len(Landing(workspace.home.landing).batches("erp", "orders")) > 1
        assert lines_published(workspace) == [
            ("N1", 3, 3), ("N2", 5, 5), ("N3", 1, 1), ("N4", 4, 4),
        ]  # fmt: skip
        # one row of a document changes, another document loses its last row, page edges shift
        shop.orders["002-5"]["FQty"] = 7
        del shop.orders["001-3"]
        second = sync_stream(workspace, "erp", "orders")
        assert second.error is None
        assert lines_published(workspace) == [
            ("N1", 2, 2), ("N2", 5, 11), ("N3", 1, 1), ("N4", 4, 4),
        ]  # fmt: skip
        assert (second.updated, second.inserted) == (2, 0)
