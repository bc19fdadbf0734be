"""The sample company's story: the same in each process, and its key is what its systems hold."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sample_answers as answers

from pipelines.sample import alipay, breaks, goods, people, trade
from pipelines.sample.files import BANK, STOCK, bank_bill, stock_list, write_office
from pipelines.sample.names import barcode, uscc
from pipelines.sample.people import shows
from pipelines.sample.servers import SYSTEMS, build
from pipelines.sample.story import NOW, START, Story, tell

DIGEST = """
import hashlib
from pipelines.sample.files import bank_bill, stock_list
from pipelines.sample.story import tell
story = tell(orders=900)
print(hashlib.sha256(stock_list(story) + bank_bill(story) + repr(story).encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def story() -> Story:
    """The same company with fewer orders than in the demo, and all its breaks."""
    return tell(orders=900)


@pytest.fixture(scope="module")
def systems(story: Story) -> dict:
    return build(story)


def test_the_same_in_another_process() -> None:
    story = tell(orders=900)
    files = stock_list(story) + bank_bill(story)
    done = subprocess.run(
        [sys.executable, "-c", DIGEST],
        env={"PYTHONHASHSEED": "1", "TZ": "UTC-9", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == hashlib.sha256(files + repr(story).encode()).hexdigest()


def test_a_system_built_twice_holds_the_same(systems: dict) -> None:
    again = build(tell(orders=900))
    assert answers.printed(again) == answers.printed(systems)


def test_another_seed_tells_another_story_with_as_many_breaks(story: Story) -> None:
    other = tell(7, orders=900)
    assert [o.total for o in other.orders] != [o.total for o in story.orders]
    for name in ("short", "lacking", "stray", "payments", "oversold", "delivered"):
        assert len(getattr(other.key, name)) == len(getattr(story.key, name)), name
        assert getattr(other.key, name) != getattr(story.key, name), name


def test_the_size_that_is_promised() -> None:
    story = tell()
    shop = [one for one in story.customers if one.entry("shop")]
    assert len(shop) == people.SHOP == 320
    assert 190 < sum(one.is_company for one in shop) < 230  # two of three
    assert (len(story.orders), len(story.products)) == (trade.ORDERS, goods.PRODUCTS)
    assert sum(len(order.lines) for order in story.orders) > 2 * len(story.orders)
    assert len(story.typed) == trade.TYPED_ORDERS
    assert len(story.returns) > 80
    assert Counter(p.kind for p in story.key.payments) == breaks.PAYMENTS
    with pytest.raises(ValueError, match="too few"):
        tell(orders=300)
    assert len(story.key.lacking) == breaks.LACKING
    assert len(story.key.stray) == breaks.STRAY
    assert len(story.key.delivered) == breaks.DELIVERED
    assert len(story.key.oversold) == goods.SCARCE
    assert len(story.key.short) == trade.SHORT
    steps = [parcel.steps for order, parcel in story.sent()]
    ends = Counter(one[-1].word for one in steps if one)
    assert ends["signed"] > 1000
    assert ends.keys() >= {"moving", "trouble"}


def test_nothing_happens_after_the_end_of_the_story(story: Story) -> None:
    assert all(START <= order.placed <= order.changed <= NOW for order in story.orders)
    assert all(moved.at <= NOW for moved in story.movements)
    for order in [*story.orders, *story.typed]:
        assert order.parcel is None or all(step.at <= NOW for step in order.parcel.steps)
    assert all(one.at <= NOW for one in [*story.leads, *story.deals, *story.tickets])


def test_an_order_is_in_one_break_at_most(story: Story) -> None:
    key = story.key
    numbers = [*key.lacking, *(p.order for p in key.payments), *(number for number, _ in key.short),
               *(number for number, _ in key.delivered)]  # fmt: skip
    assert max(Counter(numbers).values()) == 1


def test_customers_that_are_the_same_are_those_of_the_key(story: Story, systems: dict) -> None:
    assert {frozenset(one.places) for one in story.key.same} == answers.same(systems)
    signs = answers.signs(systems)
    for one in story.key.same:
        for at, how in enumerate(one.how, 1):
            mine, others = signs[one.places[at]], [signs[place] for place in one.places[:at]]
            shared = [
                sign for sign in ("code", "phone", "email")
                if mine.get(sign) and any(mine[sign] == other.get(sign) for other in others)
            ]  # fmt: skip
            assert how == (shared[0] if shared else "name"), one
    assert {how for one in story.key.same for how in one.how} == {"code", "phone", "email", "name"}
    assert any(Counter(s for s, _ in one.places)["crm"] == 2 for one in story.key.same)


def test_orders_without_a_document_and_documents_without_an_order(
    story: Story, systems: dict
) -> None:
    assert answers.lacking(systems) == set(story.key.lacking)
    assert answers.stray(systems) == set(story.key.stray)


def test_payments_that_do_not_match_are_those_of_the_key(story: Story, systems: dict) -> None:
    since = f"{alipay.SINCE.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    assert answers.payments(systems, since) == {
        (one.kind, one.order, one.expected, one.found) for one in story.key.payments
    }


def test_stock_and_parcels_are_those_of_the_key(story: Story, systems: dict) -> None:
    assert answers.oversold(systems) == {
        (one.sku, one.offered, one.there) for one in story.key.oversold
    }
    assert answers.delivered(systems) == set(story.key.delivered)
    assert answers.short(systems) == set(story.key.short)
    assert {sku for _, sku in story.key.short} == {one.sku for one in story.key.oversold}


def test_money_adds_up(story: Story) -> None:
    paid = {m.number: m for m in story.movements if m.kind == "payment"}
    for moved in story.movements:
        if moved.kind == "refund":
            assert 0 < moved.amount <= paid[moved.of].amount
    for order in story.orders:
        assert order.total == sum(line.gross for line in order.lines) - order.discount > 0


def test_a_system_holds_personal_data_in_its_own_forms(story: Story, systems: dict) -> None:
    one = next(c for c in story.customers if c.is_company and c.entry("erp"))
    masked = [row["receiver_mobile"] for row in systems["oms"].living("orders").values()]
    assert one.phone not in masked
    assert f"{one.phone[:3]}****{one.phone[-4:]}" in masked
    shop = systems["shop"].living("customers")[f"gid://shopify/Customer/{one.number}"]
    assert shop["defaultPhoneNumber"]["phoneNumber"] == f"+86{one.phone}"


def test_the_surest_sign_counts(story: Story) -> None:
    one = next(c for c in story.customers if c.entry("erp") and c.entry("crm"))
    crm = one.entry("crm")
    assert crm is not None
    crm.code, crm.email = one.code, one.email
    assert shows([e for e in one.entries if e.system == "erp"], crm) == "code"


def test_numbers_of_the_country_are_right() -> None:
    assert barcode(1) == "6901000000011"
    assert barcode(23_456_789) == "6901234567892"  # the number of textbooks
    code = uscc(random.Random(1), "310115")
    assert len(code) == 18
    assert code.startswith("91310115")


def test_no_two_customers_share_a_phone(story: Story) -> None:
    phones = {one.number: one.phone for one in story.customers}
    assert len(set(phones.values())) == len(phones)


def test_ports_and_secrets_are_each_system_s_own() -> None:
    assert len({system.PORT for system in SYSTEMS}) == len(SYSTEMS)
    names = [name for system in SYSTEMS for name in system.SECRETS]
    assert len(set(names)) == len(names)


def test_files_are_written_once_and_mended(tmp_path: Path, story: Story) -> None:
    assert {path.name for path in write_office(tmp_path, story)} == {STOCK, BANK}
    known = list(story.key.bad)
    assert write_office(tmp_path, story) == []
    assert story.key.bad == known
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


def test_the_story_is_over(story: Story) -> None:
    """The last bill of the gateway is there: it comes on the next morning."""
    assert datetime.now(UTC) > NOW
