"""Arrow tables, and parquet of a whole mart in record batches."""

import sys

import duckdb
import pyarrow
from common import talk


def open_():
    con = duckdb.connect(sys.argv[1], read_only=True)

    def ask(sql):
        table = con.sql(sql).to_arrow_table()
        batches = con.sql("from mart.order_to_cash").to_arrow_reader(1000)
        assert sum(batch.num_rows for batch in batches) > 0
        return [tuple(row.values()) for row in table.to_pylist()]

    return ask, con.execute, con.close


talk({"pyarrow": pyarrow.__version__, "duckdb": duckdb.__version__}, open_)
