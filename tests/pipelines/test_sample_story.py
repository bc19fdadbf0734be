"""The sample company's story: the same in each process, and its answer key fits its records."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from pipelines.sample.files import BANK, STOCK, bank_bill, stock_list, write_office
from pipelines.sample.names import barcode, uscc
from pipelines.sample.servers import gateway, shop
from pipelines.sample.story import NOW, Story, tell

DIGEST = """
import hashlib
from pipelines.sample.story import tell
from pipelines.sample.files import stock_list, bank_bill
from pipelines.sample.servers import shop, gateway
story = tell()
found = hashlib.sha256(stock_list(story) + bank_bill(story))
for app, path in ((shop(story), "/customers"), (shop(story), "/products"), (shop(story), "/orders"),
                  (gateway(story), "/v1/charges"), (gateway(story), "/v1/refunds")):
    app.token = None
    reply = app.answer("GET", path, "limit=250", {})
    assert reply.status == 200
    found.update(reply.body)
print(found.hexdigest())
"""


@pytest.fixture(scope="module")
def story() -> Story:
    return tell()


def test_the_same_bytes_in_each_process() -> None:
    told = set()
    for seed in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={"PYTHONHASHSEED": seed, "TZ": f"UTC-{seed}", "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        )
        told.add(done.stdout)
    assert len(told) == 1


def test_another_seed_tells_another_story(story: Story) -> None:
    other = tell(7)
    assert other.orders != story.orders
    assert len(other.short) == len(story.short)
    assert Counter(b.stream for b in other.bad) == Counter(b.stream for b in story.bad)


def test_the_size_that_is_promised(story: Story) -> None:
    good = {name: [r for r in getattr(story, name)] for name in ("customers", "products", "orders")}
    assert len(good["customers"]) >= 300
    assert len(good["products"]) >= 120
    assert len(good["orders"]) >= 2000
    assert sum(len(order["line_items"]) for order in story.orders) > len(story.orders) * 2
    assert len(story.refunds) > 30
    assert len({number for number, _ in story.short}) >= 12
    streams = (story.customers, story.products, story.orders, story.payments, story.refunds,
               story.stock, story.bank)  # fmt: skip
    records = sum(map(len, streams))
    spoiled = len({(b.stream, b.key, b.field) for b in story.bad})
    assert 0.007 < spoiled / records < 0.013


def test_stamps_are_in_the_past_of_the_story(story: Story) -> None:
    for record in [*story.customers, *story.products, *story.orders]:
        assert datetime.fromisoformat(record["updated_at"]) <= NOW
    assert all(p["updated"] <= NOW.timestamp() for p in [*story.payments, *story.refunds])


def test_orders_that_are_paid_and_short_are_untouched(story: Story) -> None:
    spoiled = {b.key for b in story.bad if b.stream == "orders"}
    stock = Counter[str]()
    for row in story.stock:
        if isinstance(row["可用数量"], int):
            stock[row["货号"]] += row["可用数量"]
    by_number = {order["name"]: order for order in story.orders}
    for number, sku in story.short:
        order = by_number[number]
        assert str(order["id"]) not in spoiled
        assert (order["financial_status"], order["fulfillment_status"]) == ("paid", "unfulfilled")
        wanted = sum(line["quantity"] for line in order["line_items"] if line["sku"] == sku)
        assert wanted > stock[sku]


def test_money_adds_up(story: Story) -> None:
    amounts = {b.key for b in story.bad if b.stream == "orders" and b.field != "status"}
    for order in story.orders:
        if str(order["id"]) in amounts or order["id"] is None:
            continue
        goods = sum((line["price"] * line["quantity"] for line in order["line_items"]), Decimal(0))
        assert order["subtotal"] == goods
        assert order["total_price"] == goods - order["discount"]
    charges = {p["id"]: p for p in story.payments}
    spoiled = {b.key for b in story.bad if b.stream == "refunds"}
    for refund in story.refunds:
        if refund["id"] not in spoiled:
            assert 0 < refund["amount"] <= charges[refund["charge"]]["amount"]


def test_numbers_of_the_country_are_right() -> None:
    import random

    assert barcode(1) == "6901000000011"
    assert barcode(23_456_789) == "6901234567892"  # the number of textbooks
    code = uscc(random.Random(1), "310115")
    assert len(code) == 18
    assert code.startswith("91310115")


def test_no_two_customers_share_a_phone(story: Story) -> None:
    phones = {c["id"]: c["phone"] for c in story.customers}
    assert len(set(phones.values())) == len(phones)
    assert all(len(phone) == 11 and phone.isdecimal() for phone in phones.values())


def test_files_are_written_once_and_mended(tmp_path: Path, story: Story) -> None:
    assert {path.name for path in write_office(tmp_path, story)} == {STOCK, BANK}
    assert write_office(tmp_path, story) == []
    (tmp_path / BANK).write_bytes(b"torn")
    assert [path.name for path in write_office(tmp_path, story)] == [BANK]
    assert (tmp_path / BANK).read_bytes() == bank_bill(story)
    assert (tmp_path / STOCK).stat().st_mtime == NOW.timestamp()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([BANK, STOCK])
    text = (tmp_path / BANK).read_bytes().decode("gbk")
    assert text.splitlines()[3].startswith("交易日期,")
    with pytest.raises(UnicodeDecodeError):
        (tmp_path / BANK).read_bytes().decode("utf-8")


def test_a_workbook_of_the_same_story_has_the_same_bytes(story: Story) -> None:
    first, second = (hashlib.sha256(stock_list(story)).hexdigest() for _ in range(2))
    assert first == second


def test_the_two_systems_page_in_two_styles(story: Story) -> None:
    key = {"authorization": "Bearer shop-sample-token"}
    reply = shop(story).answer("GET", "/orders", "limit=2", key)
    body = msgspec.json.decode(reply.body)
    assert sorted(body) == ["data", "has_more", "next_cursor", "total"]
    assert body["total"] == len(story.orders)
    assert shop(story).answer("GET", "/orders", "", {}).status == 401
    app = gateway(story)
    key = {"authorization": "Bearer gateway-sample-token"}
    first = msgspec.json.decode(app.answer("GET", "/v1/charges", "limit=2", key).body)
    assert (first["object"], first["has_more"], len(first["data"])) == ("list", True, 2)
    last = first["data"][-1]["id"]
    after = app.answer("GET", "/v1/charges", f"limit=2&starting_after={last}", key)
    assert msgspec.json.decode(after.body)["data"][0]["id"] == story.payments[2]["id"]


def test_no_page_of_the_gateway_ends_without_an_id(story: Story) -> None:
    """The last id of a page is the cursor: a lost one there would stop the read, not a record."""
    for size in (10, 50, 100):
        assert all(story.payments[n]["id"] for n in range(size - 1, len(story.payments), size))
