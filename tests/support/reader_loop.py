"""Reads a published file in a loop, as an analyst's client does, until stdin ends; counts trouble.

`reader_loop.py FILE` prints one line of JSON: `reads`, `refused` (the file did not open or answer),
`torn` (an order without lines, lines without order, a total that is not that of its lines), and
`states` (how many different answers were seen).
"""

from __future__ import annotations

import json
import select
import sys

import duckdb

QUERY = """
    with lines as (
        select order_id, sum(quantity * unit_price) as worth from unified.order_lines group by all
    )
    select
        count(o.order_id),
        sum(o.total),
        count(*) filter (where l.order_id is null or o.order_id is null or l.worth <> o.total)
    from unified.orders o full join lines l using (order_id)
"""


def main() -> None:
    """Read until stdin ends."""
    path = sys.argv[1]
    reads = refused = torn = 0
    states: set[tuple[object, ...]] = set()
    said: set[str] = set()
    while not select.select([sys.stdin], [], [], 0.1)[0]:
        reads += 1
        try:
            with duckdb.connect(path, read_only=True) as con:
                count, total, bad = con.execute(QUERY).fetchone() or (0, 0, 0)
        except duckdb.Error as error:
            refused += 1
            said.add(str(error)[:200])
            continue
        torn += bool(bad)
        states.add((count, str(total)))
    print(json.dumps({"reads": reads, "refused": refused, "torn": torn, "states": len(states),
                      "said": sorted(said)}))  # fmt: skip


if __name__ == "__main__":
    main()
