"""The YAML printed in FORMS.md works as it stands, through the command line, on a real server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
import shop_server

from tests.support.surroundings import Said, plain, typed

FORMS = Path(__file__).parents[3] / "shared" / "FORMS.md"
CONNECTION = """\
type: pipelines.Connection
attributes:
  system: rest                       # a connector's entry-point name
  title: Web shop
  config:                            # that connector's settings; a secret is a reference, resolved only inside the run
    base_url: http://127.0.0.1:18801
    allow_private: true              # private and loopback addresses, plain http included; metadata addresses never
    auth: {bearer: "env:SHOP_TOKEN"}
    streams:                         # (the generic rest connector declares its streams here)
      orders:
        path: /orders
        params: {limit: 250}
        records: data
        key: id
        paging: {cursor: next_cursor, param: cursor}
        changes: {since: updated_at, param: updated_since, lookback: 10m}
        total: total
  streams: [orders]                  # default: all that the connector offers
  schedule: "*/15 * * * *"
  timezone: Asia/Shanghai
"""  # noqa: E501 (as printed)
MAPPING = """\
entity: order
key: id                         # source key, text; a list is joined with '/', each part must be present
version: updated_at             # orders two versions of one record
deleted: status = 'removed'     # optional
fields:
  number: name
  placed_at: created_at
  currency: currency
  total: total_price
  status: {value: financial_status, paid: confirmed, pending: pending_approval, else: unknown}
  customer_key: customer.id     # reference: a party of the same connection
children:
  lines:
    each: line_items
    entity: order_line
    key: id
    fields: {sku: sku, name: title, quantity: quantity, unit_price: price}
"""  # noqa: E501 (as printed)
pytestmark = [
    pytest.mark.xdist_group("port 18801"),
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
]


def order(number: int) -> dict:
    return {
        "id": 1000 + number,
        "name": f"#{number}",
        "created_at": f"2026-10-{1 + number % 28:02d}T08:00:00+08:00",
        "updated_at": f"2026-10-{1 + number // 100:02d}T{number % 24:02d}:{number % 60:02d}:00",
        "currency": "CNY",
        "total_price": f"{number}.25",
        "financial_status": "paid" if number % 2 else "pending",
        "customer": {"id": f"c{number % 50}"},
        "line_items": [
            {"id": n, "sku": f"S{n}", "title": "x", "quantity": 1, "price": "1.5"} for n in (1, 2)
        ],
    }


class Company:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = plain({
            "ISTHMUS_HOME": str(folder / "home"),
            "ISTHMUS_DEFS": str(folder / "defs"),
            "ISTHMUS_MAPPINGS": str(folder / "maps"),
            "ISTHMUS_LANG": "en",
            "SHOP_TOKEN": "tok-5f2c9e77aa",
        })  # fmt: skip
        (folder / "defs" / "shop").mkdir(parents=True)
        (folder / "maps" / "shop").mkdir(parents=True)
        (folder / "defs" / "shop" / "defs.yaml").write_text(CONNECTION, encoding="utf-8")
        (folder / "maps" / "shop" / "orders.yaml").write_text(MAPPING, encoding="utf-8")

    def run(self, *words: str) -> Said:
        """Run a command in a process of its own, as a shell does."""
        done = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", *words],
            env=self.env, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        return Said(done.returncode, done.stdout, done.stderr)

    def ok(self, *words: str, own: bool = False) -> str:
        """Run a command that must go well, in a process of its `own` or in this one."""
        done = self.run(*words) if own else typed(self.folder, self.env, *words)
        assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout

    def rows(self, sql: str) -> list[dict]:
        answer = json.loads(self.ok("query", sql, "--json"))
        return answer["rows"] if isinstance(answer, dict) else answer


def test_the_yaml_here_is_the_yaml_printed() -> None:
    if not FORMS.exists():
        pytest.skip("shared/FORMS.md is not beside the project")
    blocks = re.findall(r"```yaml\n(.*?)```", FORMS.read_text(encoding="utf-8"), re.S)
    assert CONNECTION in blocks
    assert MAPPING in blocks


def test_sync_query_lookback_full_and_deletion(tmp_path: Path) -> None:
    company = Company(tmp_path)
    shop = shop_server.Shop({str(o["id"]): o for o in map(order, range(1, 601))})
    shop.token = company.env["SHOP_TOKEN"]
    with shop_server.running(shop, 18801):
        company.ok("sync", "shop", own=True)
        (first,) = company.rows("select count(*) as n, sum(total) as total from unified.orders")
        assert int(first["n"]) == 600
        assert Decimal(str(first["total"])) == sum(
            Decimal(o["total_price"]) for o in shop.orders.values()
        )
        assert len([r for r in shop.requests if r.get("limit") == "250"]) >= 3

        asked = len(shop.requests)
        company.ok("sync", "shop")
        again = shop.requests[asked:]
        greatest = max(o["updated_at"] for o in shop.orders.values())
        assert again, "the second sync asked nothing"
        assert all("updated_since" in r for r in again), again
        # naive stamps are read in the connection's zone; the lookback is ten minutes
        assert {r["updated_since"] for r in again} != {greatest}

        full = company.ok("sync", "shop", "--full", "--json")
        assert len([r for r in shop.requests if "updated_since" not in r]) >= 6
        assert company.rows("select count(*) as n from unified.orders")[0]["n"] in (600, "600")
        assert '"inserted": 0' in full
        assert '"updated": 0' in full

        del shop.orders["1007"]
        company.ok("sync", "shop", "--full")
        (gone,) = company.rows(
            "select is_deleted, delete_reason from source.orders where source_key = '1007'"
        )
        assert str(gone["is_deleted"]).lower() == "true"
        assert company.rows("select count(*) as n from unified.orders")[0]["n"] in (599, "599")


def test_exact_numbers_arrive(tmp_path: Path) -> None:
    company = Company(tmp_path)
    big = order(5) | {"id": 9007199254740993}
    text = json.dumps(big).replace('"5.25"', "12345678901234.5678")
    shop = shop_server.Shop({"9007199254740993": big}, {"9007199254740993": text})
    with shop_server.running(shop, 18801):
        company.ok("sync", "shop")
        (row,) = company.rows(
            "select source_key, total::varchar as total from source.orders where stream = 'orders'"
        )
    assert row == {"source_key": "9007199254740993", "total": "12345678901234.5678"}


def test_a_failed_stream_says_what_to_do_and_is_not_green(tmp_path: Path) -> None:
    company = Company(tmp_path)
    shop = shop_server.Shop({"1": order(1)}, token="another")
    with shop_server.running(shop, 18801):
        done = company.run("sync", "shop")
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert "401" in said
    assert company.env["SHOP_TOKEN"] not in said
    leaks = [
        p for p in (tmp_path / "home").rglob("*")
        if p.is_file() and company.env["SHOP_TOKEN"].encode() in p.read_bytes()
    ]  # fmt: skip
    assert leaks == []
