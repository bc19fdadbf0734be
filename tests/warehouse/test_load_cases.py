"""Which name a warning proposes for a member that no record has."""

from __future__ import annotations

import pytest

from warehouse.cases import reads_alike


@pytest.mark.parametrize(
    ("wanted", "there", "is_near"),
    [
        ("order_staus", "order_status", True), ("customer_nane", "customer_name", True),
        ("orderNo", "order_no", True), ("金额", "金额（元）", True), ("qty", "qty_total", True),
        ("cust_name", "customer_name", True), ("totalPrice", "totalPrices", True),
        ("order_status", "lock_status", False), ("logistics_status", "lock_status", False),
        ("account_type", "record_type", False), ("ship_to_tel", "ship_to_add", False),
        ("created_at", "updated_at", False), ("productId", "projectId", True),
        ("price", "sales_price", False), ("remark", "email", False),
    ],
)  # fmt: skip
def test_a_name_is_proposed_only_where_no_whole_word_differs(
    wanted: str, there: str, is_near: bool
) -> None:
    assert reads_alike(wanted, there) == is_near
