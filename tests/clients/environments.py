"""The clients, and an environment for each of their families below build/clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.clients.scripts import common

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / "build" / "clients"
SCRIPTS = Path(__file__).parent / "scripts"


@dataclass(frozen=True, slots=True)
class Client:
    """One client: what people call it, its script, what is installed for it.

    One that `holds` no connection opens the file for each question.
    """

    name: str
    script: str
    packages: tuple[str, ...]
    kind: str = "python"
    holds: bool = True


CLIENTS = (
    Client("DuckDB, Python", "own_client.py", ("duckdb==1.5.5",)),
    Client("DuckDB, Python", "own_client.py", ("duckdb==2.0.0",)),
    Client("DuckDB, Python", "own_client.py", ("duckdb==1.4.4",)),
    Client("DuckDB, Python", "own_client.py", ("duckdb==1.2.2",)),
    Client("DuckDB, Python", "own_client.py", ("duckdb==1.1.3",)),
    Client("DuckDB, command line", "command_line.py", ("duckdb-cli==1.5.6",), "cli"),
    Client("pandas", "pandas_frames.py", ("duckdb==1.5.5", "pandas==3.1.1")),
    Client("polars", "polars_frames.py", ("duckdb==2.0.0", "polars==2.1.0", "pyarrow==26.0.1")),
    Client("Arrow", "arrow_tables.py", ("duckdb==2.0.0", "pyarrow==26.0.1")),
    Client("ibis", "ibis_tables.py", ("ibis-framework[duckdb]==12.0.0", "duckdb==1.5.5")),
    Client(
        "SQLAlchemy", "sqlalchemy_engine.py",
        ("duckdb-engine==0.17.0", "sqlalchemy==2.0.58", "duckdb==1.5.5"),
    ),
    Client(
        "Apache Superset", "superset_database.py",  # older releases of what it forgot to bound
        ("apache-superset==6.1.0", "duckdb-engine==0.17.0", "duckdb==1.5.5",
         "flask-caching==2.3.1", "cachetools==6.2.6"), holds=False,
    ),
    Client(
        "ADBC", "adbc_driver.py",
        ("adbc-driver-manager==1.13.0", "duckdb==1.5.5", "pyarrow==26.0.1"),
    ),
    Client(
        "dbt", "dbt_project.py", ("dbt-core==1.11.16", "dbt-duckdb==1.11.1", "duckdb==1.5.5")
    ),
    Client("SQL as R's dbplyr writes it", "dbplyr.py", ("duckdb==1.5.5",)),
    Client("Node.js", "node.mjs", ("@duckdb/node-api@1.5.6-r.1",), "node"),
    Client(
        "Evidence (its own driver)", "evidence.mjs",
        ("@evidence-dev/duckdb@2.0.1", "@duckdb/node-api@1.5.6-r.1"), "node",
    ),
)  # fmt: skip


def made(client: Client) -> Path:
    """Return the folder of a client's environment, installed; clients of one set share it."""
    name = "-".join(client.packages).replace("/", "_").replace("[", "_").replace("]", "")
    folder = FOLDER / name
    mark = folder / ".ready"
    if mark.exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    if client.kind == "node":
        (folder / "package.json").write_text("{}")
        _run(["npm", "install", "--silent", "--no-audit", "--no-fund", *client.packages], folder)
    else:
        _run([sys.executable, "-m", "venv", "--without-pip", "."], folder)
        uv = Path(sys.executable).with_name("uv")
        _run([str(uv), "pip", "install", "--no-config", "--quiet", "--python", "bin/python",
              *client.packages], folder)  # fmt: skip
    mark.touch()
    return folder


def command(client: Client, file: Path) -> list[str]:
    """Return the words that start a client on `file`."""
    folder, script = made(client), str(SCRIPTS / client.script)
    if client.kind == "node":
        asked = {"state": common.STATE, "torn": common.TORN, "comment": common.COMMENT,
                 "write": common.WRITE}  # fmt: skip
        return ["node", script, str(file), str(folder), json.dumps(asked)]
    words = [str(folder / "bin" / "python"), script, str(file)]
    return [*words, str(folder / "bin" / "duckdb")] if client.kind == "cli" else words


def _run(words: Sequence[str], folder: Path) -> None:
    done = subprocess.run(words, cwd=folder, env=os.environ, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr[-600:]}")
