"""ibis: SQL, and an expression over a table of a schema."""

import sys

import ibis
from common import talk


def open_():
    con = ibis.duckdb.connect(sys.argv[1], read_only=True)

    def ask(sql):
        orders = con.table("orders", database="mart")
        assert (
            orders.count().execute()
            == con.raw_sql("select count(*) from mart.orders").fetchone()[0]
        )
        frame = con.sql(sql).to_pandas()
        return list(frame.itertuples(index=False, name=None))

    return ask, con.raw_sql, con.disconnect


import duckdb  # noqa: E402

talk({"ibis": ibis.__version__, "duckdb": duckdb.__version__}, open_)
