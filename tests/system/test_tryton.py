"""A real ERP that nobody here wrote: Tryton on SQLite, read through the Dagster job.

What the store says is compared with what Tryton itself answers to raw calls of `tryton_world`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from tryton_agrees import ask, same_as_tryton
from tryton_world import NAME, READER, Tryton, prepared, served

from connectors.base import Context, ReadRequest
from connectors.errors import AuthError, ConfigError
from connectors.tryton import TrytonConnector
from connectors.tryton.settings import TrytonSettings
from pipelines.runs import run_sync
from pipelines.sync import StreamOutcome, sync_stream, unify_publish
from pipelines.workspace import Workspace

pytestmark = [
    pytest.mark.timeout(900),  # the first run installs Tryton and makes its database
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
]
DOC = Path(__file__).parents[2] / "docs" / "tryton.md"
STREAMS = (
    "parties", "companies", "products", "locations", "stock", "orders", "shipments",
    "stock_movements", "invoices", "payments", "exchange_rates", "opportunities",
)  # fmt: skip


@pytest.fixture(scope="session")
def seeded(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Any:
    cache = getattr(pytestconfig, "cache", None)
    return prepared(cache.mkdir("tryton") if cache else tmp_path_factory.mktemp("tryton"))


@pytest.fixture
def tryton(seeded: Any, tmp_path: Path) -> Iterator[Tryton]:
    with served(*seeded, tmp_path / "server") as client:
        yield client


@pytest.fixture(scope="module")
def still(seeded: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tryton]:
    """A server that the tests of the module share, because they only read."""
    with served(*seeded, tmp_path_factory.mktemp("still")) as client:
        yield client


def documented(url: str) -> str:
    """Return the connection that docs/tryton.md prints, with this server's address."""
    block = re.search(r"```yaml\n# defs/erp/defs\.yaml\n(.*?)```", DOC.read_text("utf-8"), re.S)
    assert block is not None
    text, count = re.subn(r"base_url: \S+", f"base_url: {url}", block[1])
    assert count == 1
    return text


@pytest.fixture
def space(tryton: Tryton, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    for name in ("DAGSTER_HOME", "ISTHMUS_HOME", "ISTHMUS_DEFS", "ISTHMUS_MAPPINGS"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    defs = tmp_path / "acme" / "defs"
    (defs / "erp").mkdir(parents=True)
    # The seed was made within a minute: the usual lookback would read all of it again, and so hide
    # what finds the changes.
    text = documented(tryton.url).replace("  config:\n", "  config:\n    lookback: 1s\n")
    (defs / "erp" / "defs.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("ISTHMUS_DEFS", str(defs))
    monkeypatch.setenv("ISTHMUS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TRYTON_PASSWORD", READER[1])
    made = Workspace.discover()
    yield made
    made.control.close()


def connector(url: str, auth: dict[str, Any], secret: str, **more: Any) -> TrytonConnector:
    config = {"base_url": url, "allow_private": "true", "database": NAME, "auth": auth, **more}
    settings = TrytonSettings.model_validate(config)
    return TrytonConnector(settings, Context("erp", secret=lambda _reference: secret))


def moved(outcomes: Iterable[StreamOutcome]) -> dict[str, tuple[int, int, int]]:
    """Return what changed: inserted, updated, deleted by stream; streams at rest are left out."""
    found = {}
    for one in outcomes:
        assert one.error is None, one.error
        assert not one.quarantined
        found[one.stream] = (one.inserted, one.updated, one.deleted)
    return {name: counts for name, counts in found.items() if any(counts)}


def sweep(space: Workspace, streams: list[str]) -> None:
    """Run the sweep as its schedule would, with the run configuration of Dagster's own form."""
    from dagster._core.definitions.reconstruct import ReconstructableRepository

    from pipelines.runs import MODULE, quiet
    from pipelines.schedules import op_name

    config = {"ops": {op_name("erp", s): {"config": {"sweep": True}} for s in streams}}
    with quiet(), dg.DagsterInstance.get() as instance:
        job = ReconstructableRepository.for_module(MODULE, "defs").get_reconstructable_job(
            "erp_sync"
        )
        keys = [dg.AssetKey(["erp", stream]) for stream in streams]
        done = dg.execute_job(job, instance, run_config=config, asset_selection=keys)
        assert done.success


def test_counts_sums_lines_and_stock_equal_tryton_s_own_before_and_after_changes(
    space: Workspace, tryton: Tryton
):
    first = run_sync(space, "erp")
    assert set(moved(first.streams)) == set(STREAMS)
    same_as_tryton(space, tryton)
    (unresolved,) = ask(
        space,
        "select (select count(*) from unified.orders"
        "   where party_id is null or organization_id is null),"
        " (select count(*) from unified.order_lines where product_id is null),"
        " (select count(*) from unified.shipments where order_id is null or party_id is null),"
        " (select count(*) from unified.payments where invoice_id is null or party_id is null),"
        " (select count(*) from unified.stock_movements where product_id is null"
        "   or coalesce(from_location_id, to_location_id) is null"
        "   or (reason = 'shipment' and shipment_id is null)),"
        " (select count(*) from unified.stock_levels"
        "   where product_id is null or location_id is null)",
    )
    assert unresolved == (0, 0, 0, 0, 0, 0)
    assert ask(
        space, "select from_currency, to_currency, valid_from_date, rate"
        " from unified.exchange_rates order by 2, 3 nulls first",
    ) == [
        ("CNY", "EUR", None, Decimal(2)),  # Tryton's own start, a day of the year 1
        ("CNY", "EUR", date(2026, 1, 1), Decimal("0.125")),
        ("CNY", "EUR", date(2026, 2, 1), Decimal("0.1")),
        ("CNY", "USD", None, Decimal(1)),
        ("CNY", "USD", date(2026, 1, 1), Decimal("0.14")),
    ]  # fmt: skip

    again = [sync_stream(space, "erp", stream) for stream in STREAMS]
    assert moved(again) == {}  # nothing changed: nothing moves

    # Only a line, an address, a template: the stamp of the record around it stays.
    drafts = tryton.all("sale.sale", [["state", "=", "draft"], ["origin", "=", None]], "lines")
    edited, doomed = drafts[0], drafts[1]
    tryton("sale.line", "write", [edited["lines"][0]], {"quantity": 7.0})
    parties = tryton.all("party.party", [["name", "like", "客户%"]], "addresses")
    tryton("party.address", "write", [parties[12]["addresses"][0]], {"city": "成都"})
    goods = tryton.all("product.product", [], "template")
    tryton("product.template", "write", [goods[5]["template"]], {"list_price": Decimal("12.3400")})
    # New, archived, deleted.
    (newcomer,) = tryton("party.party", "create", [{"name": "新客户有限公司"}])
    tryton("party.party", "write", [parties[11]["id"]], {"active": False})
    tryton("sale.sale", "delete", [doomed["id"]])
    (passing,) = tryton.all("sale.opportunity", [["description", "=", "商机4"]])
    tryton("sale.opportunity", "cancel", [passing["id"]])
    tryton("sale.opportunity", "delete", [passing["id"]])
    # Goods leave: order, shipment, invoice state and stock move.
    (leaving,) = tryton.all("stock.shipment.out", [["state", "=", "assigned"]], "moves")[:1]
    for step in ("pick", "pack", "do"):
        tryton("stock.shipment.out", step, [leaving["id"]])

    done = run_sync(space, "erp").streams
    assert {one.stream: one.read for one in done}["orders"] < 8  # of 21
    changed = moved(done)
    assert changed["parties"] == (1, 2, 0)
    assert changed["products"] == (0, 1, 0)
    assert changed["shipments"] == (0, 1, 0)
    assert changed["orders"] == (0, 2, 0)  # the edited one, and the one whose goods left
    assert changed["stock"][1] > 0
    assert set(changed) == {
        "parties", "products", "shipments", "stock_movements", "orders", "stock",
    }  # fmt: skip
    ((city,),) = ask(
        space, f"select city from source.addresses where parent_key = '{parties[12]['id']}'"
    )
    assert city == "成都"
    assert ask(
        space, f"select status from source.parties where source_key = '{parties[11]['id']}'"
    ) == [("archived",)]
    assert ask(space, f"select count(*) from source.parties where source_key = '{newcomer}'") == [
        (1,)
    ]

    sweep(space, ["orders", "opportunities"])
    assert unify_publish(space).error is None
    gone = ask(space, "select source_key from source.orders where is_deleted")
    assert gone == [(str(doomed["id"]),)]
    gone = ask(space, "select source_key from source.opportunities where is_deleted")
    assert gone == [(str(passing["id"]),)]
    same_as_tryton(space, tryton)


def test_a_key_reads_the_same_records_as_a_password(still: Tryton):
    with Tryton(still.url, *READER) as reader:
        key = reader.key()
    with_password = connector(still.url, {"basic": [READER[0], "env:PASSWORD"]}, READER[1])
    with_key = connector(still.url, {"bearer": "env:KEY"}, key, rows=7)
    for stream in STREAMS:
        found = []
        for one in (with_password, with_key):
            pages = list(one.read(ReadRequest(stream)))
            assert pages[-1].complete, stream
            found.append([record for page in pages for record in page.records])
        assert found[0] == found[1], stream
        assert found[0], stream
    with_password.close()
    with_key.close()


def test_check_says_what_may_be_read(still: Tryton):
    one = connector(still.url, {"basic": [READER[0], "env:PASSWORD"]}, READER[1])
    found = list(one.check())
    one.close()
    assert {line.subject for line in found if line.ok} == {"server", "user", "clock", *STREAMS}
    assert all(line.ok for line in found)
    assert found[0].what == f"Tryton 8.2, database {NAME}."


def test_what_is_refused_says_what_to_do(still: Tryton):
    def error(auth: dict[str, Any], secret: str, kind: type[Exception], **more: Any) -> Any:
        one = connector(still.url, auth, secret, attempts=2, **more)
        with pytest.raises(kind) as caught:
            list(one.read(ReadRequest("orders")))
        one.close()
        assert secret not in str(caught.value)
        return caught.value

    basic, bearer = {"basic": [READER[0], "env:PASSWORD"]}, {"bearer": "env:KEY"}
    assert "user or the password" in error(basic, "wrong-password-1", AuthError).what
    assert "refused the key" in error(bearer, "0" * 128, AuthError).what
    assert "no database 'erq'" in error(basic, READER[1], ConfigError, database="erq").what
    assert "it sees [1]" in error(basic, READER[1], ConfigError, company=9).what
    # A user of no group may read parties and products, and no sale.
    values = {"name": "Nobody", "login": "nobody", "password": "nobody-Pass-word-1"}
    still("res.user", "create", [{**values, "companies": [["add", [1]]], "company": 1}])
    nobody = {"basic": ["nobody", "env:PASSWORD"]}
    refused = error(nobody, values["password"], AuthError)
    assert "not allowed to access" in refused.what
    assert "skip:" in refused.do
    with Tryton(still.url, "nobody", values["password"]) as client:
        key = client.key()
    assert "does not let sale.sale.search_read" in error(bearer, key, AuthError).what
    one = connector(still.url, nobody, values["password"])
    told = {line.subject: line.ok for line in one.check()}
    one.close()
    assert told["parties"] is told["products"] is told["locations"] is True
    assert told["orders"] is told["payments"] is told["opportunities"] is False


def test_one_company_is_read_though_the_user_sees_two(tryton: Tryton):
    (party,) = tryton("party.party", "create", [{"name": "第二公司"}])
    currency = tryton.all("currency.currency", [["code", "=", "CNY"]])[0]["id"]
    (second,) = tryton("company.company", "create", [{"party": party, "currency": currency}])
    users = tryton("res.user", "search", [["login", "in", ["admin", READER[0]]]], 0, None, None)
    both = {"companies": [["add", [second]]], "company_filter": "all"}
    tryton("res.user", "write", users, both)
    values = {"party": party, "company": second, "currency": currency, "employee": None}
    context = {**tryton.context, "company": second, "companies": [1, second]}
    (foreign,) = tryton(
        "sale.opportunity", "create", [{**values, "start_date": date(2026, 1, 5)}], context=context
    )
    basic = {"basic": [READER[0], "env:PASSWORD"]}
    found = {}
    for company in ("1", str(second)):
        one = connector(tryton.url, basic, READER[1], company=company)
        pages = list(one.read(ReadRequest("opportunities")))
        assert pages[-1].complete
        found[company] = [key for page in pages for key in page.keys]
        told = [line.what for line in one.check() if line.ok is None]
        assert told == [f"sees the companies [1, {second}]; only {company} is read."]
        one.close()
    assert found[str(second)] == [str(foreign)]
    assert len(found["1"]) == 13
    assert str(foreign) not in found["1"]
