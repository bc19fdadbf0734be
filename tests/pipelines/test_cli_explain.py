"""`isthmus explain`: each value with its record, batch, mapping line and expression; what lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from code_matcher import by_code
from file_connections import connection, write_all

from pipelines.cli import main
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from warehouse.identity import golden_id

PARTY = """\
entity: party
key: id
fields:
  code: code
  name: name
  phone: phone
  email: lower(email)
"""
ORDER = """\
entity: order
key: id
group: id
fields:
  number: number
  currency: "'CNY'"
  total: total
children:
  lines:
    each: rows
    key: position
    fields:
      sku: sku
      quantity: quantity
"""
FILES = {
    "shop": {
        "customers": "id,code,name,phone,email\n7,A,王五商店,13800001111,\n8,B,李四,13900002222,\n",
        "orders": "id,number,total,sku,quantity\n1,N1,30,S1,2\n1,N1,30,S2,1\n2,N2,5,S1,1\n",
    },
    "erp": {
        "customers": "id,code,name,phone,email\nK1,A,王五,13800001111,W@EXAMPLE.com\n"
        "K2,C,李四四,13900002222,\n",
        "orders": "id,number,total,sku,quantity\nE9,N1,31,S1,3\nE8,N8,8,S1,1\n",
    },
}
COMPANY = "type: pipelines.Company\nattributes:\n  priority: {party: [erp], order: [shop]}\n"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("company")
    write_all(root, {"defs/company/defs.yaml": COMPANY})
    for name, files in FILES.items():
        write_all(root, {
            f"defs/{name}/defs.yaml": connection(name, customers="id", orders="id"),
            f"mappings/{name}/customers.yaml": PARTY,
            f"mappings/{name}/orders.yaml": ORDER,
            **{f"inbox/{name}/{stream}.csv": text for stream, text in files.items()},
        })  # fmt: skip
    space = Workspace.discover({}, start=root)
    matchers = {"party": by_code("party"), "order": by_code("order", "number")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warehouse.unify.MATCHERS", matchers)
        for name in FILES:
            for stream in ("customers", "orders"):
                assert sync_stream(space, name, stream).error is None
        assert unify_publish(space).error is None
    space.control.close()
    return root


@pytest.fixture(autouse=True)
def _inside(company: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(company)
    monkeypatch.setenv("ISTHMUS_LANG", "en")


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    assert main(["explain", *words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def field(said: Any, name: str) -> Any:
    (found,) = [f for f in said["fields"] if f["field"] == name]
    return found


def test_each_value_has_its_record_batch_line_and_expression(capsys, company: Path) -> None:
    said = told(capsys, "order", "N1", "--lines")
    assert said["id"] == str(golden_id("order", "shop", "orders", "1"))
    assert [(r["connection"], r["source_key"], r["method"]) for r in said["records"]] == [
        ("shop", "1", "founder"), ("erp", "E9", "deterministic"),
    ]  # fmt: skip
    total = field(said, "total")
    assert total["value"] == "30.0000"
    assert total["source"]["file"] == str(company / "mappings" / "shop" / "orders.yaml")
    assert ORDER.splitlines()[total["source"]["line"] - 1] == "  total: total"
    assert (total["source"]["batch"], total["source"]["position"]) == (1, 1)
    assert total["source"]["is_same"] is True
    assert [(one["connection"], one["key"], one["value"]) for one in total["lost"]] == [
        ("erp", "E9", "31.0000")
    ]
    assert field(said, "currency")["source"]["expression"] == "'CNY'"
    assert field(said, "number")["lost"] == [], "records that agree lost nothing"
    first, second = said["lines"]
    assert [f["value"] for f in first["fields"] if f["field"] == "sku"] == ["S1"]
    (sku,) = [f for f in second["fields"] if f["field"] == "sku"]
    assert ORDER.splitlines()[sku["source"]["line"] - 1] == "      sku: sku"
    assert sku["source"]["connection"] == "shop"


@pytest.mark.parametrize(
    "key",
    ["13800001111", "+86 138 0000 1111", "w@example.com", "W@Example.COM", "A", "erp/customers/K1",
     "shop/customers/7", str(golden_id("party", "shop", "customers", "7")),
     str(golden_id("party", "erp", "customers", "K1"))],
)  # fmt: skip
def test_a_customer_is_found_by_whatever_a_person_has_at_hand(capsys, key: str) -> None:
    said = told(capsys, "parties", key)
    assert said["id"] == str(golden_id("party", "shop", "customers", "7"))
    assert {r["connection"] for r in said["records"]} == {"shop", "erp"}
    phone, email = field(said, "phone"), field(said, "email")
    assert phone["value"] == "138****1111", "shown as published"
    assert (email["source"]["connection"], email["source"]["expression"]) == ("erp", "lower(email)")


def test_several_things_are_listed_and_none_is_chosen(capsys) -> None:
    said = told(capsys, "party", "13900002222", code=2)
    ids = {str(golden_id("party", *r)) for r in (("shop", "customers", "8"),
                                                 ("erp", "customers", "K2"))}  # fmt: skip
    assert {m["id"] for m in said["matches"]} == ids
    assert {m["by"] for m in said["matches"]} == {"phone"}
    assert main(["explain", "party", "13900002222"]) == 2
    seen = capsys.readouterr()
    assert all(one in seen.out for one in ids)
    assert "means 2 things" in seen.err


def test_what_is_not_there_is_said_with_what_may_be_meant(capsys) -> None:
    assert main(["explain", "order", "NONE"]) == 2
    assert "No order is known by NONE" in capsys.readouterr().err
    assert main(["explain", "ordre", "N1"]) == 2
    assert "order" in capsys.readouterr().err


def test_what_people_see(capsys) -> None:
    assert main(["explain", "order", "N1"]) == 0
    seen = capsys.readouterr()
    assert "mappings/shop/orders.yaml:" in seen.out
    assert "erp: 31.0000" in seen.out
    assert "min" in seen.err or " s" in seen.err, "how old that is"


def test_raw_shows_the_records_and_notes_who_looked(capsys, company: Path) -> None:
    said = told(capsys, "order", "N1", "--raw")
    assert "31" in json.dumps(said["records"][1]["record"])
    noted = (company / "var" / "logs" / "access.jsonl").read_text()
    assert said["id"] in noted


def test_a_mapping_that_was_edited_since_is_said(capsys, company: Path) -> None:
    file = company / "mappings" / "erp" / "customers.yaml"
    before, stat = file.read_text(), file.stat()
    file.write_text("# a line more\n" + before)
    later = time.time() + 60
    os.utime(file, (later, later))
    try:
        assert main(["explain", "party", "A"]) == 0
        assert "The mapping of erp/customers is not the one" in capsys.readouterr().err
        assert field(told(capsys, "party", "A"), "email")["source"]["is_same"] is False
    finally:
        file.write_text(before)
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_it_reads_without_dagster_the_store_or_a_compiler(company: Path) -> None:
    script = (
        "import sys; from pipelines.cli import main; main(sys.argv[1:]);"
        "heavy = {'dagster', 'pyarrow', 'sqlglot', 'splink', 'warehouse.store'} & set(sys.modules);"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "explain", "order", "N1"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "N1" in done.stdout
