"""Apache Superset's own model of a database: its list of tables and what SQL Lab asks by.

No server is started and no account is made; the models are those that the server uses.
"""

import json
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

folder = tempfile.mkdtemp(prefix="superset-")
Path(folder, "superset_config.py").write_text(
    f"SECRET_KEY = 'only-for-this-process'\n"
    f"SQLALCHEMY_DATABASE_URI = 'sqlite:///{folder}/superset.db'\n"
    "RATELIMIT_ENABLED = False\n"
    "CACHE_CONFIG = DATA_CACHE_CONFIG = FILTER_STATE_CACHE_CONFIG = "
    "EXPLORE_FORM_DATA_CACHE_CONFIG = {'CACHE_TYPE': 'SimpleCache'}\n"
)
os.environ["SUPERSET_CONFIG_PATH"] = f"{folder}/superset_config.py"
os.environ["SUPERSET_HOME"] = folder
sys.path.append(str(Path(__file__).parent))

from common import talk  # noqa: E402
from superset.app import create_app  # noqa: E402

app = create_app()


def open_():
    from superset.models.core import Database

    extra = json.dumps({"engine_params": {"connect_args": {"read_only": True}}})
    database = Database(
        database_name="published", sqlalchemy_uri=f"duckdb:///{sys.argv[1]}", extra=extra
    )

    def ask(sql):
        views = database.get_all_view_names_in_schema(None, "mart")
        tables = database.get_all_table_names_in_schema(None, "mart")
        assert "orders" in {name for name, *_ in (*views, *tables)}
        return list(database.get_df(sql, None, "mart").itertuples(index=False, name=None))

    def write(sql):
        with database.get_raw_connection() as con:
            con.cursor().execute(sql)

    return ask, write, (lambda: None)


with app.app_context():
    talk({name: version(name) for name in ("apache-superset", "duckdb-engine", "duckdb")}, open_)
