"""The proof over every stream of the sample company: each system counts, or it is said why not."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from sample_world import Direct
from synced_sample import synced_sample

from pipelines.proof import StreamProof
from pipelines.sample.demo import AFTER, FIRST
from pipelines.sample.story import tell
from pipelines.verify import verify_stream
from pipelines.workspace import Workspace

# It syncs all systems once more; sql and rest are proved in files of their own.
pytestmark = pytest.mark.slow
ORDERS = 700


class Company:
    """The synced company, and what verifying a stream of it says."""

    def __init__(self, space: Workspace, transport: Direct) -> None:
        self.space, self.transport = space, transport

    def verify(self, connection: str, stream: str, **how: bool) -> StreamProof:
        return verify_stream(self.space, connection, stream, transport=self.transport, **how)

    def streams(self) -> list[tuple[str, str]]:
        return [
            (connection, stream.name)
            for connection in (*FIRST, *AFTER)
            for stream in self.space.connection(connection).streams
        ]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    made = synced_sample(tmp_path_factory.mktemp("home"), tell(orders=ORDERS))
    yield Company(made.space, made.transport)
    made.close()


def test_every_stream_is_proved_or_says_why_not(company: Company) -> None:
    said = {name: company.verify(*name, heal=False) for name in company.streams()}
    wrong = {
        name: (proof.error, [(w.span, w.part, w.source, w.store, w.message)
                             for w in proof.windows if w.status not in ("equal", "cannot_count")])
        for name, proof in said.items() if proof.status not in ("equal", "cannot_count")
    }  # fmt: skip
    assert wrong == {}
    assert all(proof.how for proof in said.values())
    unable = {name for name, proof in said.items() if proof.status == "cannot_count"}
    assert {connection for connection, _ in unable} == {"oms", "stripe", "logistics"}
    assert said["shop", "orders"].how == "ordersCount by created_at"
    assert sum(w.source or 0 for w in said["shop", "orders"].windows) == ORDERS


def test_what_no_source_can_count_is_still_held_against_the_landing(company: Company) -> None:
    with duckdb.connect(str(company.space.home.store)) as con:
        mine = "from source.orders where connection = 'oms'"
        con.execute(f"delete {mine} and source_key in (select min(source_key) {mine})")
    said = company.verify("oms", "orders", heal=False)
    assert (said.status, said.is_proved) == ("missing", False)
    assert "1 landed and not in the store" in said.windows[0].message
    proof = company.verify("oms", "orders")
    assert (proof.status, proof.put_back) == ("cannot_count", 1)
    assert company.verify("oms", "orders", heal=False).status == "cannot_count"


@pytest.mark.parametrize(
    ("connection", "stream", "table"),
    [
        ("shop", "orders", "orders"),
        ("crm", "leads", "leads"),
        ("oms", "after_sales", "returns"),
        ("erp", "customers", "parties"),
        ("office", "bank", "payments"),
        ("alipay", "account_bill", "payments"),
    ],
)
def test_what_the_store_lost_is_found_and_put_back(
    company: Company, connection: str, stream: str, table: str
) -> None:
    place = f"connection = '{connection}' and stream = '{stream}'"
    kept = f"select * exclude (load_id) from source.{table} where {place} order by source_key"
    with duckdb.connect(str(company.space.home.store)) as con:
        before = con.execute(kept).fetchall()
        con.execute(
            f"delete from source.{table} where {place} and source_key in"
            f" (select source_key from source.{table} where {place} order by 1 limit 2)"
        )
    proof = company.verify(connection, stream)
    assert (proof.error, proof.status, proof.put_back) == (None, "healed", 2)
    with duckdb.connect(str(company.space.home.store)) as con:
        assert con.execute(kept).fetchall() == before
