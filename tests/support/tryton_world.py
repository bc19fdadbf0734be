"""A real Tryton server for tests: installed and seeded once, its database copied for each test.

`Tryton` asks the server by raw JSON-RPC calls of its own and uses nothing of the product, so that
what it says can be held against what the product stored.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from tests.support.own_environment import install

PARTS = Path(__file__).parent / "tryton"
NAME = "erp"
ADMIN, READER = ("admin", "admin-Pass-word-1"), ("isthmus", "reader-Pass-word-1")
MODULES = ("sale_opportunity", "account_invoice_stock")


def _quiet() -> dict[str, str]:
    return {n: v for n, v in os.environ.items() if not n.startswith(("PYTHONPATH", "TRYTOND"))}


def _run(command: list[str], seconds: float, **env: str) -> str:
    """Run a command and return why it failed, "" where it did not."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=seconds, check=False,
        env=_quiet() | env, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    return said if done.returncode else ""


def _config(folder: Path) -> Path:
    made = folder / "trytond.conf"
    made.write_text(f"[database]\nuri = sqlite://\npath = {folder}\n", encoding="utf-8")
    return made


def prepared(root: Path) -> tuple[Path, Path]:
    """Return Tryton's interpreter and the seeded database file, both made once below `root`.

    Skips the test where the packages cannot be installed. The seed is of this year: it has a fiscal
    year in which invoices are posted.
    """
    lock_file, seed = PARTS / "requirements.lock", PARTS / "seed.py"
    home = root / hashlib.sha256(lock_file.read_bytes()).hexdigest()[:12]
    year = f"{datetime.now(UTC):%Y}"
    mark = hashlib.sha256(seed.read_bytes() + year.encode()).hexdigest()[:12]
    python, database = home / "bin" / "python", home / mark / f"{NAME}.sqlite"
    root.mkdir(parents=True, exist_ok=True)
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes side by side make it once
        install(home, "Tryton", "--require-hashes", "-r", str(lock_file))
        if not (database.parent / "done").exists():
            _seed(python, database, seed)
    return python, database


def _seed(python: Path, database: Path, seed: Path) -> None:
    """Make the database, kept apart because it takes longest, and fill a copy of it."""
    folder, empty = database.parent, python.parents[1] / "empty" / database.name
    if not (empty.parent / "done").exists():
        shutil.rmtree(empty.parent, ignore_errors=True)
        empty.parent.mkdir()
        empty.touch()
        password = empty.parent / "password"
        password.write_text(ADMIN[1], encoding="utf-8")
        admin = [str(python.parent / "trytond-admin"), "--activate-dependencies", "-d", NAME]
        admin += ["-c", str(_config(empty.parent)), "--email", "admin@example.com"]
        wrong = _run([*admin, "-u", *MODULES], 280, TRYTONPASSFILE=str(password))
        assert not wrong, f"Tryton's database cannot be made: {wrong}"
        (empty.parent / "done").touch()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy(empty, database)
    config = str(_config(folder))
    wrong = _run([str(python), str(seed), NAME], 280, TRYTOND_CONFIG=config)
    assert not wrong, f"Tryton's database cannot be filled: {wrong}"
    (folder / "done").touch()


@contextmanager
def served(python: Path, database: Path, folder: Path) -> Iterator[Tryton]:
    """Serve a copy of the database on a free port, yield its administrator's client, stop it."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(database, folder / database.name)
    env = _quiet() | {"TRYTOND_CONFIG": str(_config(folder)), "TRYTOND_DATABASE_NAMES": NAME}
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [str(python), str(PARTS / "serve.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=log, text=True, env=env,
        )  # fmt: skip
        try:
            assert server.stdout is not None
            port = server.stdout.readline().strip()
            assert port.isdigit(), (folder / "server.log").read_text()
            with Tryton(f"http://127.0.0.1:{port}", *ADMIN) as client:
                yield client
        finally:
            server.kill()
            server.wait(20)
            for pipe in (server.stdin, server.stdout):
                if pipe is not None:
                    pipe.close()


class Tryton:
    """Raw JSON-RPC calls of one user. Decimals and dates come as Python's own."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, timeout=120)
        login = {"id": 1, "method": "common.db.login", "params": [user, {"password": password}]}
        self.user, token, *_ = self._http.post(f"/{NAME}/rpc/", json=login).json()["result"]
        proof = base64.b64encode(f"{user}:{self.user}:{token}".encode()).decode()
        self._http.headers["Authorization"] = f"Session {proof}"
        self.context = self("res.user", "get_preferences", True, context={})

    def __enter__(self) -> Tryton:
        return self

    def __exit__(self, *_error: object) -> None:
        self._http.close()

    def __call__(
        self, model: str, method: str, *params: Any, context: Mapping[str, Any] | None = None
    ) -> Any:
        """Call a method and return its result; raises RuntimeError for what Tryton refuses."""
        given = [*map(_wire, params), _wire(self.context if context is None else context)]
        body = {"id": 1, "method": f"model.{model}.{method}", "params": given}
        answer = self._http.post(f"/{NAME}/rpc/", json=body)
        assert answer.status_code == 200, f"{model}.{method}: {answer.status_code} {answer.text}"
        found = answer.json()
        if "error" in found:
            raise RuntimeError(str(found["error"])[:300])
        return _native(found["result"])

    def all(self, model: str, domain: list[Any], *fields: str, **more: Any) -> list[dict[str, Any]]:
        """Return every record that fits, archived ones too; `more` is added to the context."""
        context = {**self.context, "active_test": False, **more}
        order = [["id", "ASC"]]
        return self(model, "search_read", domain, 0, None, order, list(fields), context=context)

    def key(self) -> str:
        """Make a REST key of the user itself, which is valid at once."""
        values = {"user": self.user, "application": "rest"}
        (made,) = self("res.user.application", "create", [values])
        return str(self("res.user.application", "read", [made], ["key"])[0]["key"])


def _native(value: Any) -> Any:
    if isinstance(value, list):
        return [_native(one) for one in value]
    if not isinstance(value, dict):
        return value
    kind = value.pop("__class__", None)
    if kind == "Decimal":
        return Decimal(value["decimal"])
    if kind is not None:
        return {"date": date, "datetime": datetime}[kind](**value)
    return {name: _native(one) for name, one in value.items()}


def _wire(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_wire(one) for one in value]
    if isinstance(value, Mapping):
        return {name: _wire(one) for name, one in value.items()}
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    return value
