"""polars: by way of Arrow, and by its own read_database."""

import sys

import duckdb
import polars
from common import talk


def open_():
    con = duckdb.connect(sys.argv[1], read_only=True)

    def ask(sql):
        rows = con.sql(sql).pl().rows()
        assert polars.read_database(sql, connection=con).rows() == rows
        return rows

    return ask, con.execute, con.close


talk({"polars": polars.__version__, "duckdb": duckdb.__version__}, open_)
