"""A record's key and its stream's key are one, else deletions would find nothing."""

from pathlib import Path

import pytest

from mappings.errors import MappingError
from pipelines.workspace import Workspace

CONNECTION = """\
type: pipelines.Connection
attributes:
  system: files
  values: {{currency: CNY}}
  config:
    folder: inbox
    streams: {{bills: {{pattern: "*.csv", key: {key}}}}}
"""


def workspace(root: Path, key: str, mapping: str) -> Workspace:
    for name, text in (
        ("defs/office/defs.yaml", CONNECTION.format(key=key)),
        ("mappings/office/bills.yaml", mapping),
        ("inbox/none", ""),
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return Workspace.discover({}, start=root)


@pytest.mark.parametrize(
    ("key", "mapping"),
    [
        ("no", "entity: order\nkey: no\nfields: {number: no}\n"),
        ('"单据.编号"', "entity: order\nkey: '\"单据.编号\"'\nfields: {number: '\"单据.编号\"'}\n"),
        ("[no, line]", "entity: order\nkey: [no, line]\nfields: {number: no}\n"),
        ("no", "entity: order\nkey: id\ngroup: no\nfields: {number: no}\n"),
        ("position", "entity: order\nkey: _key\nfields: {number: no}\n"),
    ],
    ids=["plain", "dotted", "composite", "group", "position"],
)
def test_equal_keys_compile(tmp_path: Path, key: str, mapping: str) -> None:
    assert workspace(tmp_path, key, mapping).connection("office").plan("bills").targets


@pytest.mark.parametrize(
    ("key", "mapping", "line"),
    [
        ("no", "entity: order\nkey: id\nfields: {number: no}\n", 2),
        ("[no, line]", "entity: order\nkey: no\nfields: {number: no}\n", 2),
        ("line", "entity: order\nkey: no\ngroup: no\nfields: {number: no}\n", 3),
    ],
    ids=["another", "fewer", "group"],
)
def test_other_keys_are_refused_with_file_and_line(
    tmp_path: Path, key: str, mapping: str, line: int
) -> None:
    space = workspace(tmp_path, key, mapping)
    with pytest.raises(MappingError, match="deletions would not be found") as caught:
        space.connection("office").plan("bills")
    assert (Path(caught.value.file).name, caught.value.line) == ("bills.yaml", line)
    assert "bills.yaml" in str(caught.value)


def test_a_constant_of_the_connection_reaches_the_mapping(tmp_path: Path) -> None:
    mapping = "entity: order\nkey: no\nfields: {number: no, currency: connection.currency}\n"
    plan = workspace(tmp_path, "no", mapping).connection("office").plan("bills")
    assert "'CNY'" in plan.targets[0].select
