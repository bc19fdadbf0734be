"""An erasure that is killed anywhere goes on where it was and ends as one that was not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import canary_company
import pytest
from canary_company import CANARIES, MAIL, NAME, PHONE, Company, erase_killed_at

from connectors.base import utc_now
from pipelines.cli import main
from pipelines.erase import Erasure, Several
from pipelines.repair import rebuild
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from warehouse import compact, crashpoints, packfiles
from warehouse.decisions import Decisions
from warehouse.errors import LandingError
from warehouse.landing import Landing
from warehouse.packs import PackedBatch
from warehouse.store import open_store

pytestmark = pytest.mark.xdist_group("erase")
POINTS = [p for p in crashpoints.UPKEEP if p.startswith("erase.")]
FEW = ("erase.batch_written",)
MORE = [p for p in ("decide.written", *POINTS, "erase.batch_written:3", "erase.batch_done:4",
                    "unify.written", "publish.versioned") if p not in FEW]  # fmt: skip
KILLED = -9
SQL = (
    "select entity, connection, stream, source_key, golden_id from unified.xref order by all",
    "select source_key, total, ship_to_name, is_deleted, row_hash from source.orders order by all",
    "select source_key, name, phone, row_hash from source.parties order by all",
    "select source_key, subject, description, row_hash from source.tickets order by all",
    "select source_key, total, ship_to_name from history.orders order by all",
    "select id, rule, status from ops.quarantine order by all",
    "select connection, stream, batch, sha256, rows from ops.batches order by all",
)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with canary_company.running(tmp_path_factory.mktemp("canary")) as made:
        made.space.control.close()
        yield made


@pytest.fixture(scope="module")
def whole(company: Company, tmp_path_factory: pytest.TempPathFactory) -> list[list[Any]]:
    """Return what the store holds after an erasure that nobody killed."""
    space = copy_of(company, tmp_path_factory.mktemp("whole") / "mine")
    Erasure(space, utc_now).erase(MAIL, why="request", who="dpo")
    return held(space)


@pytest.fixture(scope="module")
def packed(company: Company, tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Return a company whose landing was compacted: every batch stands in a pack."""
    space = copy_of(company, tmp_path_factory.mktemp("packed") / "mine")
    landing, alone = Landing(space.home.landing), compact.ALONE
    compact.ALONE = 0
    for place in landing.streams():
        compact.compact(landing, place, lambda _: None)
        pack_last(landing, place)
        assert not [b for b in landing.batches(*place) if not isinstance(b, PackedBatch)]
    compact.ALONE = alone
    space.control.close()
    return Company(company.server, space, space.defs.parent)


def test_a_person_is_erased_from_packs(
    packed: Company, whole: list[list[Any]], tmp_path: Path
) -> None:
    space = copy_of(packed, tmp_path / "mine")
    records = {p: n for p, n in counted(space).items() if n}
    done = Erasure(space, utc_now).erase(MAIL, why="request", who="dpo")
    assert done.proof is not None
    assert done.proof.is_clean
    space.control.close()
    assert canary_company.homes_texts(space.home.root) == {}
    assert {p: n for p, n in counted(space).items() if n} == records, "positions stay"
    assert without_sums(held(space)) == without_sums(whole)
    again = Landing(space.home.landing)
    for place in again.streams():
        for batch in again.batches(*place):
            batch.verify()
    assert rebuilt(space) == held(space)


@pytest.mark.parametrize(
    "point",
    ["erase.batch_written", pytest.param("erase.batch_done:3", marks=pytest.mark.slow)],
)
def test_killed_while_packs_are_written(
    point: str, packed: Company, whole: list[list[Any]], tmp_path: Path
) -> None:
    space = copy_of(packed, tmp_path / "mine")
    assert erase_killed_at(space.defs.parent, point) == KILLED
    done = Erasure(space, utc_now).resume()
    assert done is not None
    assert done.proof is not None
    assert done.proof.is_clean
    space.control.close()
    assert without_sums(held(space)) == without_sums(whole)
    assert rebuilt(space) == held(space)


def test_nothing_is_left_in_an_unfinished_pack(
    company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before its sidecar: a pack of an older pack and batches beside it."""
    space = copy_of(company, tmp_path / "mine")
    landing, place = Landing(space.home.landing), ("shop", "customers")
    pack_last(landing, place)
    first = landing.batch(*place, 1)
    for read in ("x", "y"):
        with landing.writer(
            *place, mode="changed", read=read, connector="rest@1", started=utc_now(),
            trust_source=True,
        ) as writer:  # fmt: skip
            keys = [key for segment in first.segments() or () for key in segment.keys]
            writer.add(list(first.lines()), keys, first.sidecar.bookmark)
    monkeypatch.setattr(packfiles, "write_sidecar", lambda _pack: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        compact.compact(landing, place, lambda _: None)
    monkeypatch.undo()
    folder = landing.folder(*place)
    count = len(landing.sequences(*place)) - 1
    (left,) = folder.glob(f"000000000001-{count:012d}.ndjson.zst")
    done = Erasure(space, utc_now).erase(MAIL, why="request", who="dpo")
    assert done.proof is not None
    assert done.proof.is_clean
    assert not left.exists()
    space.control.close()
    assert canary_company.homes_texts(space.home.root) == {}


def pack_last(landing: Landing, place: tuple[str, str]) -> None:
    """Put the last batch into a pack, too, which a compaction never does."""
    folder, last = landing.folder(*place), landing.last(*place)
    assert last is not None
    packfiles.make(folder, [last])
    packfiles.remove(folder, [p.name for p in folder.glob(f"{last.sequence:012d}.*")])


def counted(space: Workspace) -> dict[tuple[str, str], int]:
    """Return the records that are landed of each stream."""
    landing = Landing(space.home.landing)
    return {p: sum(b.sidecar.rows for b in landing.batches(*p)) for p in landing.streams()}


def without_sums(content: list[list[Any]]) -> list[list[Any]]:
    """Leave out the sums of batches: they are of packs' contents, not of files."""
    return [*content[:-1], [(*row[:3], *row[4:]) for row in content[-1]]]


def rebuilt(space: Workspace) -> list[list[Any]]:
    rebuild(space, utc_now)
    return held(space)


@pytest.fixture
def space(company: Company, tmp_path: Path) -> Iterator[Workspace]:
    made = copy_of(company, tmp_path / "mine")
    yield made
    made.control.close()


def copy_of(company: Company, root: Path) -> Workspace:
    shutil.copytree(company.root, root, symlinks=True)
    return Workspace.discover({}, start=root)


def held(space: Workspace) -> list[list[Any]]:
    with open_store(space.home) as store:
        return [store.con.execute(sql).fetchall() for sql in SQL]


def killed_and_resumed(space: Workspace, point: str, whole: list[list[Any]]) -> None:
    root = space.defs.parent
    assert erase_killed_at(root, point) == KILLED
    if point != "erase.noted":
        assert len(Decisions(space.home.landing).all("erase")) == 1
    done = Erasure(space, utc_now).resume()
    assert done is not None
    assert done.proof is not None
    assert done.proof.is_clean
    assert len(Decisions(space.home.landing).all("erase")) == 1
    assert held(space) == whole
    space.control.close()
    assert canary_company.homes_texts(space.home.root) == {}
    assert Erasure(space, utc_now).resume() is None


@pytest.mark.parametrize("point", FEW)
def test_a_killed_erasure_goes_on(point: str, space: Workspace, whole: list[list[Any]]) -> None:
    killed_and_resumed(space, point, whole)


@pytest.mark.slow
@pytest.mark.parametrize("point", MORE)
def test_killed_at_every_point(point: str, space: Workspace, whole: list[list[Any]]) -> None:
    killed_and_resumed(space, point, whole)


def test_nothing_else_runs_between_a_kill_and_its_resumption(space: Workspace) -> None:
    assert erase_killed_at(space.defs.parent, "erase.batch_done:2") == KILLED
    outcome = sync_stream(space, "shop", "customers", full=True)
    assert outcome.error is not None
    assert "erase --resume" in outcome.error.do
    assert unify_publish(space).error is not None
    with pytest.raises(LandingError, match="being erased"):
        Erasure(space, utc_now).erase(MAIL, why="again", who="dpo")
    note = (space.home.landing / "_erasing").read_bytes()
    assert not [v for v in CANARIES if v.encode() in note]


def test_the_command_looks_asks_and_erases(
    space: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(space.defs.parent)
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    before = {p: p.read_bytes() for p in space.home.landing.rglob("*") if p.is_file()}
    assert main(["erase", PHONE, "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert not [v for v in CANARIES if v in told]
    assert "shop/customers" in told
    assert main(["erase", PHONE]) == 2  # no reason
    assert main(["erase", PHONE, "--why", "request"]) == 2  # nobody to ask
    assert main(["erase", PHONE, "--why", f"for {NAME}", "--yes"]) == 1
    assert "names the person" in capsys.readouterr().err
    assert {p: p.read_bytes() for p in before} == before
    assert main(["erase", PHONE, "--why", "request", "--yes"]) == 0
    told = capsys.readouterr().out
    assert "0 hits" in told
    assert not [v for v in CANARIES if v in told]


def test_a_namesake_and_a_shared_number_stay_with_the_other(
    company: Company,
    space: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The same name, and one phone in a household: what another says too is not taken from him."""
    company.server.put(
        "customers",
        canary_company.customer(
            5, last="欧阳", first="若澜", phone=PHONE, updated_at=canary_company.LATER
        ),
    )
    assert sync_stream(space, "shop", "customers", full=True).error is None
    assert unify_publish(space).error is None
    erasure = Erasure(space, utc_now)
    with pytest.raises(Several):
        erasure.look(PHONE)
    monkeypatch.chdir(space.defs.parent)
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    assert main(["erase", PHONE, "--why", "request", "--yes"]) == 2
    told = capsys.readouterr().err
    assert "2 parties match; none was chosen" in told
    assert "shop/customers/5  欧**" in told
    assert PHONE not in told
    seen = erasure.look("erp/clients/K0007")
    assert seen.kept["name"] == 1
    assert seen.kept["phone"] >= 1
    done = erasure.erase("erp/clients/K0007", why="request", who="dpo")
    assert done.proof is not None
    assert done.proof.is_clean
    with open_store(space.home) as store:
        rows = store.con.execute(
            "select name, phone from source.parties where connection = 'shop' and source_key = '5'"
        ).fetchall()
        orders = store.con.execute(
            "select count(*) from source.orders where customer_key = '5' and ship_to_name is null"
        ).fetchall()
        mine = store.con.execute(
            "select ship_to_name, ship_to_phone from source.orders where customer_key = '77'"
        ).fetchall()
    assert rows == [(NAME, PHONE)]
    assert orders == [(0,)]
    assert mine == [(None, None)] * 2
