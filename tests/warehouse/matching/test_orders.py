from __future__ import annotations

import itertools
import random
from datetime import date
from typing import Any

import pytest
from matched import Play, group, playing, seeds
from order_rows import document, shop

from warehouse.home import Home
from warehouse.identity import golden_id
from warehouse.matching.orders import group_orders, lead_rank
from warehouse.store import open_store

play = playing("order", group_orders)


def lines(**skus: int) -> list[dict[str, Any]]:
    return [{"sku": sku, "quantity": count} for sku, count in skus.items()]


def shares(play: Play, order: str) -> dict[str, float]:
    return {d: share for o, d, role, share in play.documents() if o == order and role != "placed"}


def placed_total(play: Play) -> Any:
    """Sum what was placed: over the leads of groups and the rows of none."""
    return play.con.execute(
        f"SELECT sum(r.total) FROM identity.order_rows r WHERE r.is_alive AND {lead_rank('r')} = 0"
    ).fetchall()[0][0]


def test_a_single_system_costs_and_writes_nothing(play: Play) -> None:
    play.put("shop", shop("1"), shop("2"))
    play.run()
    assert play.links() == []
    assert play.con.execute("SELECT count(*) FROM identity.order_rows").fetchall() == [(0,)]
    play.put("erp", document("X1", "1"))  # the rows from before are known all the same
    play.run()
    assert play.groups() == {group("shop/gid/1", "erp/X1")}


def test_an_order_and_its_document(play: Play) -> None:
    play.put("shop", shop("1001"), shop("1002"))
    play.put("erp", document("X1", " 1001 "), document("X2", None))
    play.run()
    assert play.groups() == {group("shop/gid/1001", "erp/X1")}
    assert play.documents() == [
        ("shop/gid/1001", "erp/X1", "processed", 1.0),
        ("shop/gid/1001", "shop/gid/1001", "placed", 1.0),
    ]
    first = golden_id("order", "erp", "orders", "X1")
    assert play.links() == [
        ("erp", "X1", first, "founder", "platform number", "platform_order_no = number"),
        ("shop", "gid/1001", first, "deterministic", "placed", None),
    ]
    assert placed_total(play) == 300


def test_the_platforms_own_key_is_claimed_too(play: Play) -> None:
    play.put("shop", shop("6001", number="#1001"))
    play.put("oms", document("7", "6001"))
    play.run()
    assert play.groups() == {group("shop/gid/6001", "oms/7")}
    assert play.documents()[0][0] == "shop/gid/6001"


def test_the_merchant_number_claims_where_it_is_an_orders(play: Play) -> None:
    play.put("shop", shop("1", merchant_order_no="#1"), shop("2", merchant_order_no="PAY-2"))
    play.put(
        "erp",
        document("X1", None, merchant_order_no="1"),
        document("X2", None, merchant_order_no="pay-2"),
        document("X3", None, merchant_order_no="PAY-404"),
    )
    play.run()
    assert play.groups() == {group("shop/gid/1", "erp/X1"), group("shop/gid/2", "erp/X2")}


def test_a_split_order(play: Play) -> None:
    play.put("shop", shop("1", 100, lines=lines(a=1, b=3)))
    play.put(
        "oms",
        document("O1", "1", 30, lines=lines(A=1)),
        document("O2", "1", 70, lines=lines(B=3)),
        {**document("O3", "1"), "total": None, "status": "closed"},
    )
    play.run()
    assert play.groups() == {group("shop/gid/1", "oms/O1", "oms/O2", "oms/O3")}
    assert shares(play, "shop/gid/1") == {"oms/O1": 0.25, "oms/O2": 0.75, "oms/O3": 0.0}
    assert placed_total(play) == 100


def test_shares_without_skus_are_by_sums_and_without_sums_even(play: Play) -> None:
    play.put("shop", shop("1", 100), shop("2", 90))
    play.put("oms", document("O1", "1", 40), document("O2", "1", 60))
    bare = {"total": None, "currency": None}
    play.put("erp", *({**document(f"X{n}", "2"), **bare} for n in range(3)))
    play.run()
    assert shares(play, "shop/gid/1") == {"oms/O1": 0.4, "oms/O2": 0.6}
    assert shares(play, "shop/gid/2") == {f"erp/X{n}": 0.333333 for n in range(3)}


@pytest.mark.parametrize(
    "claims", ["1,2", "1, 2", "1;2", "1 2", "1，2", "1、2", "#1；#2", "1|2", "1+#2", "1／2"]
)
def test_a_merged_document(play: Play, claims: str) -> None:
    play.put("shop", shop("1", 100, lines=lines(a=3)), shop("2", 50, lines=lines(a=1, b=1)))
    play.put("oms", document("O1", claims, 150, lines=lines(a=4, b=1)))
    play.put("erp", document("X1", "o1", 150, lines=lines(a=4)))
    play.run()
    assert play.groups() == set()
    assert shares(play, "shop/gid/1") == {"oms/O1": 1.0, "erp/X1": 1.0}
    assert shares(play, "shop/gid/2") == {"oms/O1": 1.0, "erp/X1": 0.5}
    least = golden_id("order", "shop", "orders", "gid/1")
    assert {(r[0], r[2], r[4]) for r in play.links()} == {
        ("oms", least, "merged document"), ("erp", least, "merged document")
    }  # fmt: skip
    assert placed_total(play) == 150


def test_a_chain_leads_to_what_was_placed(play: Play) -> None:
    play.put("shop", shop("1"))
    play.put("oms", document("O1", "1"))
    play.put("erp", document("X1", "O1"))
    play.put("crm", document("C1", None, merchant_order_no="X1"))
    play.run()
    assert play.groups() == {group("shop/gid/1", "oms/O1", "erp/X1", "crm/C1")}
    assert {o for o, *_ in play.documents()} == {"shop/gid/1"}


def test_what_no_order_has_stays_an_order_of_its_own(play: Play) -> None:
    play.put("shop", shop("1"))
    play.put("erp", document("X1", "404"), document("B2B", None))
    play.run()
    assert play.groups() == set()
    assert play.documents() == []


def test_two_shops_with_one_number(play: Play) -> None:
    play.put("shop_a", shop("1", shop_name="Berlin"))
    play.put("shop_b", {**shop("9", shop_name="官网"), "number": "1"})
    play.put(
        "oms",
        document("O1", "1"),
        document("O2", "1", shop_name="官网"),
        document("O3", "1", shop_name="shop_a"),
        document("O4", "1", channel="web"),
    )
    play.run()
    assert play.groups() == {group("shop_b/gid/9", "oms/O2"), group("shop_a/gid/1", "oms/O3")}


def test_shops_that_count_alike_stay_apart(play: Play) -> None:
    for name in ("a", "b"):
        play.put(name, {"key": "k1", "number": "1001", "platform_order_no": "1001", "total": 5})
        play.put(name, {"key": "57", "number": "#1", "platform_order_no": "57", "total": 6})
        play.put(name, {"key": "k3", "number": "N3", "merchant_order_no": "N3", "total": 6})
    play.run()
    assert play.groups() == set()


def test_an_erp_that_takes_over_the_number(play: Play) -> None:
    long, said = "1234567890123", {"order_date": date(2026, 3, 1)}
    play.put("shop", shop("1", **said), shop(long, 80), shop("2", 70, **said))
    play.put(
        "erp",
        {**document("1", "1"), "key": "e1", **said},
        {**document("2", "2", 71), "key": "e2", **said},  # another sum: another order's counter
        {**document(long, long, 10), "key": "e3"},
    )
    play.run()
    assert play.groups() == {group("shop/gid/1", "erp/e1"), group(f"shop/gid/{long}", "erp/e3")}


def test_documents_that_share_a_number_of_no_order(play: Play) -> None:
    same = {"order_date": date(2026, 3, 1)}
    play.put("oms", document("O1", "D1", 60, **same), document("O2", "D2"), document("O9", "D9"))
    play.put("erp", document("X1", "D1", 60, **same), document("X9", "D9", 5))
    play.put("crm", document("C2", "D1", 60, **same))
    play.run()
    assert play.groups() == {group("crm/C2", "oms/O1", "erp/X1")}
    assert placed_total(play) == 60 + 100 + 100 + 5


def test_a_split_of_a_marketplaces_order_that_is_not_here(play: Play) -> None:
    number = "260301999988887777"
    play.put("oms", document("O1", number, 40), document("O2", number, 60))
    play.put("erp", document("X1", number, 100))
    play.run()
    assert {o for o, *_ in play.documents()} == {"erp/X1"}
    assert placed_total(play) == 100


def test_a_purchase_number_claims_only_where_nothing_else_does(play: Play) -> None:
    said = {"order_date": date(2026, 3, 1)}
    play.put("shop", shop("1", **said), shop("2", **said))
    play.put(
        "erp",
        document("X1", None, po_number="1", **said),
        document("X2", "404", po_number="2", **said),
        document("X3", None, po_number="their number", **said),
    )
    play.run()
    assert play.groups() == {group("shop/gid/1", "erp/X1")}


def test_parents_inside_a_connection(play: Play) -> None:
    play.put("shop", shop("1"))
    play.put(
        "oms",
        document("P", "1"),
        document("C1", None, 40, parent_order_key="P"),
        document("C2", None, 60, parent_order_key="P"),
        document("Q", None, 10),
        document("D", None, 10, parent_order_key="Q"),
        {**document("H", None), "total": None},  # gave its money to its parts
        document("E1", None, 4, parent_order_key="H"),
        document("E2", None, 6, parent_order_key="H"),
    )
    play.run()
    assert play.groups() == {
        group("shop/gid/1", "oms/P", "oms/C1", "oms/C2"), group("oms/Q", "oms/D")
    }  # fmt: skip
    assert placed_total(play) == 100 + 10 + 10


def test_a_return_that_claims_is_a_document_without_a_share(play: Play) -> None:
    play.put("erp", document("S1", None), document("S2", None),
             document("R1", None, parent_order_key="S1", kind="return"),
             document("R2", None, 7, kind="return"))  # fmt: skip
    play.run()
    assert play.groups() == {group("erp/S1", "erp/R1")}
    assert shares(play, "erp/S1") == {"erp/R1": 0.0}


def test_rows_that_claim_each_other(play: Play) -> None:
    play.put("a", document("A1", "B1"), document("A2", "B2", channel=None))
    play.put("b", document("B1", "A1"), document("B2", "A2", channel="web"))
    play.run()
    assert play.groups() == {group("a/A1", "b/B1"), group("a/A2", "b/B2")}
    assert {o for o, *_ in play.documents()} == {"a/A1", "b/B2"}
    play.put("c", document("C1", "B3"))
    play.put("b", document("B3", None))
    play.run()  # now b is claimed more
    assert {o for o, *_ in play.documents()} == {"b/B1", "b/B2", "b/B3"}
    play.put("c", document("A9", "B1"), document("D1", "A9"), document("E1", "C1"))
    play.run()
    assert len(play.groups()) == 3


def test_a_circle_of_three(play: Play) -> None:
    play.put("a", document("A1", "B1"))
    play.put("b", document("B1", "C1"))
    play.put("c", document("C1", "A1", channel="web"))
    play.put("d", document("D1", "B1"))
    play.run()
    assert play.groups() == {group("a/A1", "b/B1", "c/C1", "d/D1")}
    assert len({o for o, *_ in play.documents()}) == 1


def test_the_dead_connect_nobody(play: Play) -> None:
    play.put("shop", shop("1"), shop("2"))
    play.put("oms", document("O1", "1", 60), document("O2", "1", 40))
    play.put("erp", document("X1", "O1", 60), document("X3", None))
    play.run()
    assert len(play.groups()) == 1
    play.delete("shop", "gid/1")
    play.run()
    # O1 and O2 are apart now; the dead row goes with the first of their groups.
    assert play.groups() == {group("oms/O1", "erp/X1", "shop/gid/1")}
    assert {o for o, *_ in play.documents()} == {"oms/O1"}
    moved = play.con.execute("SELECT count(*) FROM matching_moved").fetchall()
    assert moved == [(1,)]  # O2 alone
    play.delete("oms", "O1")
    play.run()
    assert play.groups() == {group("oms/O2", "shop/gid/1"), group("erp/X1", "oms/O1")}


def test_what_moved_is_told(play: Play) -> None:
    play.put("shop", shop("1"))
    play.put("erp", document("X1", "404"))
    play.run()
    own = {
        k: golden_id("order", *k) for k in [("shop", "orders", "gid/1"), ("erp", "orders", "X1")]
    }
    moved = "SELECT was, now FROM matching_moved ORDER BY ALL"
    assert set(play.con.execute(moved).fetchall()) == {(None, i) for i in own.values()}
    play.put("erp", document("X1", "1"))
    play.run()
    assert play.con.execute(moved).fetchall() == [
        (own["shop", "orders", "gid/1"], own["erp", "orders", "X1"])
    ]


def story() -> list[tuple[str, dict[str, Any]]]:
    return [
        ("shop", shop("1", 100, lines=lines(a=2))), ("shop", shop("2", 50, lines=lines(b=1))),
        ("oms", document("O1", "1,2", 150, lines=lines(a=2, b=1))),
        ("oms", document("O2", "1", 100)), ("erp", document("X1", "O2")),
        ("erp", document("X2", "404")),
    ]  # fmt: skip


def test_any_order_of_arrival_gives_the_same(home: Home) -> None:
    wanted: Any = None
    with open_store(home) as store:
        for turn, rows in enumerate(itertools.permutations(story())):
            if turn % 103:  # 7 of 720
                continue
            for table in ("source.orders", "source.order_lines", "identity.order_rows"):
                if turn or not table.startswith("identity"):
                    store.con.execute(f"DELETE FROM {table}")
            play = Play(store.con, "order", group_orders)
            play.run(whole=True)
            for connection, row in rows:
                play.put(connection, row)
                play.run()
            found = play.links(), play.documents()
            wanted = wanted or found
            assert found == wanted
            assert placed_total(play) == 150 + 100


@pytest.mark.parametrize("seed", seeds(2, 40))
def test_incremental_is_whole(play: Play, seed: int) -> None:
    dice = random.Random(seed)
    places = ["shop", "web", "oms", "erp"]

    def number() -> str:
        return dice.choice(["", "SO", "123456789012"]) + str(dice.randrange(1, 9))

    for _round in range(8):
        for _ in range(dice.randrange(1, 6)):
            place, key = dice.choice(places), str(dice.randrange(1, 12))
            if dice.random() < 0.2:
                play.delete(place, key)
                continue
            claims = [number() for _ in range(dice.choice([0, 1, 1, 1, 2]))]
            play.put(place, {
                "key": key, "number": number(),
                "platform_order_no": dice.choice(",|/").join(claims) or None,
                "merchant_order_no": dice.choice([None, None, number()]),
                "parent_order_key": dice.choice([None, None, None, str(dice.randrange(1, 12))]),
                "po_number": dice.choice([None, number()]),
                "channel": dice.choice([None, "web", "shop"]),
                "shop_name": dice.choice([None, "web", "mall"]),
                "customer_key": dice.choice([None, "A", "B"]),
                "kind": dice.choice(["sale", "sale", "sale", "return"]), "currency": "CNY",
                "total": dice.choice([None, 5, 10]),
                "order_date": date(2026, 3, dice.randrange(1, 9)),
                "lines": lines(**{dice.choice("ab"): dice.randrange(1, 4)}),
            })  # fmt: skip
        play.run()
        found = play.links(), play.documents()
        play.run(whole=True)
        assert (play.links(), play.documents()) == found
        assert play.con.execute("SELECT count(*) FROM matching_moved").fetchall() == [(0,)]
        twice = "SELECT id FROM identity.links GROUP BY id HAVING count(*) > 1"
        assert play.con.execute(twice).fetchall() == []
