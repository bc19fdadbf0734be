"""A3: secrets, searched for byte by byte in everything that a whole failing run left behind.

The run is the real command line and Dagster; the server repeats every secret in every place of its
answers. What was typed in clear into a file of settings must not be repeated either.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from tests.attacks.attempt import Attempt, Outcome, Task
from tests.attacks.canaries import ENCODINGS, canary, distinct, files_below, leaks, needles
from tests.attacks.leaky import CHANNELS, Leaky, serving

ID, TITLE = "A3", "secrets in any output of a failing run"
ROOT = Path(__file__).resolve().parents[2]
TYPED = range(60, 80)


def connections(url: str, *, quick: bool) -> dict[str, dict[str, Any]]:
    """Return the `config:` of connections that use 32 secrets between them, in every way.

    Quick, each channel is reached by one connection, and a few by all.
    """
    every = {name: _stream(name) for name in CHANNELS}

    def some(place: int) -> dict[str, Any]:
        """Return each third channel, so that three connections reach all of them."""
        return {n: s for at, (n, s) in enumerate(every.items()) if at % 3 == place % 3}

    common = {
        "base_url": f"{url}/api",
        "allow_private": "true",
        "attempts": "1",
        "timeout": "5s",
        "ok": "not code = 1",
    }
    posted = {
        n: {
            **s,
            "method": "POST",
            "json": {
                "session": {"token": "env:S20", "deep": [{"password": "env:S21"}]},
                "sign": "env:S22",
            },
        }
        for n, s in every.items()
        if n in ("status400", "names", "total", "again")
    }
    params = {"charset": "env:S23", "envelope": "env:S24", "cookie": "env:S25"}
    asked = {
        n: {**s, "params": {"access_token": params.get(n, "file:secrets/S26")}}
        for n, s in some(2).items()
    }
    return (
        {
            "bearer": {"auth": {"bearer": "env:S0"}, "streams": some(0)},
            "header": {
                "auth": {"header": {f"X-Key-{n}": f"env:S{n}" for n in (1, 2, 3)}},
                "headers": {
                    "X-Token": "env:S4",
                    "X-Key-11": "env:S11",
                    "X-Key-27": "env:S27",
                    "Cookie": "session=env:S5",
                    "Authorization": "Token env:S6",
                },
                "streams": some(1),
            },
            "query": {
                "auth": {"query": {f"key{n}": f"env:S{n}" for n in (7, 8, 9, 10)}},
                "streams": asked,
            },
            "basic": {
                "auth": {"basic": ["u", "env:S12"]},
                "streams": {"names": every["names"]} | ({} if quick else some(1)),
            },
            "oauth": {
                "auth": {
                    "oauth2": {
                        "token_url": f"{url}/token",
                        "client_id": "env:S13",
                        "client_secret": "file:secrets/S14",
                    }
                },
                "streams": {n: every[n] for n in ("names", "total", "again")}
                | ({} if quick else some(0)),
            },
            "posted": {
                "auth": {"header": {"X-Sign": "file:secrets/S15"}},
                "headers": {
                    "X-Api-Key": "file:secrets/S16",
                    "X-Secret": "env:S17",
                    "X-App-Key": "env:S18",
                    "X-Session-Id": "env:S19",
                },
                "streams": posted,
            },
        }
        | {
            "wrong": {
                "auth": {
                    "oauth2": {
                        "token_url": f"{url}/api/status400",
                        "client_id": "u",
                        "client_secret": "env:S28",
                        "client_in": "basic",
                    }
                },
                "streams": {"names": every["names"]},
            }
        }
        | {
            "away": {
                "auth": {"bearer": "env:S29"},
                "headers": {"X-Token": "env:S30"},
                "base_url": "http://127.0.0.1:9/",
                "streams": {"names": every["names"]},
            }
        }
        | {"__common__": common}
    )


def _stream(name: str) -> dict[str, Any]:
    paging = {"cursor": "next_cursor", "param": "cursor"}
    if name.startswith(("foreign", "inside")):
        paging = {"next": "next"}
    return {
        "path": f"/{name}",
        "records": "data",
        "key": "id",
        "paging": paging,
        "total": "total",
        "changes": {"since": "updated_at", "param": "since"} if name == "stamp" else None,
    }


def attempts(task: Task) -> Iterator[Attempt]:
    """Run, search, and judge every canary; then the same for what was typed in clear."""
    secrets = [canary(n) for n in range(31)] + [canary(99, length=180), canary(98)]
    leaky = Leaky(secrets, secrets[31], [secrets[13], secrets[14]])
    folder = task.inner("run")
    outputs = []
    with serving(leaky) as url:
        env = workspace(folder, url, secrets, quick=task.quick)
        rounds = 1 if task.quick else 3
        for command in (["sync", "--all"],) * rounds:
            outputs.append(isthmus(folder, env, *command))
        others: list[list[str]] = [["sync", "basic", "names", "--full", "--json"]]
        if not task.quick:
            others += [
                ["check"],
                ["status"],
                ["status", "--json"],
                ["quarantine", "list"],
                ["sync", "oauth", "total"],
                ["sync", "query", "--full"],
            ]
            others += [
                ["preview", name, stream]
                for name, stream in (
                    ("oauth", "names"),
                    ("oauth", "total"),
                    ("bearer", "status400"),
                )
            ]
        for command in others:
            outputs.append(isthmus(folder, env, *command))
        outputs += database_password(folder, env, secrets[32], quick=task.quick)
    unused = [s for s in secrets[:31] if not _was_sent(s, leaky.seen)]
    # What a system writes into its own records is landed as it came: the landing is the one place
    # of raw records (DESIGN, D4), readable by its owner alone. Its sidecars are searched.
    outputs += [
        (name, content)
        for name, content in files_below(folder / "home")
        if ".ndjson.zst" not in name
    ]
    outputs = distinct([*outputs, *files_below(folder / "cwd")])
    for number, secret in enumerate(secrets):
        yield searched(f"A3.{number}", f"canary {number}", secret, outputs)
    yield Attempt(
        "A3.thrown",
        "the server repeats what it was sent",
        "refused" if len(leaky.thrown) >= len(secrets) else "succeeded",
        f"{len(leaky.thrown)} pairs of secret and encoding",
    )
    if len(unused) > 2:  # those of `away` never leave: nobody listens there
        yield Attempt("A3.used", "secrets in use", "succeeded", f"{len(unused)} were never sent")
    yield from typed_in_clear(task)
    yield from env_in_git(task)


def searched(id: str, name: str, secret: str, outputs: Sequence[tuple[str, bytes]]) -> Attempt:
    """Search the outputs for every spelling of a secret: that is one attempt, not one a spelling.

    `outputs` are pairs of place and bytes.
    """
    found = leaks([secret], outputs)
    outcome: Outcome = "succeeded" if found else "refused"
    return Attempt(id, name, outcome, "; ".join(found[:3]), searches=len(needles(secret)))


def workspace(folder: Path, url: str, secrets: list[str], *, quick: bool) -> dict[str, str]:
    """Write connections, mappings, .env and secret files; return the environment of the run."""
    configs = connections(url, quick=quick)
    common = configs.pop("__common__")
    for name, config in configs.items():
        attributes = {"system": "rest", "config": {**common, **config}}
        for stream, said in attributes["config"]["streams"].items():
            attributes["config"]["streams"][stream] = {k: v for k, v in said.items() if v}
            mapping = folder / "mappings" / name / f"{stream}.yaml"
            mapping.parent.mkdir(parents=True, exist_ok=True)
            mapping.write_text("entity: party\nkey: id\nfields:\n  name: name\n")
        file = folder / "defs" / name / "defs.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        said = {"type": "pipelines.Connection", "attributes": attributes}
        file.write_text(yaml.safe_dump(said, allow_unicode=True), encoding="utf-8")
    (folder / "secrets").mkdir(exist_ok=True)
    lines = []
    for number, secret in enumerate(secrets[:31]):
        (folder / "secrets" / f"S{number}").write_text(secret)
        written = secret.replace("\\", "\\\\").replace("'", "\\'")
        lines.append(f"S{number}='{written}'")
    (folder / ".env").write_text("\n".join(lines) + "\n")
    (folder / "cwd").mkdir(exist_ok=True)
    keep = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "HOME")}
    return keep | {
        "ISTHMUS_DEFS": str(folder / "defs"),
        "ISTHMUS_HOME": str(folder / "home"),
        "ISTHMUS_LANG": "en",
        "PYTHONPATH": str(ROOT),
        "ISTHMUS_KEY": secrets[30],
    }


def isthmus(folder: Path, env: dict[str, str], *words: str) -> tuple[str, bytes]:
    """Run a command in a process of its own; return its name and all that it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *words],
        env=env,
        cwd=folder / "cwd",
        capture_output=True,
        timeout=300,
        check=False,
    )
    return f"isthmus {' '.join(words)}", done.stdout + b"\n" + done.stderr


def database_password(
    folder: Path, env: dict[str, str], secret: str, *, quick: bool
) -> list[tuple[str, bytes]]:
    """Run commands whose control database cannot be reached: its URL holds a password.

    Quick, each address meets one of the two commands.
    """
    commands = (["status"], ["sync", "bearer", "names"])
    found = []
    for number, url in enumerate(
        (
            f"postgresql+psycopg2://u:{quote(secret, safe='')}@127.0.0.1:9/db",
            f"mysql://u:{quote(secret, safe='')}@127.0.0.1:9/db",
            f"nonsense://u:{secret}@/",
            f"sqlite:////nowhere/{quote(secret, safe='')}/x.db?password={quote(secret, safe='')}",
        )
    ):
        more = {**env, "ISTHMUS_CONTROL_URL": url}
        some = commands[number % 2 :][:1] if quick else commands
        found += [isthmus(folder, more, *words) for words in some]
    return found


def _was_sent(secret: str, seen: bytes) -> bool:
    return any(code(secret).encode() in seen for code in ENCODINGS.values())


TYPOS = (
    "auth: {{bearer: {s}}}",
    "auth: {{basic: [u, {s}]}}",
    "auth: {{header: {{X-Api-Key: {s}}}}}",
    "auth: {{query: {{key: {s}}}}}",
    "auth: {{bearer: !vault {s}}}",
    "auth: {{bearer: &a {s}}}",
    "auth: {{bearer: [{s}]}}",
    "auth: {{bearer: {{value: {s}}}}}",
    "headers: {{X-Token: {s}}}",
    "auth: {{oauth2: {{token_url: 'https://x.example', client_id: c, client_secret: {s}}}}}",
    "auth: {{passwort: {s}}}",
    "auth: {s}",
    "password: {s}",
    "rate: {s}",
    "timeout: {s}",
    "tls: {{pin: {s}}}",
    "encoding: {s}",
    "base_url: 'https://u:{u}@x.example/'",
    "base_url: 'https://x.example/?token={u}'",
    "auth: {{bearer: {s}\n",
)


def typed_in_clear(task: Task) -> Iterator[Attempt]:
    """Type a canary into a file of settings; no command may repeat it."""
    for number, line in enumerate(TYPOS):
        if task.quick and number % 5:
            continue
        secret = canary(TYPED[number])
        folder = task.inner(f"typed{number}")
        file = folder / "defs" / "shop" / "defs.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        (folder / "cwd").mkdir()
        quoted = "'" + secret.replace("'", "''") + "'"
        text = line.format(s=quoted, u=quote(secret, safe=""))
        base = "" if "base_url" in text else "    base_url: https://x.example\n"
        file.write_text(
            f"type: pipelines.Connection\nattributes:\n  system: rest\n  config:\n{base}"
            f"    {text}\n    streams:\n      orders: {{path: /o, key: id}}\n"
        )
        env = workspace_env(folder)
        outputs = [isthmus(folder, env, "check", "shop")]
        if not task.quick:
            outputs += [
                isthmus(folder, env, "sync", "shop"),
                isthmus(folder, env, "status"),
                isthmus(folder, env, "sync", "--all"),
            ]
        outputs += files_below(folder / "home") if (folder / "home").exists() else []
        yield searched(f"A3.typed{number}", f"in clear: {line}", secret, outputs)


def workspace_env(folder: Path) -> dict[str, str]:
    """Return the environment of a folder without secrets."""
    keep = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "HOME")}
    return keep | {
        "ISTHMUS_DEFS": str(folder / "defs"),
        "ISTHMUS_HOME": str(folder / "home"),
        "ISTHMUS_LANG": "en",
        "PYTHONPATH": str(ROOT),
    }


def env_in_git(task: Task) -> Iterator[Attempt]:
    """Make an own folder as a person does and add everything to git; look for .env in both."""
    folder = task.inner("own")
    (folder / "cwd").mkdir(exist_ok=True)
    isthmus(folder, workspace_env(folder), "init", str(folder / "isthmus"))
    own = folder / "isthmus"
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-C", str(own)]
    subprocess.run([*git, "init", "-q"], check=True, capture_output=True)
    subprocess.run([*git, "add", "-A"], check=True, capture_output=True)
    for number, (name, where) in enumerate((("an own folder", own), ("the project", ROOT))):
        listed = subprocess.run(
            ["git", "-C", str(where), "ls-files"], check=True, capture_output=True, text=True
        ).stdout.split()
        bad = [n for n in listed if n.rpartition("/")[2] == ".env" or n.startswith("var/")]
        ok = bool(listed) and not bad
        yield Attempt(
            f"A3.git{number}",
            f".env in git of {name}",
            "refused" if ok else "succeeded",
            ", ".join(bad),
        )
