"""Words of the shop that the ready mappings have to know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mapping_runs import Result, run

from connectors.shopify import sample
from pipelines.workspace import PROJECT

TEST = {"id": "o", "name": "#1", "test": False, "currencyCode": "CNY", "customer": None}


def mapped(stream: str, folder: Path, *records: dict[str, Any]) -> Result:
    text = (PROJECT / "mappings" / "shopify" / f"{stream}.yaml").read_text("utf-8")
    return run(text, list(records), folder, zone="UTC")


def test_an_order_of_which_nothing_is_to_be_sent_is_no_unknown_word(tmp_path: Path) -> None:
    made = sample.order(1, displayFulfillmentStatus="FULFILLMENT_NOT_REQUIRED")
    stamps = {"createdAt": "2026-01-05T02:11:09Z", "updatedAt": "2026-01-05T02:11:09Z"}
    (row,) = mapped("orders", tmp_path, made | stamps | {"lineItems": {"nodes": []}}).rows
    assert (row["fulfillment_status"], row["warnings"], row["errors"]) == (None, [], [])


@pytest.mark.parametrize(
    ("restocked", "kind"),
    [
        (["NO_RESTOCK", "RETURN"], "return_refund"), (["RETURN"], "return_refund"),
        (["NO_RESTOCK", "CANCEL"], "refund_only"), ([], "refund_only"),
    ],
)  # fmt: skip
def test_goods_of_any_line_come_back(tmp_path: Path, restocked: list[str], kind: str) -> None:
    made = sample.refund(1, "9.00", *((n, 1, "1.00") for n in range(len(restocked))))
    lines = [
        one | {"restockType": word}
        for one, word in zip(made["refundLineItems"], restocked, strict=True)
    ]
    stamps = {"createdAt": "2026-01-05T02:11:09Z", "updatedAt": "2026-01-05T02:11:09Z"}
    made |= {"refundLineItems": {"nodes": lines}, "order": TEST, **stamps}
    assert mapped("refunds", tmp_path, made).column("kind") == [kind]
