"""What every client is asked: standard library alone, it runs in environments of others.

A script opens the file, answers, waits for a line on stdin (a newer version is published by then),
answers again over the same connection, tries to write, closes, opens anew and answers once more.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from typing import Any

STATE = "select count(*) as orders, cast(sum(total) as varchar) as total from mart.orders"
TORN = """
    with lines as (
        select order_id, sum(quantity * unit_price) as worth from unified.order_lines group by all
    )
    select count(*) as torn from unified.orders o full join lines l using (order_id)
    where l.order_id is null or o.order_id is null or l.worth <> o.total
"""
COMMENT = """
    select comment as said from duckdb_columns() where schema_name = 'mart'
    and table_name = 'orders' and column_name = 'paid_amount' and database_name = current_database()
"""
WRITE = "create table mart.mine as select 1 as a"


def answers(ask: Callable[[str], list[tuple[Any, ...]]]) -> dict[str, Any]:
    """Return the state, how many orders are torn, and the comment of a column."""
    ((count, total),) = ask(STATE)
    return {"orders": int(count), "total": str(total), "torn": int(ask(TORN)[0][0]),
            "comment": str(ask(COMMENT)[0][0])}  # fmt: skip


def talk(versions: dict[str, str], open_: Callable[[], tuple[Any, Any, Any]]) -> None:
    """Play the part of a client; `open_` gives functions that ask, write and close."""
    try:
        ask, write, close = open_()
        say(versions=versions, **answers(ask))
        sys.stdin.readline()
        again = answers(ask)
        try:
            write(WRITE)
            refused = ""
        except Exception as error:
            refused = " ".join(str(error).split())[:160] or type(error).__name__
        close()
        ask, _, close = open_()
        anew = answers(ask)
        close()
        say(again=again, refused=refused, anew=anew)
    except Exception as error:
        traceback.print_exc()
        say(versions=versions, error=" ".join(str(error).split())[:300])


def say(**said: Any) -> None:
    """Tell the judge."""
    print(json.dumps(said), flush=True)
