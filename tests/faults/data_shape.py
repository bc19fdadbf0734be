"""D3, D4, D6–D9: deletions, drifting shapes, odd keys, children before parents, few records."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import zstandard

from connectors.rest.simulator import Collection, RestSimulator
from tests.faults import shop
from tests.faults.case import Case, Result, Size
from tests.faults.data_play import case, edit, living, quarantined, right, rows, store_of, warned
from tests.faults.world import World

DEFS, ORDERS = "defs/shop/defs.yaml", "mappings/shop/orders.yaml"
KEYS: tuple[Any, ...] = (
    "007", 7, "07", 0, -5, 9_007_199_254_740_993, 9_223_372_036_854_775_807,
    18_446_744_073_709_551_615, -9_223_372_036_854_775_808, 10**30, 1.5, "1.50", Decimal("2.0"),
    "2", Decimal("12345678901234567.25"), "0x1F", "NaN", "null", "true", " 8", "8", "a/b", "é",
    "e\u0301", "订单-1", "'; drop table orders; --", "%", "_", "x" * 300, "😀", "A", "a",
)  # fmt: skip
_PAYMENTS = """\
entity: payment
key: id
version: updated_at
fields: {order_key: order_id, amount: amount, currency: currency, paid_at: paid_at}
"""


def cases(size: Size) -> list[Case]:
    """Return the rows; in quick a few of them."""
    if size == "quick":
        return [
            case("D3", "deleted, put back, keys used again", deletions, 5, style="offset",
                 how="full"),
            case("D4", "fields come, go and change their type", drift, 9),
            case("D6", "odd keys", odd_keys, 2, style="last", orders=0),
        ]  # fmt: skip
    found = []
    for style in shop.STYLES:
        for how in ("full", "sweep"):
            found.append(case("D3", f"deleted, put back, keys used again, {how}, {style}",
                              deletions, 5, style=style, how=how))  # fmt: skip
        found.append(case("D9", f"0, 1, a page and one more, {style}", sizes, 5, style=style,
                          orders=0))  # fmt: skip
        found.append(case("D6", f"odd keys, {style}", odd_keys, 2, style=style, orders=0))
    found.append(case("D3", "a flag says deleted", soft_deletes, 3))
    found.append(case("D4", "fields come, go and change their type", drift, 9))
    found.append(case("D7", "payments before orders before customers", child_first, 3, orders=0,
                      customers=0))  # fmt: skip
    found.append(case("D8", "customers merged, an order renumbered and one split", renamed, 3))
    return found


# --- D3 --------------------------------------------------------------------------------------
def deletions(world: World, result: Result, how: str) -> None:
    """What is gone is marked by the next `how` read; what comes back is there again."""
    mode = {how: True}
    right(world, result, "the first load")
    world.wait(3_600)
    kept = shop.order(4, world.clock.at - timedelta(days=1), 0)
    for number in (1, 2, 3, 4, 35):
        world.delete(number)
    result.fired += 2
    right(world, result, "a changed read")
    result.expect({"1", "4"} <= living(world), "a changed read took absence for deletion")
    outcome = right(world, result, f"the {how} read", **mode)
    result.expect(outcome.deleted == 5, f"{outcome.deleted} deleted, not 5")
    result.expect(not {"1", "2", "3", "4", "35"} & living(world), "deleted orders live")
    world.wait(700)
    world.put(1)  # put back as a new version
    world.shop.put("orders", kept)  # put back as it was: an old stamp
    world.versions[2] = 90
    world.put(2)  # the key is used again for something else
    result.fired += 3
    outcome = world.sync()
    result.expect(outcome.status == "ok", f"changed: {outcome.error}")
    result.expect({"1", "2"} <= living(world), "what came back with a new stamp was not found")
    if how == "full":
        right(world, result, "the full read after it", full=True)
    else:
        world.sync(sweep=True)
        right(world, result, "the full read after it", full=True)
    world.delete(2)
    world.wait(5)
    world.put(2)
    right(world, result, "deleted and put back between two reads")
    world.publish()


def soft_deletes(world: World, result: Result) -> None:
    """A flag of the source marks a record as gone, and takes it back."""
    edit(world, ORDERS, ("version: updated_at\n", "version: updated_at\ndeleted: state = 'gone'\n"))
    right(world, result, "the first load")
    for n, state in enumerate(("gone", "open", "gone")):
        world.wait(400)
        record = shop.order(3, world.clock.at, n + 1) | {"state": state}
        # For the judge a record with the flag is no record: only its absence is asked for.
        RestSimulator.put(world.shop, "orders", record)
        result.fired += 1
        outcome = world.sync()
        result.expect(outcome.status == "ok", f"{state}: {outcome.error}")
        result.expect(("3" in living(world)) == (state == "open"), f"{state} is not obeyed")
        world.publish(keep=False)
        found = rows(world.published, "select count(*) from unified.orders where source_key = '3'")
        result.expect(found == [(int(state == "open"),)], f"published with {state}: {found}")
        result.expect(outcome.deleted == (state == "gone"), f"{outcome.deleted} deleted")
    world.wait(400)
    world.put(3)
    right(world, result, "back for good")


# --- D4 --------------------------------------------------------------------------------------
def drift(world: World, result: Result) -> None:
    """Each change of shape: rows kept where it can be told what is meant, else put aside."""
    status = "  status: {value: state, paid: confirmed, else: unknown}\n"
    edit(world, ORDERS, ("  currency: currency\n", "  currency: currency\n" + status))
    right(world, result, "the first load")
    world.wait(400)
    now = world.clock.at

    def put(number: int, *, bad: bool = False, gone: str = "", **members: Any) -> None:
        record = shop.order(number, now) | members
        record.pop(gone, None)
        world.shop.put("orders", record, bad=bad)
        result.fired += 1

    lines = shop.order(102, now)["line_items"]
    put(100, tags=["new"], gift={"to": "x"})
    put(101, gone="created_at")
    put(102, id="102", customer={"id": "3"}, line_items=[x | {"quantity": str(x["quantity"])}
                                                         for x in lines])  # fmt: skip
    put(103, bad=True, line_items={"1": {"id": "1"}})
    put(104, state="frozen")
    put(105, state="paid")
    put(106, bad=True, total_price={"amount": "5.00", "currency": "CNY"})
    put(107, line_items=None)
    put(108, bad=True, line_items="none")
    outcome = right(world, result, "with other shapes")
    result.expect(outcome.quarantined == 3, f"{outcome.quarantined} put aside, not 3")
    aside = quarantined(world)
    result.expect("list of records" in aside.get("103", ""), f"103: {aside.get('103')}")
    result.expect("not a number" in aside.get("106", ""), f"106: {aside.get('106')}")
    result.expect(warned(outcome, "unknown word"), f"a new word is not said: {outcome.warnings}")
    sql = "select source_key, [status, status_raw, placed_at::text] from source.orders"
    found = dict(rows(store_of(world), sql))
    result.expect(found["104"][:2] == ["unknown", "frozen"], f"104: {found['104']}")
    result.expect(found["105"][:2] == ["confirmed", "paid"], f"105: {found['105']}")
    result.expect(found["101"][2] is None, f"101 was placed {found['101'][2]}")
    landed = b"".join(
        zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())
        for path in world.home.glob("landing/shop/orders/*.ndjson.zst")
    )
    result.expect(b'"gift":{"to":"x"}' in landed, "a new field is not kept in the landing")


# --- D6 --------------------------------------------------------------------------------------
def odd_keys(world: World, result: Result) -> None:
    """Keys are text, exactly as they came; whatever looks equal as a number is not.

    Each of the two reads that bring them all is one fault.
    """
    for version in (0, 1):
        for number, key in enumerate(KEYS):
            record = shop.order(number, world.clock.at - timedelta(seconds=number), version)
            world.shop.put("orders", record | {"id": key})
        world.wait(300)
        right(world, result, f"version {version}")
        result.fired += 1
    result.more["odd keys"] += len(living(world))
    result.expect(living(world) == {str(k) for k in KEYS}, "the keys are not the same")
    for key in (0, "007", 9_007_199_254_740_993):
        world.shop.delete("orders", str(key))
    right(world, result, "some are gone", full=True)
    result.expect(living(world) == {str(k) for k in KEYS if k not in (0, "007", KEYS[5])}, "gone")


# --- D7, D8 ----------------------------------------------------------------------------------
def child_first(world: World, result: Result) -> None:
    """A payment before its order, an order before its customer: kept, and bound later."""
    world.shop.collections["payments"] = Collection(
        paging=world.style, page_size=shop.PAGE, cursor_param="cursor"
    )
    world.shop._rows["payments"] = {}
    defs = (world.folder / DEFS).read_text("utf-8")
    customers = defs[defs.index("      customers:") : defs.index("      orders:")]
    edit(world, DEFS, (customers, customers + customers.replace("customers", "payments")),
         ("streams: [customers, orders]", "streams: [customers, orders, payments]"))  # fmt: skip
    (world.folder / "mappings/shop/payments.yaml").write_text(_PAYMENTS, "utf-8")
    stamp = world.clock.at.isoformat()
    for number in range(1, 13):
        payment = {"id": f"p{number}", "order_id": number, "amount": "1.00", "currency": "CNY",
                   "paid_at": stamp, "updated_at": stamp}  # fmt: skip
        RestSimulator.put(world.shop, "payments", payment)

    def publish(say: str, payments: int, orders: int) -> None:
        result.expect(world.publish(keep=False).status == "ok", f"publish {say}")
        found = rows(world.published, "select count(*), count(order_id) from unified.payments")
        result.expect(found == [(12, payments)], f"{say}: payments and bound {found}")
        found = rows(world.published, "select count(party_id) from unified.orders")
        result.expect(found == [(orders,)], f"{say}: orders bound {found}")

    result.expect(world.sync("payments").status == "ok", "payments")
    publish("payments alone", 0, 0)
    result.fired += 1
    for number in range(1, 11):
        world.put(number)
    right(world, result, "orders")
    publish("orders without customers", 10, 0)
    result.fired += 1
    for number in range(1, 8):
        world.shop.put("customers", shop.customer(number, world.clock.at))
    world.sync("customers")
    publish("customers", 10, 10)
    world.wait(60)
    for number in (11, 12):
        world.put(number)
    right(world, result, "the last orders")
    publish("all", 12, 12)
    result.fired += 1
    world.delete(12)
    right(world, result, "an order gone", full=True)
    publish("one payment without order again", 11, 11)


def renamed(world: World, result: Result) -> None:
    """Keys change at the source: the old are gone, the new are there, references follow.

    That an old golden id leads to the new one is the business of identity, not of this release.
    """
    world.sync("customers")
    right(world, result, "the first load")
    world.publish()
    world.wait(3_600)
    world.shop.delete("customers", "2")  # merged into 1: its orders point there now
    for number in range(1, 36):
        if shop.order(number, world.clock.at)["customer"] == {"id": 2}:
            version = world.versions[number] = world.versions[number] + 1
            record = shop.order(number, world.clock.at, version)
            world.shop.put("orders", record | {"customer": {"id": 1}})
    world.delete(5)  # renumbered: another key, the same content
    world.shop.put("orders", shop.order(5, world.clock.at, 0) | {"id": 105})
    world.delete(6)  # split into two
    for number in (106, 206):
        world.shop.put("orders", shop.order(number, world.clock.at) | {"customer": {"id": 1}})
    result.fired += 3
    world.sync("customers")
    right(world, result, "the full read", full=True)
    world.publish()
    result.expect(not {"5", "6"} & living(world), "old keys live")
    found = rows(world.published, "select count(*), count(distinct party_id) from unified.orders"
                 " where customer_key in ('1', '2')")  # fmt: skip
    result.expect(found[0][0] > 5 and found[0][1] == 1, f"orders of the merged customers: {found}")
    found = rows(world.published, "select count(*) from unified.orders where party_id is null")
    result.expect(found == [(0,)], f"orders without a party: {found}")


# --- D9 --------------------------------------------------------------------------------------
def sizes(world: World, result: Result) -> None:
    """No record, one, a page exactly, one more, two pages: read whole and as changes."""
    have = 0
    for many in (0, 1, shop.PAGE, shop.PAGE + 1, 2 * shop.PAGE):
        world.wait(3_600)
        for number in range(have + 1, many + 1):
            world.put(number)
        have = many
        world.wait(6)
        outcome = right(world, result, f"{many}, full", full=True)
        result.expect(outcome.read == many, f"{outcome.read} read of {many}")
        world.wait(3_600)
        for number in range(1, many + 1):
            world.put(number)
        world.wait(6)
        outcome = right(world, result, f"{many}, changed")
        result.expect(outcome.read >= many, f"{outcome.read} changed of {many}")
        world.wait(3_600)
        right(world, result, "nothing new")
        result.fired += 1
