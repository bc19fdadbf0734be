"""docs/erp-on-premise.md: what it prints is what the commands print; its grants are enough.

Run this file to write the outputs anew after a change that is meant.
"""

from __future__ import annotations

import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import erp_u8
import pytest
import sqlglot
import yaml
from erp_world import Erp, erp
from sqlglot import exp
from surroundings import at

from connectors import ready
from pipelines.cli import main
from pipelines.workspace import PROJECT

PAGE = PROJECT / "docs" / "erp-on-premise.md"
BLOCK = re.compile(r"```console\n\$ (isthmus query .*)\n((?:(?!```).*\n)*)```")
MARK = re.compile(r"(\w+)\.(\w+),? -- 未核实 unverified: (\S+)")


def printed(made: Erp) -> Iterator[tuple[str, str, str]]:
    """Yield each query of the page: as typed, as the page prints it, as it comes out."""
    for typed, shown in BLOCK.findall(PAGE.read_text("utf-8")):
        out = StringIO()
        with at(made.root, {"ISTHMUS_LANG": "en"}), redirect_stdout(out):
            assert main(shlex.split(typed)[1:]) == 0
        yield typed, shown, "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


@pytest.fixture(scope="module")
def u8(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Erp]:
    root = tmp_path_factory.mktemp("page") / "acme"
    root.mkdir()
    with erp(root, "yonyou_u8", erp_u8.account(root / "erp.db")) as made:
        made.sync()
        yield made


def test_one_order_is_printed_as_the_page_prints_it(u8: Erp) -> None:
    found = list(printed(u8))
    assert len(found) == 3
    for typed, shown, came in found:
        assert shown == came, typed


def test_the_order_on_the_page_is_the_one_in_the_tables(u8: Erp) -> None:
    rows = re.findall(r"^\| 1[12] \|.*$", PAGE.read_text("utf-8"), re.MULTILINE)
    told = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    stored = u8.source(
        "select iSOsID, ID, iRowNo, cInvCode, iQuantity, iFHQuantity, iTaxUnitPrice, iMoney, iTax,"
        " iSum from SO_SODetails where ID = 1001 order by 1"
    )
    assert [[float(c) if c and c[0].isdigit() else c for c in row] for row in told] == [
        [float(v) if isinstance(v, int | float) else v or "" for v in row] for row in stored
    ]


def test_the_grants_name_every_table_that_is_read() -> None:
    granted = set(re.findall(r"grant select on (\w+) to", PAGE.read_text("utf-8")))
    read = {
        table.name
        for system in ready.names()
        for stream in yaml.safe_load(ready.text(system))["attributes"]["config"]["streams"].values()
        for table in sqlglot.parse_one(stream["query"], read="tsql").find_all(exp.Table)
    }
    assert granted == read


def test_the_page_names_every_unverified_column() -> None:
    table = PAGE.read_text("utf-8").split("They are:", 1)[1].split("Also unverified", 1)[0]
    told = set(re.findall(r"`(\w+)` ([一-鿿]+)", table))
    marked = {(m[1], m[2]) for name in ready.names() for m in MARK.findall(ready.text(name))}
    assert told == marked


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "acme"
        folder.mkdir()
        text = PAGE.read_text("utf-8")
        with erp(folder, "yonyou_u8", erp_u8.account(folder / "erp.db")) as world:
            world.sync()
            for command, before, after in printed(world):
                text = text.replace(f"$ {command}\n{before}```", f"$ {command}\n{after}```")
        PAGE.write_text(text, "utf-8")
    sys.stdout.write(f"wrote {PAGE.name}\n")
