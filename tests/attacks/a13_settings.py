"""A13: settings and inboxes made to harm: tags, bombs, ways out of the folder, references."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from rest_parts import context

from connectors.base import Context, ReadRequest
from connectors.files import FilesConnector, FilesSettings
from connectors.rest import RestConnector
from connectors.rest.settings import RestSettings
from mappings.load import load_mapping
from mappings.yamltext import read_file, read_text
from pipelines.secrets import Secrets
from pipelines.workspace import Workspace
from tests.attacks.attempt import Attempt, Task, measured, refused

ID, TITLE = "A13", "settings: YAML, ways out of the folder, references"
CANARY = "canary-outside-the-folder-77aa"
MARK = "ISTHMUS_ATTACK_RAN"


def yamls() -> dict[str, tuple[str, str]]:
    """Return documents: refused, or taken as plain text."""
    python = (
        "!!python/object/apply:os.system ['touch {m}']",
        "!!python/name:os.system",
        "!!python/object/new:os.system [id]",
        "!!python/module:os",
        "!!binary aGk=",
        "!<tag:yaml.org,2002:python/object/apply:os.getcwd> []",
        "!!set {{a}}",
        "!include /etc/passwd",
        "!ENV ${{HOME}}",
        "!!timestamp 2026-01-01",
        "!!js/function 'x'",
        "! x",
    )
    laughs = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
    )
    found = {f"tag {n}": (f"a: {text.format(m=MARK)}", "refused") for n, text in enumerate(python)}
    return found | {
        "billion laughs": (laughs, "refused"),
        "self alias": ("a: &a [*a]", "refused"),
        "merge": ("a: &a {b: 1}\nc: {<<: *a}", "refused"),
        "merge without alias": ("<<: {b: 1}", "taken"),
        "alias to nothing": ("a: *x", "refused"),
        "tag directive": ("%TAG ! tag:x,2000:\n---\na: !b c", "refused"),
        "YAML 9": ("%YAML 9.9\n---\na: b", "any"),
        "two documents": ("a: b\n---\nc: d", "refused"),
        "key twice": ("a: 1\na: 2", "refused"),
        "list for a key": ("? [a]\n: b", "refused"),
        "map for a key": ("{{a: b}: c}", "refused"),
        "10,000 brackets": ("a: " + "[" * 10_000, "refused"),
        "100,000 braces": ("a: " + "{" * 100_000, "refused"),
        "5,000 dashes": ("- " * 5_000 + "a", "refused"),
        "100 levels": ("".join(" " * n + "a:\n" for n in range(100)), "refused"),
        "a line of 2 MB": ("a: " + "x" * 2_000_000, "refused"),
        "a line of 900 kB": ("a: " + "x" * 900_000, "taken"),
        "100,000 keys": ("".join(f"k{n}: {n}\n" for n in range(60_000)), "any"),
        "question marks": ("? " * 20_000, "any"),
        "quotes without end": ("a: '" + "x\n" * 100_000, "refused"),
        "tab": ("a:\n\t- b", "refused"),
        "NUL": ("a: b\0c", "refused"),
        "bell": ("a: \x07", "refused"),
        "numbers stay text": ("a: 0x1F", "taken"),
        "booleans stay text": ("a: on", "taken"),
        "sexagesimal stays text": ("a: 12:30:45", "taken"),
        "null key": ("null: a", "taken"),
    }


def attempts(task: Task) -> Iterator[Attempt]:
    """Read documents, huge files, folders with ways out, references, templates."""
    for number, (name, (text, wanted)) in enumerate(yamls().items()):
        if not task.quick or len(text) < 200_000:
            yield _yaml(f"A13.y{number}", name, text, wanted)
    yield from _huge(task)
    yield from _folders(task)
    yield from _references(task)
    yield from _expressions(task.inner("extends") / "x.yaml")
    yield from _names(task)


def _yaml(number: str, name: str, text: str, wanted: str) -> Attempt:
    with measured() as cost:
        try:
            data = read_text(text, "x.yaml").data
            result = Attempt(number, name, "handled", f"{str(data)[:60]!r}")
            plain = _is_plain(data)
        except Exception as error:
            result, plain = refused(number, name, error), True
    if Path(MARK).exists() or not plain:
        return Attempt(number, name, "succeeded", "it ran or became an object")
    if cost.cpu > 30 or cost.megabytes > 500:
        return Attempt(number, name, "succeeded", f"{cost.seconds:.0f} s, {cost.megabytes:.0f} MB")
    if wanted != "any" and result.outcome == ("handled" if wanted == "refused" else "refused"):
        return Attempt(number, name, "succeeded", f"wanted {wanted}: {result.detail}")
    return result


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_plain(v) for k, v in value.items())
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is None or type(value) is str


def _huge(task: Task) -> Iterator[Attempt]:
    for number, size in enumerate((5_000_000, 2 << 30, 64 << 30)):
        path = task.inner("huge") / f"{number}.yaml"
        with path.open("wb") as file:
            file.truncate(size)
        with measured() as cost:
            try:
                read_file(path)
                result = Attempt(f"A13.h{number}", f"a file of {size:,} bytes", "succeeded")
            except Exception as error:
                result = refused(f"A13.h{number}", f"a file of {size:,} bytes", error)
        path.unlink()
        if cost.megabytes > 100 or cost.cpu > 5:
            result = Attempt(result.id, result.name, "succeeded", f"{cost.megabytes:.0f} MB")
        yield result
    for number, special in enumerate(("/dev/zero", "/proc/self/environ", "/")):
        try:
            read_file(Path(special))
            yield Attempt(f"A13.d{number}", f"settings from {special}", "succeeded")
        except Exception as error:
            shown = refused(f"A13.d{number}", f"settings from {special}", error)
            leaked = "root:" in shown.detail or "PATH=" in shown.detail
            yield Attempt(
                shown.id, shown.name, "succeeded" if leaked else shown.outcome, shown.detail
            )


PATTERNS = (
    "../*.csv",
    "../../etc/passwd",
    "/etc/passwd",
    "~/x",
    "a/../../out/*.csv",
    "..\\out\\*.csv",
    "\\\\host\\share\\*",
    "C:/x",
    "C:\\x",
    "./../out/*",
    "**/../../*",
    "//host/*",
    "out/..",
    "%2e%2e/*.csv",
    "..;/x",
    "file:///etc/passwd",
    "\0.csv",
    "x\n.csv",
    "{..,x}/*",
    "[.][.]/*.csv",
    "?" * 400,
)


def _folders(task: Task) -> Iterator[Attempt]:
    """Try every way out of an inbox; the canary stands in a folder beside it."""
    root = task.inner("ways")
    inbox, out = root / "in", root / "out"
    for folder in (inbox / "deep", out):
        folder.mkdir(parents=True)
    (out / "secret.csv").write_text(f"id,name\n666,{CANARY}\n")
    (inbox / "good.csv").write_text("id,name\n1,x\n")
    links: dict[str, str | Path] = {
        "link.csv": out / "secret.csv",
        "up.csv": "../out/secret.csv",
        "folder": out,
        "deep/up.csv": "../../out/secret.csv",
        "chain1.csv": "chain2.csv",
        "chain2.csv": out / "secret.csv",
        "proc.csv": f"/proc/self/root{out}/secret.csv",
        "cwd.csv": "/proc/self/environ",
        "fd.csv": "/proc/self/fd/0",
        "dev.csv": "/dev/zero",
        "tty.csv": "/dev/stdin",
        "loop.csv": "loop.csv",
        "passwd.csv": "/etc/passwd",
        "through.csv": "folder/secret.csv",
    }
    for name, target in links.items():
        (inbox / name).symlink_to(target)
    os.mkfifo(inbox / "pipe.csv")
    for number, pattern in enumerate(
        (*PATTERNS, "*.csv", "**/*.csv", "**/*", "folder/*.csv", *links, "pipe.csv")
    ):
        name = f"pattern {pattern!r}"
        seen = ""
        try:
            settings = {"folder": str(inbox), "streams": {"s": {"pattern": pattern, "key": "id"}}}
            one = FilesConnector(
                FilesSettings.model_validate(settings), Context("o", pause=lambda s: None)
            )
            for page in one.read(ReadRequest("s")):
                seen += str(page.records) + str(page.keys)
            result = Attempt(f"A13.p{number}", name, "handled", seen[:40])
        except Exception as error:
            result = refused(f"A13.p{number}", name, error)
            seen += f"{error} {getattr(error, 'causes', '')}"
        if CANARY in seen or "root:" in seen or "PATH=" in seen:
            result = Attempt(result.id, name, "succeeded", "what stands outside was read")
        yield result


REFERENCES = (
    "env:",
    "env: HOME",
    "env:$(id)",
    "env:`id`",
    "env:HOME;id",
    "env:A=B",
    "env:A\nB",
    "env:{{ env.HOME }}",
    "env:${HOME}",
    "env:../x",
    "file:",
    "file:/dev/zero",
    "file:/nowhere/x",
    "file:|id",
    "file:.",
    "file:\0",
    "file:/proc/self/environ",
    "vault:x",
    "http://127.0.0.1:9/secret",
    "env",
    "ENV:HOME",
    "cmd:id",
    "file://127.0.0.1/x",
    "env:" + "A" * 100_000,
    "file:" + "a" * 100_000,
    "file:" + "../" * 2000 + "nowhere",
)


def _references(task: Task) -> Iterator[Attempt]:
    """Resolve references that would run, fetch or never end; as they are and inside settings."""
    secrets = Secrets({"HOME": "/root", "A": "x"}, task.inner("refs"))
    for number, text in enumerate(REFERENCES):
        name = f"reference {text[:40]!r}"
        with measured() as cost:
            try:
                value = secrets.resolve(text)
                result = Attempt(f"A13.e{number}", name, "handled", f"{len(value)} signs of text")
                if "proc" not in text:
                    result = Attempt(
                        f"A13.e{number}", name, "succeeded", f"resolved: {value[:40]!r}"
                    )
            except Exception as error:
                result = refused(f"A13.e{number}", name, error)
        if cost.megabytes > 100:
            result = Attempt(result.id, name, "succeeded", f"{cost.megabytes:.0f} MB")
        yield result
    templates = ("{{ env.HOME }}", "{{ 7*7 }}", "{% for x in y %}", "a{{b")
    for number, text in enumerate(templates):
        try:
            settings = {
                "base_url": "https://x.example",
                "auth": {"bearer": text},
                "streams": {"s": {"path": "/s", "key": "id", "params": {"q": text}}},
            }
            RestConnector(RestSettings.model_validate(settings), context())
            yield Attempt(f"A13.t{number}", f"template {text!r}", "succeeded", "it was taken")
        except Exception as error:
            yield refused(f"A13.t{number}", f"template {text!r}", error)


EXPRESSIONS = (
    "read_text('/etc/passwd')",
    "(select 1)",
    "getenv('HOME')",
    "query('select 1')",
    "a; drop table x",
    "copy (select 1) to 'x'",
    "current_setting('home_directory')",
    "(select content from read_text('x'))",
    "exists(select 1)",
    "a in (select 1)",
    "range(10000000000)",
    "repeat('x', 10000000000)",
    "nextval('s')",
    "lpad('x', 2000000000, 'y')",
    "list_reduce(a, lambda x, y: x)",
    "write_log('x')",
    "$1",
    "?",
    "@x",
    "a::json->>'$.x'; --",
    "/* */ select 1",
    "1 as x",
    "a, b",
    "*",
    "columns('.*')",
    "struct_pack(a := 1)",
    "getvariable('mask_inner')",
    "md5(getvariable('mask_outer'))",
    "pg_sleep(10)",
    "sleep_ms(10)",
    "json_execute_serialized_sql('x')",
    "{'a': (select 1)}",
    "[(select 1)]",
    "try_cast(getenv('A') as int)",
    "case when true then read_blob('x') end",
    "a.b.upper()",
    "x -> x",
    "now()",
    "random()",
    "uuid()",
    "(" * 3000 + "a" + ")" * 3000,
    "a+" * 20_000 + "a",
    "'" + "x" * 200_000 + "'",
    "'unclosed",
    '"unclosed',
)


def _expressions(file: Path) -> Iterator[Attempt]:
    """Write each expression as a mapping's value: nothing that reads or runs may compile."""
    from mapping_runs import plan_of

    for number, text in enumerate(EXPRESSIONS):
        quoted = text.replace("'", "''")
        name = f"mapping value {text[:60]!r}"
        try:
            plan = plan_of(f"entity: order\nkey: id\nfields:\n  number: '{quoted}'\n")
            told = plan.targets[0].select
            bad = [
                w
                for w in (
                    "read_text",
                    "read_blob",
                    "getenv",
                    "getvariable",
                    "query(",
                    "select 1",
                    "drop table",
                    "pg_sleep",
                    "sleep_ms",
                    "write_log",
                    "current_setting",
                )
                if w in told.lower().replace("''", "'") and f"'{w}" not in told.lower()
            ]
            yield Attempt(f"A13.x{number}", name, "succeeded" if bad else "handled", str(bad))
        except Exception as error:
            yield refused(f"A13.x{number}", name, error)
    try:
        file.write_text("extends: ../../../../etc/passwd\n")
        load_mapping(file, search=[file.parent])
        yield Attempt("A13.x", "extends that leads outside", "succeeded")
    except Exception as error:
        yield refused("A13.x", "extends that leads outside", error)


def _names(task: Task) -> Iterator[Attempt]:
    """Ask a workspace for connections whose names are paths."""
    folder = task.inner("names")
    (folder / "defs").mkdir()
    space = Workspace.discover(
        {"ISTHMUS_DEFS": str(folder / "defs"), "ISTHMUS_HOME": str(folder / "home")}
    )
    asks: list[Callable[[str], object]] = [space.connection]
    for number, name in enumerate(
        ("..", "../x", "/etc", "a/b", "a\0b", "", ".", "~", "a b", "A", "x" * 300)
    ):
        for ask in asks:
            try:
                ask(name)
                yield Attempt(f"A13.n{number}", f"connection {name!r}", "succeeded", "it was found")
            except Exception as error:
                yield refused(f"A13.n{number}", f"connection {name[:40]!r}", error)
