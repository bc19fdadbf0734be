"""SQLAlchemy with duckdb_engine, as Superset and other tools use it: also asks for the catalog."""

import sys
from importlib.metadata import version

import duckdb
from common import talk
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.pool import NullPool


def open_():
    engine = create_engine(
        f"duckdb:///{sys.argv[1]}", connect_args={"read_only": True}, poolclass=NullPool
    )
    con = engine.connect()

    def ask(sql):
        seen = inspect(con)
        assert "orders" in seen.get_table_names(schema="unified") + seen.get_view_names(
            schema="mart"
        )
        return [tuple(row) for row in con.execute(text(sql))]

    return ask, (lambda sql: con.execute(text(sql))), (lambda: (con.close(), engine.dispose()))


talk(
    {"duckdb-engine": version("duckdb-engine"), "sqlalchemy": version("sqlalchemy"),
     "duckdb": duckdb.__version__}, open_,
)  # fmt: skip
