"""The restore drill: each damage, then the steps of docs/restore.md, then row by row as before."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import drill_steps
import duckdb
import pytest
from drill_company import Company, Rows, company, differences, published, stored

from pipelines.workspace import _check_of
from tests.faults.stores_state import cut, flip
from warehouse.home import Home

STORE, PUBLIC = "store/store.duckdb", "store/public.duckdb"
LOG = f"{STORE}.wal"
ORDERS = "landing/shop/orders"
SECOND = f"{ORDERS}/000000000002"
DECISION = "landing/_decisions/000000000001.json"
MANY = [n / 40 for n in range(40)]
Damage = Callable[[Path], None]


def _flip(name: str) -> Damage:
    return lambda home: flip(home / name, MANY)


def _cut(name: str) -> Damage:
    return lambda home: cut(home / name, 0.6)


def _gone(*names: str) -> Damage:
    return lambda home: [p.unlink() for n in names for p in home.glob(n)] and None


def _logged(damage: Damage) -> Damage:
    """Let a process die that had committed and not checkpointed, then do `damage`."""

    def both(home: Path) -> None:
        child = os.fork()
        if child == 0:
            con = duckdb.connect(str(home / STORE))
            con.execute("insert into ops.meta select 'drill ' || range, 'x' from range(5000)")
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)
        assert (home / LOG).stat().st_size > 0
        damage(home)

    return both


def _no_env(home: Path) -> None:
    (home.parent / ".env").unlink()


def _other_key(home: Path) -> None:
    env = home.parent / ".env"
    env.write_text(re.sub("(?m)^ISTHMUS_KEY=.*", f"ISTHMUS_KEY={'other' * 9}", env.read_text()))


def _key_in_file(folder: Path) -> None:
    """Move the key from `.env` to the file that a home without ISTHMUS_KEY makes."""
    env, home = folder / ".env", Home(folder / "var")
    rest, key = re.fullmatch("(?s)(.*)ISTHMUS_KEY=(.*)\n", env.read_text()).groups()  # type: ignore[union-attr]
    env.write_text(rest)
    home.key_file.write_text(f"{key}\n{_check_of(key)}\n")


def _tree_gone(home: Path) -> None:
    shutil.rmtree(home)
    for name in ("defs", "mappings", ".env"):
        path = home.parent / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _older(home: Path) -> None:
    """The last batch is lost, and another one took its number."""
    for path in home.glob(f"{ORDERS}/000000000006.*"):
        path.unlink()


@dataclass(frozen=True)
class Drill:
    """A damage, what says so, and the blocks of the page that mend it.

    `shown` is a command that must tell `text`. `lost` says that the page owns up to a loss: then
    the golden ids are compared, without the orders of which only a broken version is left, and
    with `more` of them where a person has to decide again. `key_file` has the key in `var/key`.
    """

    damage: Damage
    steps: tuple[str, ...]
    shown: str = ""
    text: str = ""
    lost: bool = False
    more: int = 0
    batch: str = "000000000002"
    key_file: bool = False


DRILLS: dict[str, Drill] = {
    "store flipped": Drill(_flip(STORE), ("store",), "publish", "isthmus rebuild"),
    "store cut": Drill(_cut(STORE), ("store",), "publish", "isthmus rebuild"),
    "store gone": Drill(_gone(STORE), ("store",), "publish", "The store is gone"),
    "log flipped": Drill(_logged(_flip(LOG)), ("store",)),
    "log cut": Drill(_logged(_cut(LOG)), ("store",)),
    "log gone": Drill(_logged(_gone(LOG)), ("store",)),
    "disk full": Drill(
        lambda home: (home / "store/rebuilt.duckdb").write_bytes(b"half") and None, ("disk",)
    ),
    "projection flipped": Drill(_flip(PUBLIC), ("published",)),
    "projection gone": Drill(_gone(PUBLIC), ("published",)),
    "published flipped": Drill(
        _flip("published/isthmus.duckdb"), ("published",), "query 'from orders'",
        "cannot be read",
    ),
    "published cut": Drill(
        lambda home: cut(home / "published/isthmus.duckdb", 0.01), ("published",),
        "query 'from orders'", "cannot be read",
    ),
    "index flipped": Drill(
        _flip(f"{ORDERS}/seen.db"), ("seen",), "sync shop orders",
        "did not fit the landing; it is made anew",
    ),
    "index gone": Drill(_gone(f"{ORDERS}/seen.db*"), ("seen",)),
    "batch flipped": Drill(
        _flip(f"{SECOND}.ndjson.zst"), ("batch", "batch-proof"), "rebuild --yes",
        "its sidecar says",
    ),
    "batch cut": Drill(
        _cut(f"{SECOND}.ndjson.zst"), ("batch", "batch-proof"), "rebuild --yes", "its sidecar says"
    ),
    "batch gone": Drill(
        _gone(f"{SECOND}.*"), ("batch", "batch-proof"), "rebuild --yes", "batch 2 is missing"
    ),
    "sidecar flipped": Drill(
        lambda home: flip(home / f"{SECOND}.json", [0.3]), ("batch", "batch-proof"),
        "rebuild --yes", "sidecar",
    ),
    "newest sidecar flipped": Drill(
        lambda home: flip(home / f"{ORDERS}/000000000006.json", [0.7]), ("batch", "batch-proof"),
        "sync shop orders", "sidecar", batch="000000000006",
    ),
    "batch lost": Drill(
        _gone(f"{SECOND}.*"), ("batch-lost",), "rebuild --yes", "batch 2 is missing", lost=True
    ),
    "decision flipped": Drill(
        lambda home: flip(home / DECISION, [0.5]), ("decision",), "sync shop orders", "decision"
    ),
    "decision gone": Drill(_gone(DECISION), ("decision",), "sync shop orders", "is missing"),
    "last decision gone": Drill(
        _gone("landing/_decisions/000000000002.json"), ("decision",), "sync shop orders",
        "decision 2 is missing",
    ),
    "last decision gone, seen by a rebuild": Drill(
        _gone("landing/_decisions/000000000002.json"), ("decision",), "rebuild --yes",
        "decision 2 is missing",
    ),
    "decision lost": Drill(
        _gone(DECISION), ("decision-lost",), "sync shop orders", "is missing", lost=True,
        more=55,
    ),
    "landing older": Drill(_older, ("older",), "rebuild --yes", "the store holds batches of shop"),
    "landing older, no backup": Drill(
        _older, ("older-lost",), "rebuild --yes", "the store holds batches of shop", lost=True
    ),
    "key gone": Drill(_no_env, ("key",), "publish", "is gone"),
    "key changed": Drill(_other_key, ("key",), "publish", "put the old key back"),
    "key changed, seen after a rebuild": Drill(
        _other_key, ("key",), "rebuild --yes", "put the old key back"
    ),
    "key lost": Drill(_no_env, ("key-lost",), "publish", "is gone", lost=True),
    "key file gone": Drill(_gone("key"), ("key-file",), "publish", "is gone", key_file=True),
    "key file flipped": Drill(
        lambda home: flip(home / "key", [0.5]), ("key-file",), "publish", "not as it was written",
        key_file=True,
    ),
    "key file lost": Drill(
        _gone("key"), ("key-lost",), "publish", "is gone", lost=True, key_file=True
    ),
    "machine lost, with a key file": Drill(_tree_gone, ("machine",), key_file=True),
    "control flipped": Drill(_flip("control.db"), ("control",), "status", "is damaged"),
    "control gone": Drill(_gone("control.db*"), ("control",)),
    "machine lost": Drill(_tree_gone, ("machine",)),
}  # fmt: skip
QUICK = ("store flipped", "published flipped", "newest sidecar flipped", "key changed")


@dataclass
class Place:
    """The company as it was before any damage."""

    made: Company
    whole: Path
    backup: Path
    rows: Rows
    shown: Rows

    @property
    def env(self) -> dict[str, str]:
        """What the person at the shell has set."""
        return {"BACKUP": str(self.backup), "ISTHMUS_LANG": "en"}

    def back_up(self, backup: Path) -> None:
        """Back the folder up as the page says, to take it from there."""
        self.backup = backup
        drill_steps.run(drill_steps.steps()["backup"], self.made.folder, self.env)

    def put_back(self) -> None:
        """Undo all that a drill did; hard links between the published names stay."""
        for path in self.made.folder.iterdir():
            if path.name not in ("journal.ndjson", "inbox"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        subprocess.run(["cp", "-a", f"{self.whole}/.", str(self.made.folder)], check=True)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    root = tmp_path_factory.mktemp("drill")
    with company(root / "acme") as made:
        whole = root / "whole"
        subprocess.run(["cp", "-a", str(made.folder), str(whole)], check=True)
        shutil.rmtree(whole / "inbox")
        found = Place(
            made, whole, root, stored(made.home / STORE), published(made.home)
        )  # fmt: skip
        found.back_up(root / "backup")
        yield found


def living(rows: Rows) -> set[object]:
    """Return the golden ids of all living orders and parties but for the half-broken ones."""
    of_broken = [row for row in rows["unified.xref"] if {"11", "13"} & set(row)]
    broken = {value for row in of_broken for value in row if isinstance(value, UUID)}
    tables = (rows['"unified"."orders"'], rows['"unified"."parties"'])
    return {row[0] for table in tables for row in table} - broken


def compare(place: Place, drill: Drill, name: str) -> None:
    found = stored(place.made.home / STORE)
    if drill.lost:
        before, after = living(place.rows), living(found)
        assert before <= after
        assert len(after - before) == drill.more
        return
    batches = set(place.rows["ops.batches"])
    assert batches <= set(found.pop("ops.batches")), f"{name}: batches"
    wanted = {k: v for k, v in place.rows.items() if k != "ops.batches"}
    assert differences(wanted, found) == []
    assert differences(place.shown, published(place.made.home)) == []


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in DRILLS]
)
def test_drill(
    place: Place,
    name: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drill = DRILLS[name]
    place.put_back()
    if drill.key_file:
        _key_in_file(place.made.folder)
        monkeypatch.setattr(place, "backup", place.backup)
        place.back_up(tmp_path / "backup")
    drill.damage(place.made.home)
    if drill.shown:
        capfd.readouterr()
        drill_steps.run(f"isthmus {drill.shown} || true\n", place.made.folder, place.env)
        said = "".join(capfd.readouterr())
        assert drill.text in said, said
        assert "Traceback" not in said
        assert "report it" not in said, said
    blocks = drill_steps.steps()
    for step in drill.steps:
        block = blocks[step].replace("000000000002", drill.batch)
        drill_steps.run(block, place.made.folder, place.env, anew=step == "machine")
    compare(place, drill, name)


def test_the_page_says_of_each_kind_how_the_backup_is_tried(place: Place) -> None:
    place.put_back()
    drill_steps.run(drill_steps.steps()["try"], place.made.folder, place.env)
    used = {step for drill in DRILLS.values() for step in drill.steps} | {"backup", "try"}
    assert set(drill_steps.steps()) == used, "a block of the page that no drill runs"
