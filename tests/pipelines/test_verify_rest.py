"""The completeness proof over HTTP and from the command line, on a shop that answers totals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import small_shop
from small_shop import START, at_the_source, in_the_store, order

from connectors.rest.serve import serve
from connectors.rest.simulator import RestSimulator
from pipelines.cli import main
from pipelines.proof import StreamProof
from pipelines.sync import sync_stream
from pipelines.verify import verify_stream
from pipelines.workspace import Workspace


@pytest.fixture
def server() -> RestSimulator:
    return small_shop.shop()


@pytest.fixture
def space(server: RestSimulator, tmp_path: Path) -> Iterator[Workspace]:
    with serve(server) as url:
        made = small_shop.workspace(tmp_path, url)
        assert sync_stream(made, "shop", "orders").error is None
        yield made
        made.control.close()


def verify(space: Workspace, stream: str = "orders", **how: Any) -> StreamProof:
    return verify_stream(space, "shop", stream, **how)


def by_hand(space: Workspace, *statements: str) -> None:
    with duckdb.connect(str(space.home.store)) as con:
        for each in statements:
            con.execute(each)


def test_totals_from_each_edge_on_prove_the_windows(space: Workspace, server: RestSimulator):
    server.put("orders", order(70, at=START - timedelta(days=70)))
    server.put("orders", order(71, at=START - timedelta(days=9)))
    before = len(server.sent("orders"))
    said = verify(space, heal=False)
    assert "from each edge on" in said.how
    assert {(w.source, w.store) for w in said.windows if w.is_off} == {(1, 0)}
    assert len(server.sent("orders")) - before < 45
    proof = verify(space)
    assert (proof.error, proof.status) == (None, "healed")
    assert in_the_store(space) == at_the_source(server)
    assert sum(w.source or 0 for w in proof.windows) == 62


def test_orders_removed_by_hand_come_back_with_their_lines(space: Workspace, server: RestSimulator):
    kept = in_the_store(space)
    by_hand(
        space, "delete from source.orders where source_key in ('3', '44')",
        "delete from source.order_lines where parent_key in ('3', '44')",
    )  # fmt: skip
    proof = verify(space)
    assert (proof.error, proof.status, proof.put_back) == (None, "healed", 2)
    assert in_the_store(space) == kept == at_the_source(server)


def test_lines_removed_by_hand_beside_their_order_come_back(
    space: Workspace, server: RestSimulator
):
    kept = in_the_store(space)
    by_hand(
        space, "delete from source.order_lines where parent_key = '3' and line = 1",
        "delete from source.order_lines where parent_key = '44'",
    )  # fmt: skip
    assert in_the_store(space) != kept
    said = verify(space, heal=False)
    assert (said.status, sum(w.lost for w in said.windows)) == ("missing", 2)
    proof = verify(space)
    assert (proof.error, proof.status, proof.put_back) == (None, "healed", 2)
    assert in_the_store(space) == kept == at_the_source(server)
    assert verify(space).status == "equal"


def test_a_total_that_does_not_heed_the_stamp_is_compared_as_a_whole(
    space: Workspace, server: RestSimulator
):
    text = (space.defs / "shop" / "defs.yaml").read_text()
    # A parameter that the server does not know: the list comes whole, and so does its total.
    text = text.replace("param: updated_since", "param: since_whenever")
    (space.defs / "shop" / "defs.yaml").write_text(text)
    server.put("orders", order(70, at=START - timedelta(days=70)))
    server.delete("orders", "5")
    proof = verify(space, heal=False)
    assert "does not heed since_whenever" in proof.how
    assert [(w.source, w.store, w.span.since) for w in proof.windows] == [(60, 60, None)]


def test_a_list_without_a_total_is_proved_by_its_keys(space: Workspace, server: RestSimulator):
    text = (space.defs / "shop" / "defs.yaml").read_text()
    (space.defs / "shop" / "defs.yaml").write_text(text.replace("        total: total\n", ""))
    assert verify(space).status == "equal"
    server.put("orders", order(70, at=START - timedelta(days=70)))
    server.delete("orders", "5")
    said = verify(space, heal=False)
    assert (said.status, said.how) == ("missing", "all keys listed: the stream names no total")
    assert "1 missing here: 70; 1 not at the source: 5" in said.windows[0].message
    proof = verify(space)
    assert (proof.error, proof.status) == (None, "healed")
    assert in_the_store(space) == at_the_source(server)


def test_the_command_line_says_heals_and_publishes(
    space: Workspace,
    server: RestSimulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in small_shop.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ISTHMUS_MAPPINGS", str(tmp_path / "mappings"))
    monkeypatch.setenv("SHOP_TOKEN", small_shop.TOKEN)
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    monkeypatch.chdir(tmp_path)
    by_hand(space, "delete from source.orders where source_key = '44'")
    server.put("orders", order(71, at=START - timedelta(days=9)))
    assert main(["verify", "shop", "orders", "--no-heal"]) == 1
    shown = capsys.readouterr()
    assert "missing, source 1, store 0" in shown.err
    assert main(["verify", "shop", "orders", "--json"]) == 0
    (proof,) = json.loads(capsys.readouterr().out)["streams"]
    assert (proof["status"], proof["put_back"], proof["read_again"]) == ("healed", 1, 1)
    said = ["query", "select status, sum(source_count) as n from ops.completeness group by 1"
            " order by 1", "--json"]  # fmt: skip
    assert main(said) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {r["status"] for r in rows} == {"equal", "healed"}
    assert sum(r["n"] for r in rows) == 61
    assert in_the_store(space) == at_the_source(server)
    assert main(["verify", "shop", "nothing"]) == 2
