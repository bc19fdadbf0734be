"""A11: hostile text on its way to terminals, logs and the UI."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import small_shop
from source_rows import MOMENT

from connectors.rest.serve import serve
from connectors.rest.simulator import Collection, RestSimulator
from pipelines.cli.boundary import plain
from tests.attacks.a03_secrets import isthmus, workspace_env
from tests.attacks.attempt import Attempt, Task
from tests.attacks.world import command, environment, published
from warehouse import reader

ID, TITLE = "A11", "hostile text in terminals, logs and the UI"
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
TEXTS = {
    "colour": "\x1b[31mred\x1b[0m",
    "clear": "\x1b[2J\x1b[H",
    "title": "\x1b]0;owned\x07",
    "hyperlink": "\x1b]8;;http://x.example\x07click\x1b]8;;\x07",
    "clipboard": "\x1b]52;c;ZXZpbA==\x07",
    "8-bit CSI": "\x9b31m",
    "8-bit OSC": "\x9d0;x\x9c",
    "device query": "\x1b[6n",
    "bell": "\x07",
    "backspace": "safe\x08\x08\x08\x08evil",
    "carriage return": "real\rfake",
    "CRLF": "a\r\nisthmus: forged",
    "line break": "a\n2026-01-01 ERROR forged",
    "vertical tab": "a\x0bb",
    "form feed": "a\x0cb",
    "next line": "a\x85b",
    "line separator": "a\u2028b",
    "override": "\u202egnp.exe",
    "isolate": "\u2066x\u2069",
    "delete": "a\x7fb",
    "script": "<script>alert(1)</script>",
    "image": "<img src=x onerror=alert(1)>",
    "markdown link": "[x](javascript:alert(1))",
    "markdown image": "![x](http://x.example/?a)",
    "rich markup": "[bold red]x[/bold red][link=http://x]y[/link]",
    "template": "{{ 7*7 }} ${7*7} %(x)s {0}",
    "percent": "%s%n%x",
    "emoji": "🏴‍☠️" * 3,
    "combining": "z" + "\u0301" * 200,
    "tag signs": "a\U000e0041b",
}


def attempts(task: Task) -> Iterator[Attempt]:
    """Show the texts as records, error bodies, titles, arguments; read every output."""
    yield from _shown(task)
    yield from _arguments(task)
    yield from _titles(task)
    if not task.quick:
        yield from _run(task)


def _judged(number: str, name: str, out: str, *, lines: bool = False) -> Attempt:
    found = STEERING.search(out)
    forged = lines and re.search("^(isthmus: forged|2026-01-01 ERROR forged)", out, re.MULTILINE)
    if found or forged:
        at = found.start() if found else out.find("forged")
        return Attempt(number, name, "succeeded", repr(out[max(0, at - 40) : at + 30]))
    return Attempt(number, name, "handled", "")


def _shown(task: Task) -> Iterator[Attempt]:
    """Query rows that hold each text, as a table and as JSON."""
    rows = [
        {"key": f"k{n}", "number": text, "placed_at": MOMENT}
        for n, text in enumerate(TEXTS.values())
    ]
    home = published(task.inner("home"), {"order": rows})
    with environment(
        ISTHMUS_HOME=str(home.root), ISTHMUS_DEFS=str(task.inner("defs")), ISTHMUS_LANG="en"
    ):
        for n, (name, text) in enumerate(TEXTS.items()):
            if task.quick and n % 4:
                continue
            sql = f"select number, number as b from source.orders where source_key = 'k{n}'"
            _, out, err = command("query", sql)
            yield _judged(f"A11.t{n}", f"{name} in a table", out + err, lines=True)
            _, out, err = command("query", sql, "--json")
            same = json.loads(out)[0]["number"] == text
            judged = _judged(f"A11.j{n}", f"{name} in JSON", out + err, lines=True)
            yield judged if same else Attempt(judged.id, judged.name, "succeeded", "it was changed")
            quoted = text.replace('"', '""').replace("\0", "")
            _, out, err = command("query", f'select 1 as "{quoted}"')
            yield _judged(f"A11.h{n}", f"{name} in a heading", out + err, lines=True)
            _, out, err = command("query", f"select error('{text.replace(chr(39), '')}')")
            yield _judged(f"A11.e{n}", f"{name} in an error of SQL", out + err, lines=True)


def _arguments(task: Task) -> Iterator[Attempt]:
    """Type the texts where a name is expected."""
    folder = task.inner("args")
    for name in ("defs", "mappings"):
        (folder / name).mkdir()
    places = (
        ("sync", "{}"),
        ("check", "{}"),
        ("preview", "{}", "x"),
        ("quarantine", "show", "{}"),
        ("connect", "rest", "{}"),
        ("connect", "{}", "shop"),
    )
    with environment(
        ISTHMUS_HOME=str(folder / "home"), ISTHMUS_DEFS=str(folder / "defs"), ISTHMUS_LANG="en"
    ):
        for n, (name, text) in enumerate(TEXTS.items()):
            if task.quick and n % 4:
                continue
            for place in places:
                _, out, err = command(*(word.format(text) for word in place))
                yield _judged(
                    f"A11.a{n}", f"{name} as argument of {place[0]}", out + err, lines=True
                )


def _titles(task: Task) -> Iterator[Attempt]:
    """Build the definitions of connections whose titles are the texts; read their descriptions."""
    from pipelines.streams import _plain

    active = re.compile(r"(?<!\\)[<>\[\]`*_#!|~]")
    for n, (name, text) in enumerate(TEXTS.items()):
        shown = _plain(text)
        bad = active.search(shown) or STEERING.search(shown) or "\n" in shown
        yield Attempt(
            f"A11.d{n}",
            f"{name} in a description",
            "succeeded" if bad else "handled",
            repr(shown[:60]),
        )
        yield _judged(f"A11.p{n}", f"{name} told", plain(text).replace("\n", " "))


def _run(task: Task) -> Iterator[Attempt]:
    """Sync by the real command line: records, keys, error bodies and titles hold the texts."""
    good = {
        "created_at": "2026-03-01T08:00:00+00:00",
        "updated_at": "2026-03-01T08:00:00+00:00",
        "currency": "CNY",
        "line_items": [],
    }
    orders: list[dict[str, Any]] = []
    for text in TEXTS.values():
        orders.append({**good, "id": f"{text}", "name": text, "total_price": "1.00"})
        orders.append({**good, "id": f"bad {text}", "name": text, "total_price": text})
    server = RestSimulator(
        {"customers": Collection([]), "orders": Collection(orders)}, token=small_shop.TOKEN
    )
    folder = task.inner("run")
    (folder / "cwd").mkdir()
    message = " | ".join(TEXTS.values())
    outputs = []
    with serve(server) as url:
        space = small_shop.workspace(folder, url, limit=500, company="  quarantine_limit: 1\n")
        file = folder / "defs" / "shop" / "defs.yaml"
        shown = message.replace("{{", "").replace("{%", "")  # templates are refused
        title = json.dumps("".join(c for c in shown if c.isprintable()))
        file.write_text(file.read_text().replace("title: Web shop", f"title: {title}"))
        env = workspace_env(folder)
        server.fault("body", request=1, times=1, body=b"[]")
        outputs.append(isthmus(folder, env, "sync", "shop", "orders"))
        server.faults.clear()
        server.fault(
            "body", request=1, times=3, body=json.dumps({"error": {"message": message}}).encode()
        )
        outputs.append(isthmus(folder, env, "sync", "shop"))
        server.faults.clear()
        for words in (
            ["sync", "shop"],
            ["quarantine", "list"],
            ["quarantine", "list", "--json"],
            ["status"],
            ["query", "select source_key, number from source.orders"],
            ["preview", "shop", "orders"],
            ["check", "shop"],
        ):
            outputs.append(isthmus(folder, env, *words))
    for n, (name, raw) in enumerate(outputs):
        yield _judged(f"A11.r{n}", name, raw.decode("utf-8", "replace"), lines=True)
    yield from _logs(space.home.root)
    rows = reader.run_query(
        space.home.current, "select count(*) from source.orders where number is not null"
    )
    count = next(rows.rows)[0]
    ok = count == len(TEXTS)
    yield Attempt("A11.kept", "the records are there", "handled" if ok else "succeeded", str(count))


def _logs(root: Path) -> Iterator[Attempt]:
    for n, path in enumerate(
        sorted([*root.rglob("*.log"), *root.rglob("*.jsonl"), *root.rglob("*.err")])
    ):
        text = path.read_text("utf-8", "replace")
        yield _judged(f"A11.l{n}", f"log {path.name}", text, lines=True)
