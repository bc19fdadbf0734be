"""DuckDB's own Python client."""

import sys

import duckdb
from common import talk


def open_():
    con = duckdb.connect(sys.argv[1], read_only=True)
    return (lambda sql: con.execute(sql).fetchall()), con.execute, con.close


talk({"duckdb": duckdb.__version__}, open_)
