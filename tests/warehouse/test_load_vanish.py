"""Rows that their record does not make any more are gone, and only those."""

from __future__ import annotations

import json

import pytest
from hand_plan import START, unversioned
from load_parts import NOW, V1, V2, V3, rows
from mapping_runs import plan_of

from warehouse import quarantine
from warehouse.landing import Landing
from warehouse.load import LoadReport, load_pending
from warehouse.model.plan import StreamPlan
from warehouse.store import Store

pytest_plugins = ["load_fixtures"]
pytestmark = pytest.mark.usefixtures("_no_checkpoints")

VERSIONED = pytest.mark.parametrize("versioned", [True, False])
PARTY = plan_of("""\
entity: party
key: id
version: at
fields: {name: name}
also:
  contact: {entity: party, where: contact is not null, key: contact, fields: {name: contact}}
""")
ORDER = """\
entity: order
key: id
version: at
deleted: gone = 'yes'
fields: {number: id, total: total}
also:
"""
INSTALMENTS = plan_of(
    ORDER
    + """\
  deposit: {entity: payment, where: dep is not null, key: [id, dep], fields: {amount: dep}}
  rest: {entity: payment, where: rest is not null, key: [id, rest], fields: {amount: rest}}
"""
)
PAID = plan_of(
    ORDER + "  paid: {entity: payment, where: tx is not null, key: tx, fields: {amount: paid}}\n"
)
BOUGHT = plan_of(
    ORDER
    + "  buyer: {entity: party, where: buyer is not null, key: buyer, fields: {name: buyer}}\n"
)
ONLY_REAL = plan_of(
    "entity: order\nkey: id\nversion: at\nwhere: kind = 'real'\n"
    "fields: {number: id, total: total}\n"
    "also:\n  paid: {entity: payment, where: tx is not null, key: tx, fields: {amount: paid}}\n"
)


class Run:
    """Lands records as one batch each call and loads them."""

    def __init__(self, store: Store, landing: Landing) -> None:
        self.store = store
        self.landing = landing

    def land(self, *records: dict, complete: bool = False) -> None:
        mode = "full" if complete else "changed"
        with self.landing.writer(
            "shop", "orders", mode=mode, read="r", connector="rest@1", started=START
        ) as writer:
            lines = [json.dumps(r).encode() for r in records]
            writer.add(lines, [str(r["id"]) for r in records], {}, complete=complete)

    def __call__(self, plan: StreamPlan, *records: dict, complete: bool = False) -> LoadReport:
        if records:
            self.land(*records, complete=complete)
        return load_pending(self.store, self.landing, plan, now=NOW)

    def living(self, table: str) -> list[str]:
        sql = f"source.{table} where not is_deleted order by 1"
        return [key for (key,) in rows(self.store, "source_key", sql)]


@pytest.fixture
def run(store: Store, landing: Landing) -> Run:
    return Run(store, landing)


def record(key: object, at: str = V1, **more: object) -> dict:
    return {"id": key, "at": at, "name": f"#{key}", "total": "10"} | more


@VERSIONED
def test_a_contact_that_is_cleared_leaves_its_company(run: Run, versioned: bool) -> None:
    plan = PARTY if versioned else unversioned(PARTY)
    run(plan, record(1, contact="ann"), record(2, contact="bob"))
    assert run(plan, record(1, V2)).deleted == 1
    assert run.living("parties") == ["1", "2", "bob"]


def test_a_contact_that_is_a_company_too_stays(run: Run) -> None:
    run(PARTY, record(1, contact="2"), record(2))
    run(PARTY, record(1, V2))
    assert run.living("parties") == ["1", "2"]


def test_a_company_that_is_gone_takes_its_contact(run: Run) -> None:
    run(PARTY, record(1, contact="ann"), record(2, contact="1"), record(3), complete=True)
    run(PARTY, record(3), record(2, contact="1"), complete=True)
    assert run.living("parties") == ["1", "2", "3"], "2 names 1 still"
    run(PARTY, record(3), complete=True)
    assert run.living("parties") == ["3"]


@VERSIONED
def test_of_two_payments_only_the_one_withdrawn_is_gone(run: Run, versioned: bool) -> None:
    plan = INSTALMENTS if versioned else unversioned(INSTALMENTS)
    run(plan, record(1, dep="3", rest="7"))
    assert run(plan, record(1, V2, rest="7")).deleted == 1
    assert run.living("payments") == ["1/7"]


def test_a_payment_with_another_key_replaces_the_first(run: Run, store: Store) -> None:
    run(PAID, record(1, tx="T1", paid="5"))
    run(PAID, record(1, V2, tx="T2", paid="5"))
    assert run.living("payments") == ["T2"]
    assert rows(store, "delete_reason", "source.payments where is_deleted") == [("source_flag",)]
    run(PAID, record(1, V1, tx="T3", paid="5"))
    assert run.living("payments") == ["T2"], "an old version makes nothing"


def test_two_versions_in_one_batch_make_what_the_newest_makes(run: Run) -> None:
    run(PAID, record(1, V2, tx="T2", paid="5"), record(1, V1, tx="T1", paid="5"))
    assert run.living("payments") == ["T2"]


@pytest.mark.parametrize("together", [True, False])
def test_batches_make_the_same_together_and_alone(run: Run, store: Store, together: bool) -> None:
    for some in (
        [record(1, tx="T1", paid="5"), record(2)],
        [record(1, V3)],
        [record(2, V2, tx="T1", paid="5")],
    ):
        run.land(*some)
        if not together:
            run(PAID)
    run(PAID)
    assert run.living("payments") == ["T1"], "moved to an order whose version is older"
    assert rows(store, "is_deleted", "history.payments order by valid_to, 1") == [
        (False,), (True,),
    ]  # fmt: skip
    assert rows(store, "record_key", "ops.made") == [("2",)]


def test_a_broken_record_keeps_what_it_made(run: Run) -> None:
    run(PAID, record(1, tx="T1", paid="5"))
    run(PAID, record(1, V2, total="x"))
    assert run.living("payments") == ["T1"]
    run(PAID, record(1, V3, tx="T2", paid="x"))
    assert run.living("payments") == ["T1"]


def test_a_replayed_payment_takes_the_place_of_the_older(
    run: Run, store: Store, landing: Landing
) -> None:
    run(PAID, record(1, tx="T1", paid="5"))
    run(PAID, record(1, V2, tx="T2", paid="5,0"))
    mended = plan_of(
        ORDER + "  paid: {entity: payment, where: tx is not null, key: tx,"
        " fields: {amount: \"replace(paid, ',', '.')\"}}\n"
    )
    assert quarantine.replay(store, landing, mended, now=NOW).replayed == 1
    assert run.living("payments") == ["T2"]


def test_a_shared_buyer_lives_as_long_as_one_order_names_it(run: Run, store: Store) -> None:
    run(BOUGHT, record(1, buyer="B"), record(2, buyer="B"), complete=True)
    assert run(BOUGHT, record(1, buyer="B"), complete=True).deleted == 1
    assert run.living("parties") == ["B"]
    run(BOUGHT, record(1, V2, buyer="C"))
    assert run.living("parties") == ["C"]
    run(BOUGHT, record(3, V1, buyer="B"))
    assert run.living("parties") == ["B", "C"], "made again by a record of an older version"


def test_an_order_that_says_it_is_gone_leaves_a_shared_buyer(run: Run) -> None:
    run(BOUGHT, record(1, buyer="B"), record(2, buyer="B"))
    run(BOUGHT, record(2, V2, buyer="B", gone="yes"))
    assert run.living("parties") == ["B"]
    run(BOUGHT, record(1, V2, buyer="B", gone="yes"))
    assert run.living("parties") == []


def test_rows_of_before_links_were_kept_are_found(run: Run, store: Store) -> None:
    run(PAID, record(1, tx="T1", paid="5"), record(2, tx="T2", paid="5"), complete=True)
    store.con.execute("delete from ops.made")
    run(PAID, record(2, V2, tx="T3", paid="5"), complete=True)
    assert run.living("payments") == ["T3"]


@VERSIONED
def test_a_record_that_is_not_meant_any_more_is_gone(run: Run, versioned: bool) -> None:
    plan = ONLY_REAL if versioned else unversioned(ONLY_REAL)
    run(plan, *(record(n, kind="real", tx=f"T{n}", paid="5") for n in (1, 2)))
    assert run(plan, record(1, V2, kind="test", tx="T1", paid="5"), record(3)).deleted == 2
    assert (run.living("orders"), run.living("payments")) == (["2"], ["T2"])
    run(plan, record(1, V3, kind="real", tx="T1", paid="5"))
    assert (run.living("orders"), run.living("payments")) == (["1", "2"], ["T1", "T2"])


def test_an_older_version_that_was_not_meant_changes_nothing(run: Run) -> None:
    run(ONLY_REAL, record(1, V2, kind="real"))
    run(ONLY_REAL, record(1, V1, kind="test"))
    run(ONLY_REAL, record(1, V3, kind="real"), record(1, V2, kind="test"))
    assert run.living("orders") == ["1"]


@pytest.mark.parametrize("kinds", [("test", "real"), ("real", "test")])
@pytest.mark.parametrize("together", [True, False])
def test_the_last_of_a_batch_says_whether_it_is_meant(
    run: Run, kinds: tuple[str, str], together: bool
) -> None:
    plan = unversioned(ONLY_REAL)
    run(plan, record(1, kind="real"))
    if together:
        run(plan, *(record(1, V2, kind=kind) for kind in kinds))
    else:
        for kind in kinds:
            run.land(record(1, V2, kind=kind))
        run(plan)
    assert run.living("orders") == (["1"] if kinds[1] == "real" else [])


def test_a_broken_record_keeps_its_row_until_it_is_not_meant(run: Run, store: Store) -> None:
    run(ONLY_REAL, record(1, kind="real"))
    run(ONLY_REAL, record(1, V2, kind="real", total="x"))
    assert run.living("orders") == ["1"]
    run(ONLY_REAL, record(1, V3, kind="test"))
    assert run.living("orders") == []
    assert rows(store, "status", "ops.quarantine") == [("superseded",)]
