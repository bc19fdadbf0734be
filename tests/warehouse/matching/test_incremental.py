"""Groups are a function of the rows: in any order, and whatever was looked at before."""

from __future__ import annotations

import random
from typing import Any

import duckdb
import pytest
from party_rows import code, groups, own_id, put

from warehouse.matching.parties import group_parties
from warehouse.matching.rulings import Rulings

_STATE = {
    "identity.links": "id, golden_id, method, score, rule, evidence",
    "ops.suggestions": "a_id, b_id, score, rule, evidence",
    "identity.party_pairs": "a, b, auto, score, rule",
    "identity.party_stats": "scheme, value, crowded, people, trades, firms, size",
    "identity.party_components": "id, component",
}


def state(con: duckdb.DuckDBPyConnection) -> dict[str, list[Any]]:
    return {
        table: con.execute(f"select {columns} from {table} order by all").fetchall()
        for table, columns in _STATE.items()
    }


def a_row(rng: random.Random, key: int) -> dict[str, Any]:
    """A row of few values, so that they are shared, crowded and contradictory often."""
    trade = rng.choice(["华信", "华欣", "恒通", "恒达", "金石"])
    firm = rng.choice([
        f"上海{trade}科技有限公司", f"{trade}科技", f"{trade}（北京）贸易有限公司",
        f"{trade}集团有限公司", trade, f"上海{trade}科技有限公司第二分公司",
    ])  # fmt: skip
    person = rng.choice(["张伟", "张玮", "zhang wei", "李娜", "王小明", "张**", "小草的天空"])
    is_firm = rng.random() < 0.5
    number = rng.randrange(12)
    return {
        "at": (rng.choice("abcd"), str(key)),
        "kind": rng.choice(["organization" if is_firm else "person", None]),
        "name": firm if is_firm else person,
        "contact_name": rng.choice([None, "张伟", "李娜"]) if is_firm else None,
        "uscc": code(f"9131000{number % 4}MA1K35QX7") if is_firm and rng.random() < 0.2 else None,
        "phone": rng.choice([None, f"1391234567{number % 10}", f"139****567{number % 10}"]),
        "email": rng.choice([None, None, f"box{number}@firm.cn"]),
        "city": rng.choice([None, "上海", "北京"]),
        "address": rng.choice([None, f"世纪大道{number}号2栋30{number % 3}室"]),
        "is_alive": rng.random() > 0.1,
        "first_seen_at": f"2026-01-0{1 + key % 9} 00:00:00+00",
    }


def rule(rng: random.Random, rows: list[dict[str, Any]]) -> Rulings:
    ids = [own_id(*row["at"]) for row in rows]
    pairs = [tuple(sorted(rng.sample(ids, 2))) for _ in range(6)]
    distinct = list(dict.fromkeys(pairs))
    return Rulings(same=tuple(distinct[:2]), apart=tuple(distinct[2:]))  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_incremental_equals_whole(seed: int) -> None:
    rng = random.Random(seed)
    rows = {key: a_row(rng, key) for key in range(60)}
    con, anew = duckdb.connect(), duckdb.connect()
    put(con, rows.values())
    rulings = Rulings()
    group_parties(con, "parties", rulings)
    for turn in range(3):
        before = dict(rows)
        for _ in range(rng.randrange(1, 12)):
            key = rng.randrange(75)
            if rng.random() < 0.2:
                rows.pop(key, None)
            else:
                rows[key] = a_row(rng, key)
        if turn % 2:
            rulings = rule(rng, list(rows.values()))
        moved = [
            row["at"]
            for key in before.keys() | rows.keys()
            if before.get(key) != rows.get(key)
            for row in (before.get(key), rows.get(key))
            if row
        ]
        was = dict(con.execute("select id, golden_id from identity.links").fetchall())
        put(con, rows.values())
        con.execute("create or replace temp table moved (id uuid)")
        con.executemany("insert into moved values (?)", [[own_id(*at)] for at in moved])
        group_parties(con, "parties", rulings, changed="moved")
        put(anew, rows.values())
        group_parties(anew, "parties", rulings)
        for table, wanted in state(anew).items():
            assert state(con)[table] == wanted, table
        now = dict(con.execute("select id, golden_id from identity.links").fetchall())
        told = {
            i: (w, n)
            for i, w, n in con.execute("select id, was, now from matching_moved").fetchall()
        }
        assert told == {
            i: (was.get(i), now.get(i)) for i in was.keys() | now.keys() if was.get(i) != now.get(i)
        }


def test_order_of_rows_does_not_matter() -> None:
    rng = random.Random(7)
    rows = [a_row(rng, key) for key in range(120)]
    seen = []
    for _ in range(3):
        rng.shuffle(rows)
        con = duckdb.connect()
        put(con, rows)
        group_parties(con, "parties")
        seen.append((groups(con), state(con)))
    assert seen[0] == seen[1] == seen[2]
    assert any(len(g) > 2 for g in seen[0][0])
