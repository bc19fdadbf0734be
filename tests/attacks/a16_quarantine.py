"""A16: secrets and phones in records that are put aside: only the landing may hold them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import small_shop

from connectors.rest.serve import serve
from connectors.rest.simulator import Collection, RestSimulator
from tests.attacks.a03_secrets import isthmus, workspace_env
from tests.attacks.attempt import Attempt, Task
from tests.attacks.canaries import canary, files_below, leaks
from warehouse import reader

ID, TITLE = "A16", "what records in quarantine hold"


def phone(number: int) -> str:
    """Return a phone of eleven digits that no other figure of the run holds."""
    return f"139{77_000_000 + number * 131}"


def records() -> list[tuple[str, str, dict[str, object]]]:
    """Return (name, canary, record): each record is broken, in the canary's field or beside it."""
    good = {
        "created_at": "2026-03-01T08:00:00+00:00",
        "updated_at": "2026-03-01T08:00:00+00:00",
        "currency": "CNY",
        "total_price": "1.00",
        "line_items": [],
    }
    places: dict[str, dict[str, object]] = {
        "amount": {"total_price": "{c}"},
        "moment": {"created_at": "{c}"},
        "currency": {"currency": "{c}"},
        "beside": {"note": "{c}", "total_price": "x"},
        "deep": {"a": {"b": ["{c}"]}, "total_price": "x"},
        "line": {"line_items": [{"id": 1, "sku": "{c}", "quantity": "x", "price": 1}]},
        "quantity": {"line_items": [{"id": 1, "sku": "s", "quantity": "{c}", "price": 1}]},
        "list": {"line_items": "{c}"},
        "number": {"name": "{c}", "total_price": []},
        "version": {"updated_at": "{c}", "total_price": "x"},
        "zero": {"name": "{c}\0"},
        "reference": {"customer": {"id": "{c}"}, "total_price": "x"},
        "member": {"{c}": 1, "total_price": "x"},
    }
    found = []
    for kind in ("secret", "phone", "phone with blanks"):
        for name, place in places.items():
            n = len(found)
            value = canary(200 + n) if kind == "secret" else phone(n)
            written = f"{value[:3]} {value[3:7]} {value[7:]}" if kind.endswith("blanks") else value
            if kind == "phone" and name in ("amount", "quantity"):
                written = f"{value}x"  # bare it is a number like any other
            text = json.dumps(good | place).replace("{c}", json.dumps(written)[1:-1])
            found.append((f"{kind} in {name}", written, {"id": f"k{n}", **json.loads(text)}))
    return found


def attempts(task: Task) -> Iterator[Attempt]:
    """Sync the records by the real command line; search everything but the landed records."""
    wanted = records()
    server = RestSimulator(
        {"customers": Collection([]), "orders": Collection([r for _, _, r in wanted], stamp=None)},
        token=small_shop.TOKEN,
    )
    folder = task.inner("run")
    (folder / "cwd").mkdir()
    with serve(server) as url:
        space = small_shop.workspace(folder, url, limit=500)
        env = workspace_env(folder)
        outputs = [isthmus(folder, env, "sync", "--all")]
        more = [
            ["quarantine", "list"],
            ["quarantine", "list", "--json"],
            ["status"],
            ["quarantine", "replay"],
            ["sync", "shop", "--full"],
        ]
        outputs += [isthmus(folder, env, *words) for words in (more[:1] if task.quick else more)]
    landed = {p for p in space.home.landing.rglob("*") if p.is_file() and p.suffix == ".zst"}
    outputs += files_below(space.home.root, leave=landed)
    rows = reader.run_query(
        space.home.current, "select id, source_key from ops.quarantine where status = 'open'"
    ).rows
    ids = {key: id for id, key in rows}
    for number, (name, value, record) in enumerate(wanted):
        key = str(record["id"])
        hit = [text for text in leaks([value], outputs) if "seen.db" not in text]
        if key not in ids:
            yield Attempt(f"A16.{number}", name, "succeeded", "the record is not in quarantine")
            continue
        yield Attempt(
            f"A16.{number}", name, "succeeded" if hit else "refused", "; ".join(hit)[:250]
        )
    id = ids[str(wanted[0][2]["id"])]
    log = space.home.root / "logs" / "access.jsonl"
    before = log.read_text() if log.exists() else ""
    place, shown = isthmus(folder, env, "quarantine", "show", id)
    noted = (log.read_text() if log.exists() else "")[len(before) :]
    yield Attempt(
        "A16.show",
        "a look at a record without a trace",
        "refused" if wanted[0][1].encode() in shown and id in noted else "succeeded",
        noted or place,
    )
    kept = leaks([wanted[0][1]], files_below(space.home.root, leave=landed))
    yield Attempt(
        "A16.kept", "what was shown stays behind", "succeeded" if kept else "refused", str(kept)
    )
