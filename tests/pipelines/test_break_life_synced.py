"""The life of a break by real syncs through the command line, as `recon` prints it after each.

A shop and a payment gateway on loopback; the days go by on the clock of what is published.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from connectors.rest.serve import serve
from connectors.rest.simulator import Collection, RestSimulator
from pipelines.cli import main
from pipelines.sync import unify_publish
from pipelines.workspace import Workspace

pytestmark = [
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
]
START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
CONNECTION = """type: pipelines.Connection
attributes:
  system: rest
  role: {role}
  config:
    base_url: {url}
    allow_private: true
    streams:
      {stream}:
        path: /{stream}
        records: data
        key: id
        paging: {{cursor: next_cursor, param: cursor}}
        changes: {{since: updated_at, param: updated_since, lookback: 10m}}
"""
MAPPINGS = {
    "shop/orders": """entity: order
key: id
version: updated_at
fields: {number: id, total: total, currency: "'CNY'", payment_status: paid, placed_at: at,
  payment_method: "'pay'"}
""",
    "gate/payments": """entity: payment
key: id
version: updated_at
fields: {number: id, kind: "'payment'", status: status, amount: amount, currency: "'CNY'",
  merchant_order_no: order, paid_at: at, provider: "'pay'"}
""",
}
LIFE = f"""
select status, occurrences as times,
  date_diff('day', timestamptz '{START}', first_seen) as first_day,
  date_diff('day', timestamptz '{START}', last_seen) as last_day, expected::int as expected,
  actual::int as actual, explanation
from recon.breaks
"""
TOLD = """\
day status times first last expected actual explanation
0 timing 1 0 0 30 0
4 open 1 0 4 30 0
5 explained 1 0 5 30 0 paid in cash
6 resolved 1 0 5 30 0 paid in cash
7 open 2 0 7 35 0
"""


def order(number: int, total: int, at: datetime = START) -> dict[str, Any]:
    return {"id": f"SO{number}", "total": total, "paid": "paid", "at": START.isoformat(),
            "updated_at": at.isoformat()}  # fmt: skip


def payment(number: int, amount: int, status: str, at: datetime = START) -> dict[str, Any]:
    return {"id": f"P{number}", "order": f"SO{number}", "amount": amount, "status": status,
            "at": START.isoformat(), "updated_at": at.isoformat()}  # fmt: skip


@pytest.fixture
def systems() -> RestSimulator:
    """Three orders are paid in the shop; the gateway has the money of two."""
    return RestSimulator({
        "orders": Collection([order(n, 10 * n) for n in (1, 2, 3)]),
        "payments": Collection([payment(n, 10 * n, "succeeded") for n in (1, 2)]),
    })  # fmt: skip


@pytest.fixture
def clock() -> list[datetime]:
    return [START]


@pytest.fixture
def space(
    systems: RestSimulator, clock: list[datetime], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workspace]:
    with serve(systems) as url:
        said = {f"mappings/{name}.yaml": text for name, text in MAPPINGS.items()}
        for name, role, stream in (("shop", "shop", "orders"), ("gate", "gateway", "payments")):
            text = CONNECTION.format(url=url, role=role, stream=stream)
            said[f"defs/{name}/defs.yaml"] = text
        for name, text in said.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        for name in ("ISTHMUS_HOME", "ISTHMUS_DEFS", "ISTHMUS_MAPPINGS", "DAGSTER_HOME"):
            monkeypatch.setenv(name, "")
        monkeypatch.setenv("ISTHMUS_LANG", "en")
        publish = partial(unify_publish, now=lambda: clock[0])
        monkeypatch.setattr("pipelines.jobs.unify_publish", publish)
        monkeypatch.setattr("pipelines.cli.query.now", lambda: clock[0])
        monkeypatch.setattr("pipelines.cli.breaks.now", lambda: clock[0])
        # Runs in memory: on disk Dagster syncs a thousand small writes a run.
        ephemeral = dg.DagsterInstance.ephemeral
        monkeypatch.setattr(dg.DagsterInstance, "get", staticmethod(lambda: ephemeral()))
        made = Workspace.discover({}, start=tmp_path)
        yield made
        made.control.close()


@pytest.fixture
def say(space: Workspace, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return what runs a command and gives what it printed."""

    def run(*words: str) -> str:
        capsys.readouterr()
        assert main([*words]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    return run


def test_a_break_appears_ages_is_explained_goes_and_comes_back(
    say: Callable[..., str], systems: RestSimulator, clock: list[datetime]
) -> None:
    told = [TOLD.partition("\n")[0]]

    def day(number: int, *words: str) -> str:
        """Let a day come and type a command; returns what the list of breaks prints then."""
        clock[0] = START + timedelta(days=number)
        say(*words)
        _, _, row = say("query", LIFE).splitlines()
        told.append(f"{number} {' '.join(row.split())}")
        return say("breaks", "list", "--status", row.split()[0])

    assert "shop SO3" in day(0, "sync", "shop", "gate")
    # Nothing came: time alone opens it.
    assert "order_paid_without_money" in day(4, "sync", "shop")
    (found,) = json.loads(say("breaks", "list", "--json"))
    day(5, "breaks", "explain", found["break_id"][:8], "--why", "paid in cash")

    now = datetime.now(UTC)
    systems.put("payments", payment(3, 30, "succeeded", now))
    day(6, "sync", "gate")
    systems.put("orders", order(3, 35, now))
    systems.put("payments", payment(3, 30, "failed", now + timedelta(seconds=1)))
    # The bank took the money back, and the figures are not those that were explained.
    assert "35 CNY" in day(7, "sync", "shop", "gate")
    assert "\n".join(told) + "\n" == TOLD
    (back,) = json.loads(say("breaks", "list", "--json"))
    assert back["break_id"] == found["break_id"]
