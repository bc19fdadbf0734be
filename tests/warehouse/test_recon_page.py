"""docs/reconciliation.md: its rules are the files', its SQL and YAML are taken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import recon_page
import yaml
from recon_rows import company

from pipelines.company import CompanyFile
from pipelines.connection import ConnectionFile
from warehouse import recon_rules

PAGE = Path(__file__).parents[2] / "docs" / "reconciliation.md"
TEXT = PAGE.read_text("utf-8")
YAMLS = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def test_the_table_is_what_the_files_say() -> None:
    assert recon_page.table() in TEXT


def test_its_sql_is_answered(tmp_path: Path) -> None:
    (sql,) = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)
    with company(tmp_path) as firm:
        assert firm.store.con.execute(sql).fetchall() == []


@pytest.mark.parametrize("text", YAMLS)
def test_its_files_are_taken(text: str) -> None:
    data = yaml.load(text, Loader=yaml.BaseLoader)
    if data["type"] == "pipelines.Company":
        made = CompanyFile.model_validate(data["attributes"])
        assert set(made.reconcile) <= set(recon_rules.names())
    else:
        assert ConnectionFile.model_validate(data["attributes"]).role == ["erp"]


def test_every_rule_is_found_by_a_test_of_its_own() -> None:
    files = ("test_recon_rules.py", "test_recon_twice.py")
    tests = "".join((Path(__file__).parent / name).read_text("utf-8") for name in files)
    assert [n for n in recon_rules.names() if f'"{n}"' not in tests] == []
