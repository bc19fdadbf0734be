"""pandas: every answer by way of a data frame."""

import sys

import duckdb
import pandas
from common import talk


def open_():
    con = duckdb.connect(sys.argv[1], read_only=True)

    def ask(sql):
        return list(con.sql(sql).df().itertuples(index=False, name=None))

    return ask, con.sql, con.close


talk({"pandas": pandas.__version__, "duckdb": duckdb.__version__}, open_)
