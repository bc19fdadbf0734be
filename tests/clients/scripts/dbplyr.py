"""The statements that R's DBI and dbplyr write, through Python: R's own package is not at hand."""

import sys

import duckdb
from common import talk


def open_():
    con = duckdb.connect(sys.argv[1], read_only=True)

    def ask(sql):
        con.execute('SELECT * FROM "mart"."orders" AS "q01" WHERE (0 = 1)')
        con.execute(
            'SELECT "channel", COUNT(*) AS "n", SUM("total") AS "total" FROM "mart"."orders" '
            'WHERE (NOT(("total" IS NULL))) GROUP BY "channel" ORDER BY "n" DESC LIMIT 11'
        )
        con.execute("SELECT table_schema, table_name FROM information_schema.tables")
        return con.execute(f"SELECT * FROM ({sql}) AS q01").fetchall()

    return ask, con.execute, con.close


talk({"duckdb": duckdb.__version__}, open_)
