"""Words of the shop that the ready mappings have to know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mapping_runs import Result, run

from connectors.shopify import sample
from pipelines.workspace import PROJECT

TEST = {"id": "o", "name": "#1", "test": False, "currencyCode": "CNY", "customer": None}
STAMPS = {"createdAt": "2026-01-05T02:11:09Z", "updatedAt": "2026-01-05T02:11:09Z"}


def mapped(stream: str, folder: Path, *records: dict[str, Any]) -> Result:
    text = (PROJECT / "mappings" / "shopify" / f"{stream}.yaml").read_text("utf-8")
    return run(text, list(records), folder, zone="UTC")


def test_an_order_of_which_nothing_is_to_be_sent_is_no_unknown_word(tmp_path: Path) -> None:
    made = sample.order(1, displayFulfillmentStatus="FULFILLMENT_NOT_REQUIRED")
    (row,) = mapped("orders", tmp_path, made | STAMPS | {"lineItems": {"nodes": []}}).rows
    assert (row["fulfillment_status"], row["warnings"], row["errors"]) == (None, [], [])


@pytest.mark.parametrize(
    ("counts", "sent", "refunded", "status"),
    [
        ((10, 10, 10, 0), 0, 0, "open"),
        ((10, 10, 1, 0), 9, 0, "partial"),  # else a parcel of nine left ten to be sent
        ((10, 7, 2, 3), 5, 0, "partial"),  # three were cancelled, five sent
        ((10, 7, 6, 0), 4, 3, "partial"),  # four were sent, three of them came back
        ((10, 10, 0, 0), 10, 0, "shipped"),
        ((10, 7, 0, 0), 10, 3, "shipped"),  # three came back
        ((10, 7, 0, 3), 7, 0, "shipped"),  # three were cancelled
        ((10, 0, 0, 10), 0, 0, "cancelled"),
        ((10, 0, 0, 0), 10, 10, "refunded"),  # all was sent and came back
        ((10, 0, 0, 4), 6, 6, "refunded"),  # what was not cancelled came back
        ((1, 0, -1, 0), 1, 1, "refunded"),  # as a shop was seen to write it
        ((1, 1, 0, 1), 0, 0, "completed"),  # a tip: nothing is to be sent
        ((10, 0, 0, None), 0, 0, "cancelled"),  # landed by an older version
        ((10, 7, 2, None), 5, 0, "partial"),
        ((10, 10, 0, None), 10, 0, "shipped"),
    ],
)
def test_what_became_of_a_line(
    tmp_path: Path, counts: tuple[int, int, int, int | None], sent: int, refunded: int, status: str
) -> None:
    many, now, left, never = counts
    counted = {"currentQuantity": now, "unfulfilledQuantity": left, "nonFulfillableQuantity": never}
    line = sample.line(1, many, "1.00", **counted)
    if never is None:
        del line["nonFulfillableQuantity"]
    made = sample.order(1) | STAMPS | {"lineItems": {"nodes": [line]}}
    found = mapped("orders", tmp_path, made)
    assert found.errors == [[]]
    (row,) = found.children["lines"]
    assert row["status"] == status
    assert (row["fulfilled_quantity"], row["refunded_quantity"]) == (sent, refunded)


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
    made |= {"refundLineItems": {"nodes": lines}, "order": TEST, **STAMPS}
    assert mapped("refunds", tmp_path, made).column("kind") == [kind]


@pytest.mark.parametrize("stream", ["fulfillments", "transactions", "refunds", "returns"])
def test_what_hangs_on_a_test_order_makes_no_row(tmp_path: Path, stream: str) -> None:
    """A parcel of a test was never sent. One whose order tells nothing of it is no test."""
    made = {
        "fulfillments": sample.fulfillment(1, displayStatus="DELIVERED"),
        "transactions": sample.transaction(1, "SALE", "1.00"),
        "refunds": sample.refund(1, "1.00"),
        "returns": sample.returned(1),
    }[stream]
    for name in ("fulfillmentLineItems", "refundLineItems", "returnLineItems"):
        if name in made:
            made[name] = {"nodes": []}
    of = [{**TEST, "test": said} for said in (True, False, None)]
    records = [{**made, **STAMPS, "id": f"k{n}", "order": order} for n, order in enumerate(of)]
    assert mapped(stream, tmp_path, *records).column("source_key") == ["k1", "k2"]
