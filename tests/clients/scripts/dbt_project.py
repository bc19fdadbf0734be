"""dbt: a project whose source is the published file, attached read-only beside its own database."""

import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import duckdb
from common import say

FILES = {
    "dbt_project.yml": "name: mine\nversion: '1.0.0'\nprofile: mine\nmodel-paths: [models]\n",
    "profiles.yml": """\
mine:
  target: dev
  outputs:
    dev:
      type: duckdb
      path: {own}
      attach: [{{path: '{file}', alias: company, read_only: true}}]
""",
    "models/sources.yml": """\
sources:
  - name: company
    database: company
    schema: mart
    tables: [{name: orders, columns: [{name: order_id, data_tests: [unique, not_null]}]}]
""",
    "models/sales.sql": """\
{{ config(materialized='table') }}
select channel, currency, count(*) as orders, sum(total) as total
from {{ source('company', 'orders') }} group by all
""",
}


def build(folder: Path) -> dict:
    done = subprocess.run(
        [Path(sys.executable).with_name("dbt"), "build", "--profiles-dir", folder, "--project-dir",
         folder, "--no-use-colors"],
        capture_output=True, text=True, cwd=folder,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stdout[-1500:])
    with duckdb.connect(str(folder / "own.duckdb"), read_only=True) as con:
        orders, total = con.execute(
            "select sum(orders), sum(total)::varchar from sales"
        ).fetchall()[0]
    return {"orders": int(orders), "total": total, "torn": None, "comment": ""}


versions = {"dbt-duckdb": version("dbt-duckdb"), "dbt-core": version("dbt-core"),
            "duckdb": duckdb.__version__}  # fmt: skip
try:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, text in FILES.items():
            (folder / path).parent.mkdir(exist_ok=True)
            if path == "profiles.yml":
                text = text.format(own=folder / "own.duckdb", file=sys.argv[1])
            (folder / path).write_text(text)
        say(versions=versions, **build(folder))
        sys.stdin.readline()
        say(again=None, refused="not tried: it writes to its own database", anew=build(folder))
except Exception as error:
    print(error, file=sys.stderr)
    say(versions=versions, error=" ".join(str(error).split())[-300:])
