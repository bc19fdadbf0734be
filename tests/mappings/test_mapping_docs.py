"""docs/mappings.md names every function, member and reason, and its YAML compiles."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mapping_runs import plan_of

from mappings.errors import REASONS
from mappings.form import Child, MappingForm, Value, Version
from mappings.functions import FUNCTIONS

PAGE = Path(__file__).parents[2] / "docs" / "mappings.md"
TEXT = PAGE.read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", TEXT, re.S)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_printed_yaml_compiles(block) -> None:
    assert plan_of(block).targets


def test_every_function_is_documented_and_no_other() -> None:
    table = TEXT.split("| for | functions |")[1].split("**The long form**")[0]
    named = set(re.findall(r"`([a-z_0-9]+)(?:\(|`)", table)) - {"upper"} | {"upper"}
    assert named - set(FUNCTIONS) == set()
    assert set(FUNCTIONS) - named == set()


def test_every_member_and_reason_is_documented() -> None:
    members = [
        f.alias or n for form in (MappingForm, Child, Value, Version)
        for n, f in form.model_fields.items() if n != "inline"
    ]  # fmt: skip
    assert [
        m for m in members if f"`{m}`" not in TEXT and f"`{m}:" not in TEXT and m != "value"
    ] == []
    assert [r for r in REASONS if f"`{r}`" not in TEXT] == []
