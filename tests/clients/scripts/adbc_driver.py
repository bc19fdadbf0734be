"""ADBC: DuckDB's driver through the driver manager."""

import sys
from importlib.metadata import version

import adbc_driver_duckdb
import adbc_driver_manager.dbapi as dbapi
import duckdb
from common import talk


def open_():
    con = dbapi.connect(
        driver=adbc_driver_duckdb.driver_path(), entrypoint="duckdb_adbc_init",
        db_kwargs={"path": sys.argv[1], "access_mode": "READ_ONLY"}, autocommit=True,
    )  # fmt: skip

    def ask(sql):
        with con.cursor() as cursor:
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]

    return ask, ask, con.close


talk({"adbc-driver-manager": version("adbc-driver-manager"), "duckdb": duckdb.__version__}, open_)
