"""Parts of the workbench without a store: texts, plots, the door, the command."""

from __future__ import annotations

import ast
import asyncio
import re
import socket
import string
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from pipelines.cli import main
from pipelines.explore import charts, words
from pipelines.explore.access import COOKIE, Door, is_loopback
from pipelines.explore.charts import Point, ticks
from pipelines.explore.queries import FOLDER, BadValue, names, query
from pipelines.explore.shown import Shown
from pipelines.explore.words import Words, catalogue

ROOT = Path(words.__file__).parent
NO_CHINESE = {"col.sku", "customers.doubtful_note"}
"""Texts that are the same in both languages."""


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_text_has_both_languages_with_the_same_placeholders() -> None:
    for key, pair in catalogue().items():
        assert set(pair) == {"en", "zh"}, key
        assert all(text.strip() for text in pair.values()), key
        assert any("一" <= c <= "鿿" for c in pair["zh"]) or key in NO_CHINESE, key
        assert placeholders(pair["en"]) == placeholders(pair["zh"]), key


def named() -> tuple[set[str], set[str]]:
    """Return the keys that pages and templates name, and the beginnings of computed ones."""
    keys: set[str] = set()
    begun: set[str] = set()
    for file in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and node.args):
                continue
            called = ast.unparse(node.func)
            first = node.args[0]
            if called in ("w", "words", "look.words", "self.words"):
                for one in (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,):
                    if isinstance(one, ast.Constant):
                        keys.add(one.value)
                    elif isinstance(one, ast.JoinedStr) and isinstance(one.values[0], ast.Constant):
                        begun.add(one.values[0].value)
    for file in ROOT.glob("templates/*.html"):
        text = file.read_text("utf-8")
        keys |= set(re.findall(r"\bw\('([a-z_.]+)'[,)]", text))
        begun |= set(re.findall(r"\bw\('([a-z_.]+)' ~", text))
    return keys, begun


def test_pages_and_catalogue_name_the_same_texts() -> None:
    keys, begun = named()
    assert len(keys) > 100
    assert keys - set(catalogue()) == set()
    groups = {"col.", "status.", "step.", "entity.", "rule.", "kpi.", "part.", "unit.", "kind.",
              "method.", "severity.", "order."}  # fmt: skip
    unused = {k for k in catalogue() if k not in keys and not k.startswith((*begun, *groups))}
    assert unused == set()


def test_every_rule_has_its_short_name() -> None:
    from warehouse.recon_rules import names as rules

    assert {f"rule.{name}" for name in rules()} <= set(catalogue())


def test_every_question_says_its_grain_and_binds_what_it_takes() -> None:
    always = {"zone", "now", "most"}
    for name in names():
        asked = query(name)
        assert asked.sql.startswith("-- grain: one row"), name
        code = "\n".join(line for line in asked.sql.splitlines() if not line.startswith("--"))
        assert set(re.findall(r"\$([a-z_]+)", code)) - always == set(asked.takes), name
        assert set(asked.takes.values()) <= {"text", "date", "number", "id"}, name


@pytest.mark.parametrize("name", ["../queries", "today/../../texts", "today", "TODAY/stock", ""])
def test_a_question_is_found_by_its_name_alone(name: str) -> None:
    with pytest.raises(KeyError):
        query(name)


def test_values_of_a_request_get_their_types() -> None:
    read = query("today/orders_by_day").read({"day": "2026-10-31", "days": "30", "more": "x"})
    assert (read["day"].isoformat(), read["days"]) == ("2026-10-31", 30)
    assert len(query("orders/find").read({"q": "x" * 10_000})["q"]) == 200
    for wrong in ({"day": "31.10."}, {"day": "2026-10-31", "days": "many"}):
        with pytest.raises(BadValue):
            query("today/orders_by_day").read(wrong)
    assert len(list(FOLDER.glob("*/*.sql"))) == len(names())


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (0, 23, [0, 10, 20, 30]), (0, 0, [0, 1]), (-3, 9, [-5, 0, 5, 10]), (0, 4, [0, 1, 2, 3, 4]),
        (0, 0.067, [0, 0.02, 0.04, 0.06, 0.08]),
    ],
)  # fmt: skip
def test_an_axis_has_few_round_values_and_zero(low: float, high: float, found: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(found)


def test_bars_begin_at_zero_and_are_as_long_as_their_value() -> None:
    svg = charts.bars([Point("a", (5,), "a: 5"), Point("b", (10,), "<b>"), Point("c", (0,), "c")])
    tall = {float(h) for h in re.findall(r'class="c1"[^>]*height="([\d.]+)"', svg)}
    assert len(tall) == 2
    assert max(tall) == pytest.approx(2 * min(tall), abs=0.2)
    assert "&lt;b&gt;" in svg
    assert "<b>" not in svg


def test_a_plot_of_nothing_is_drawn_too() -> None:
    for svg in (charts.bars([]), charts.line([]), charts.rows([])):
        assert svg.startswith("<svg")


def test_values_are_shown_as_people_write_them() -> None:
    shown = Shown(Words("en"), "Asia/Shanghai")
    assert shown.cell(Decimal("1234.5000"), "total") == "1,234.50"
    assert shown.cell(Decimal("15.000000"), "offered") == "15"
    assert shown.cell(Decimal("-3.25"), "quantity") == "−3.25"
    assert shown.cell(None) == "–"
    assert shown.cell(["crm", "erp"]) == "crm, erp"
    assert shown.cell("paid", "status") == "paid"
    assert shown.cell("in_transit · Hamburg", "said") == "on its way · Hamburg"
    assert Shown(Words("zh"), "UTC").cell("paid", "status") == "已付款"
    assert shown.cell("a word of nobody's", "status") == "a word of nobody's"
    assert shown.share(0.0667) == "6.7 %"
    assert shown.span(5400) == "90 min"


HELLO = Starlette(routes=[Route("/today", lambda request: PlainTextResponse("in"))])


def ask(door: Door, path: str = "/today", **headers: str) -> httpx.Response:
    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app=door)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(asked())


def test_a_page_elsewhere_cannot_lead_a_browser_in() -> None:
    door = Door(HELLO, names=frozenset({"127.0.0.1", "localhost", "::1"}))
    assert ask(door).status_code == 200
    assert ask(door, host="LOCALHOST:8808").status_code == 200
    assert ask(door, host="[::1]:8808").status_code == 200
    for other in ("evil.example", "127.0.0.1.evil.example", "evil.example:8808", ""):
        assert ask(door, host=other).status_code == 421


def test_the_token_opens_the_door_once_and_then_its_cookie_does() -> None:
    door = Door(HELLO, token="right")
    assert ask(door).status_code == 401
    assert ask(door, "/today?token=wrong").status_code == 401
    assert ask(door, cookie=f"{COOKIE}=wrong").status_code == 401
    opened = ask(door, "/today?token=right&day=2026-10-31")
    assert (opened.status_code, opened.headers["location"]) == (303, "/today?day=2026-10-31")
    cookie = opened.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert ask(door, cookie=cookie.split(";")[0]).text == "in"
    away = ask(door, "http://127.0.0.1//evil.example/?token=right").headers["location"]
    assert away == "/evil.example/"


def test_nothing_from_elsewhere_is_loaded_and_nothing_is_kept() -> None:
    for answer in (ask(Door(HELLO)), ask(Door(HELLO, token="t"))):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "http" not in policy
        assert answer.headers["cache-control"] == "no-store"
    pages = [f.read_text("utf-8") for f in ROOT.rglob("*") if f.suffix in (".html", ".css", ".js")]
    assert len(pages) == 4
    for text in pages:
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//|url\(|@import| style=", text)


@pytest.mark.parametrize(
    ("host", "near"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("127.9.9.9", True),
     ("0.0.0.0", False), ("::", False), ("192.168.1.5", False), ("example.com", False)],
)  # fmt: skip
def test_whether_a_host_is_this_machine_alone(host: str, near: bool) -> None:
    assert is_loopback(host) is near


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "defs").mkdir()
    (tmp_path / "mappings").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    return tmp_path


def publish(folder: Path) -> None:
    import duckdb

    (folder / "var" / "published").mkdir(parents=True)
    with duckdb.connect(str(folder / "var" / "published" / "unified.duckdb")) as con:
        con.execute("create schema ops")
        con.execute("create table ops.meta (name varchar, value varchar)")
        con.execute("insert into ops.meta values ('projected_at', '2026-11-01T08:00:00+00:00')")


def test_nothing_published_is_told_with_the_next_step(folder: Path, capsys) -> None:
    assert main(["explore", "--no-open"]) == 2
    assert "isthmus sync" in capsys.readouterr().err


def test_a_language_that_there_is_not(folder: Path, capsys) -> None:
    assert main(["explore", "--lang", "fr"]) == 2
    assert "--lang en" in capsys.readouterr().err


def test_a_port_that_is_taken(folder: Path, capsys) -> None:
    publish(folder)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["explore", "--no-open", "--port", str(port)]) == 2
    assert "--port" in capsys.readouterr().err


@pytest.mark.parametrize("token", ["", "given"])
def test_the_command_answers_until_it_is_ended(folder: Path, token: str, monkeypatch) -> None:
    publish(folder)
    monkeypatch.setenv("ISTHMUS_EXPLORE_TOKEN", token)
    with subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", "explore", "--port", "0", "--no-open"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        overdue = threading.Timer(60, process.kill)
        overdue.start()
        try:
            assert process.stdout is not None
            url = next(word for word in process.stdout.readline().split() if "http" in word)
            with httpx.Client(follow_redirects=True, trust_env=False) as client:
                bare = client.get(url.partition("?")[0] + "version")
                assert bare.status_code == (401 if token else 200)
                # The file holds nothing but a time: the page stands and says what is missing.
                page = client.get(url)
                assert page.status_code in (200, 503)
                assert "Isthmus" in page.text
                assert "token=" not in page.text
        finally:
            process.terminate()
            _, said = process.communicate(timeout=20)
            overdue.cancel()
    assert "given" not in said
    assert process.returncode in (0, 143, -15)
