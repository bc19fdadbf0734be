"""The ready files: SQL Server's text as stored, each unverified column replaceable in one line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import erp_k3
import erp_u8
import pytest
import sqlglot
import yaml
from erp_world import URL, erp
from sqlalchemy.dialects import mssql
from sqlglot import exp
from surroundings import at

from connectors import ready
from connectors.errors import ConfigError
from connectors.sql import statements as st
from connectors.sql.spelling import to_sqlite
from connectors.sql.statements import Column, Source
from connectors.sql.streams import StreamSettings
from connectors.sql.types import TEXT, Shape
from mappings.find import BUILT_IN
from pipelines.cli import main
from pipelines.cli.codes import CliError
from pipelines.cli.ready import ready_text

STORED = Path(__file__).parent / "statements"
ACCOUNTS = {"kingdee_k3": erp_k3.account, "yonyou_u8": erp_u8.account}
LINES = re.compile(r"\(\n +select(?:(?!\n +\)).)+for json path\n +\) as lines", re.DOTALL)
MARK = re.compile(r"^( +)(\w+)\.(\w+)(,?) -- 未核实 unverified: \S+$", re.MULTILINE)


def streams(system: str) -> dict[str, StreamSettings]:
    config = yaml.safe_load(ready.text(system))["attributes"]["config"]
    return {n: StreamSettings.model_validate(v) for n, v in config["streams"].items()}


def compiled(system: str) -> Iterator[str]:
    """Yield what SQL Server is asked for at a second run, a statement a stream."""
    for name, spec in streams(system).items():
        assert spec.query is not None
        names = sqlglot.parse_one(spec.query, read="tsql").named_selects
        moving = spec.changes.rowversion if spec.changes else None
        columns = tuple(
            Column(n, Shape("int") if n == moving else TEXT, is_rowversion=n == moving)
            for n in names
        )
        source = Source("mssql", st.query_clause(spec.query, names), columns, spec.key,
                        (moving,) if moving else ())  # fmt: skip
        bounds: dict[str, Any] = {"by_move": True, "low": 1000, "high": 2000} if moving else {}
        text = st.rows(source, **bounds).compile(dialect=mssql.dialect())
        yield f"-- {name}\n" + "\n".join(map(str.rstrip, str(text).splitlines())) + ";"


@pytest.mark.parametrize("system", ready.names())
def test_statements_are_those_stored_and_are_sql_of_sql_server(system: str) -> None:
    stored = (STORED / f"{system}.sql").read_text("utf-8")
    assert "\n\n".join(compiled(system)) + "\n" == stored
    for text in compiled(system):
        tree = sqlglot.parse_one(re.sub(r":\w+", "1", text), read="tsql")
        assert tree.find(exp.Order, bfs=True) is tree.args["order"], "ORDER BY in a subquery"
        assert not list(tree.find_all(exp.Limit, exp.DPipe, exp.With))
        for inner in tree.find_all(exp.Subquery):
            if isinstance(inner.this, exp.Select):
                assert all(c.alias_or_name for c in inner.this.expressions), "a nameless column"


@pytest.mark.parametrize("system", ready.names())
def test_every_stream_has_a_mapping_and_every_mapping_a_stream(system: str) -> None:
    found = {path.stem for path in (BUILT_IN / system).glob("*.yaml")}
    assert found == set(streams(system)) == set(
        yaml.safe_load(ready.text(system))["attributes"]["streams"]
    )  # fmt: skip


@pytest.mark.parametrize("system", ready.names())
def test_an_installation_without_the_unverified_columns_changes_those_lines_alone(
    system: str, tmp_path: Path
) -> None:
    text = ready.text(system)
    marks = list(MARK.finditer(text))
    assert len(marks) == text.count("-- 未核实") > 0
    root = tmp_path / "acme"
    root.mkdir()
    with erp(root, system, ACCOUNTS[system](root / "erp.db")) as made:
        for mark in marks:
            table = re.search(rf"(?:from|join) (\w+) {mark[2]}\b", text[mark.end() :])
            assert table is not None
            made.change(f"alter table {table[1]} drop column {mark[3]}")
        changed = MARK.sub(r"\1null as \3\4", text)
        made.defs.write_text(ready_text(changed, {"url": "sqlite:///erp.db", "folder": "."}))
        done = made.sync()
        assert {n: d.quarantined for n, d in done.items() if d.quarantined} == {}
        assert all(d.inserted for d in done.values())


@pytest.mark.parametrize("system", ready.names())
def test_for_xml_raw_in_place_of_for_json_is_sql_of_sql_server(system: str) -> None:
    old = re.sub("(?m)^( +)for json path$", r"\1for xml raw", ready.text(system))
    assert len(re.findall("(?m)^ +for xml raw$", old)) == old.count("xml: lines") == 3
    for stream in yaml.safe_load(old)["attributes"]["config"]["streams"].values():
        tree = sqlglot.parse_one(stream["query"], read="tsql")
        kinds = {str(each.args["kind"]) for each in tree.find_all(exp.ForClause)}
        assert kinds == ({"XML"} if "xml" in stream else set())


def test_lines_as_an_old_server_writes_them_are_the_same_lines(tmp_path: Path) -> None:
    """SQLite has no `for xml`: its texts, as SQL Server 2012 documents them, lie in a table."""
    root = tmp_path / "acme"
    root.mkdir()
    con = erp_u8.account(root / "erp.db")
    with erp(root, "yonyou_u8", con) as made:
        asked = (
            "select o.number, l.source_key, line_no, sku, name, spec, quantity, fulfilled_quantity,"
            " unit, unit_price, discount, net, tax_rate, tax, gross, l.status, requested_date"
            " from unified.order_lines l join unified.orders o using (order_id) order by all"
        )
        made.sync("orders")
        wanted = made.published(asked)
        assert len(wanted) == 8
        rows: dict[int, str] = {}
        cursor = con.execute("select * from SO_SODetails order by iSOsID")
        names = [each[0] for each in cursor.description]
        for row in cursor.fetchall():
            told = {n: v for n, v in zip(names, row, strict=True) if v is not None}
            for name in ("iQuantity", "iFHQuantity", "iTaxUnitPrice", "iTaxRate"):
                if name in told:
                    told[name] = f"{told[name]:.10f}"
            for name in ("iMoney", "iTax", "iSum", "iNatSum", "iDisCount"):
                told[name] = f"{told[name]:.4f}"
            told |= {"cInvStd": "500ml", "cComUnitName": "个"}
            told["dPreDate"] = told["dPreDate"].replace(" ", "T")
            written = " ".join(f"{n}={quoteattr(str(v))}" for n, v in told.items())
            rows[told["ID"]] = rows.get(told["ID"], "") + f"<row {written}/>"
        con.execute("create table xml_lines (id integer, body text)")
        con.executemany("insert into xml_lines values (?, ?)", rows.items())
        con.commit()
        text = ready.text("yonyou_u8")
        at_orders = LINES.search(text, text.index("      orders:\n"))
        assert at_orders is not None
        body = "(select x.body from xml_lines x where x.id = m.ID) as lines"
        text = text[: at_orders.start()] + body + text[at_orders.end() :]
        made.defs.write_text(ready_text(text, {"url": "sqlite:///erp.db", "folder": "."}))
        done = made.sync("orders", full=True)["orders"]
        assert (done.landed, done.quarantined) == (6, 0)
        assert made.published(asked) == wanted


def test_settings_go_into_the_file_and_its_comments_stay() -> None:
    text = ready.text("yonyou_u8")
    made = ready_text(text, {"url": "env:OTHER", "isolation": "SNAPSHOT", "rows": "5000"},
                      title="用友 总部", schedule="0 5 * * *", timezone="Asia/Tokyo")  # fmt: skip
    found = yaml.safe_load(made)["attributes"]
    assert (found["title"], found["schedule"], found["timezone"]) == (
        "用友 总部", "0 5 * * *", "Asia/Tokyo",
    )  # fmt: skip
    assert {n: found["config"][n] for n in ("url", "isolation", "rows")} == {
        "url": "env:OTHER", "isolation": "SNAPSHOT", "rows": 5000,
    }  # fmt: skip
    assert found["config"]["streams"] == yaml.safe_load(text)["attributes"]["config"]["streams"]
    assert made.count("未核实") == text.count("未核实")
    with pytest.raises(CliError, match="streams"):
        ready_text(text, {"streams": {"orders": {"key": "x"}}})


def test_connect_writes_over_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with at(tmp_path, {"ISTHMUS_LANG": "en"}):
        assert main(["init", "acme"]) == 0
    erp_u8.account(tmp_path / "acme" / "erp.db").close()
    own = tmp_path / "acme" / "mappings" / "u8" / "orders.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("extends: yonyou_u8/orders\nfields: {channel: \"'B2B'\"}\n")
    with at(tmp_path / "acme", {"ISTHMUS_LANG": "en"}):
        assert main(["connect", "yonyou_u8", "u8", *URL]) == 0
        assert "B2B" in own.read_text()
        assert main(["connect", "yonyou_u8", "u8", *URL]) == 2
    assert "is there already" in capsys.readouterr().err


def test_what_is_not_sql_servers_sql_is_told() -> None:
    with pytest.raises(ConfigError, match="not SQL Server's SQL"):
        to_sqlite("select a from (select b")


if __name__ == "__main__":
    STORED.mkdir(exist_ok=True)
    for each in ready.names():
        (STORED / f"{each}.sql").write_text("\n\n".join(compiled(each)) + "\n", "utf-8")
