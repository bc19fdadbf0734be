"""`init` makes a folder of one's own; `connect` writes a connection into it."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.codes import FAILED, USAGE, CliError
from pipelines.cli.show import say
from pipelines.texts import t

if TYPE_CHECKING:
    from pydantic import BaseModel

NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
RESERVED = frozenset({"company"})
HOURLY = "0 * * * *"


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help=t("opt.init_folder"))],
) -> None:
    """Make FOLDER with defs/, mappings/, .env, .env.example, .gitignore and README.md."""
    root = folder.expanduser()
    if (root / "pipelines" / "cli").exists() or (root / "warehouse" / "model").exists():
        raise CliError(t("init.ours", folder=root), t("init.taken_do"))
    taken = [n for n in ("defs", ".env", "var") if (root / n).exists()]
    if taken:
        raise CliError(t("init.taken", folder=root, name=taken[0]), t("init.taken_do"))
    if root.exists() and not root.is_dir():
        raise CliError(t("init.no_folder", folder=root), t("init.taken_do"))
    for inner in ("defs/company", "mappings"):
        (root / inner).mkdir(parents=True, exist_ok=True)
    _write(root / "defs" / "company" / "defs.yaml", t("init.company"))
    _write(root / ".env.example", t("init.env_example"))
    _write(root / ".env", f"ISTHMUS_KEY={_fresh_key()}\n", mode=0o600)
    _write(root / ".gitignore", ".env\nvar/\n")
    _write(root / "mappings" / ".gitkeep", "")  # the folder marks the workspace, also in git
    _write(root / "README.md", t("init.readme"))
    full = root.resolve()
    say(t("init.done", folder=root))
    say()
    say(t("init.inside", folder=root))
    say(t("init.outside"))
    say(f"  export ISTHMUS_DEFS={_shell(full / 'defs')}")
    say(f"  export ISTHMUS_HOME={_shell(full / 'var')}")
    say()
    say(t("init.next"))


def connect(
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help=t("opt.system"))],
    name: Annotated[str, typer.Argument(metavar="NAME", help=t("opt.name"))],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help=t("opt.set"))
    ] = None,
    title: Annotated[str, typer.Option("--title", help=t("opt.title"))] = "",
    schedule: Annotated[str, typer.Option("--schedule", help=t("opt.schedule"))] = HOURLY,
) -> None:
    """Write defs/NAME/defs.yaml with every setting of SYSTEM explained; end with `check NAME`."""
    from connectors import ready, registry
    from mappings.find import is_mapped
    from pipelines.check.secrets import REFERENCE, is_secret, scalars
    from pipelines.check.words import meant
    from pipelines.cli.checking import run_check
    from pipelines.cli.ready import ready_text, write_mappings
    from pipelines.cli.session import workspace

    if not NAME.fullmatch(name) or name in RESERVED:
        raise CliError(t("connect.bad_name", name=name), t("connect.bad_name_do"))
    known = [*registry.names(), *ready.names()]
    if system not in known:
        raise CliError(t("connect.unknown", name=repr(system)), meant(system, known))
    is_ready = system in ready.names()
    connector = registry.load("sql" if is_ready else system)
    values = _settings(settings or [])
    for spot, value in scalars(values):
        if not REFERENCE.search(value) and is_secret(spot, value):
            raise CliError(t("connect.secret", field=".".join(map(str, spot))), t("meant.secret"))
    space = workspace()
    file = space.defs / name / "defs.yaml"
    if file.exists():
        raise CliError(t("connect.exists", file=near(file)), t("connect.exists_do", name=name))
    remarks = _from_folder(values, name, space.defs.parent) if system == "files" else []
    if is_ready:
        own = "" if schedule == HOURLY else schedule
        text = ready_text(
            ready.text(system), values, title=title, schedule=own, timezone=space.company().timezone
        )
    else:
        text = render(system, connector.Settings, values, title or name, schedule, space)
    file.parent.mkdir(parents=True, exist_ok=True)
    _write(file, text)
    say(t("connect.wrote", file=near(file)))
    if is_ready and (written := write_mappings(space, system, name)):
        say(t("connect.wrote", file=f"{near(written[0].parent)}/ ({len(written)})"))
    for line in remarks:
        say(line)
    say()
    code = run_check([name], space=space, reach=True, new=True)
    if code == USAGE:
        say(t("connect.mend", name=name))
    elif code == FAILED:
        say(t("connect.mend_found", name=name))
    elif is_ready or is_mapped(system):
        say(t("connect.next_ready", name=name))
    else:
        say(t("connect.next", name=name))
    raise typer.Exit(code)


def render(
    system: str,
    model: type[BaseModel],
    values: dict[str, Any],
    title: str,
    schedule: str,
    space: Any,
) -> str:
    """Return the text of a new defs.yaml."""
    from connectors.registry import load
    from pipelines.cli.yamlwrite import explained, scalar

    lines = [
        f"# {t('connect.head', system=system)}",
        "type: pipelines.Connection",
        "attributes:",
        f"  system: {scalar(system)}",
        f"  title: {scalar(title)}",
        *([] if load(system).roles else [f"  # {t('connect.role')}", "  # role: shop"]),
        "  config:",
        *explained(model, values, 4),
        f"  # {t('connect.streams')}",
        "  # streams: [NAME]",
        f"  # {t('connect.schedule')}",
        f"  schedule: {scalar(schedule)}",
        f"  timezone: {scalar(space.company().timezone)}",
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _settings(pairs: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for pair in pairs:
        spot, equals, value = pair.partition("=")
        if not equals or not spot.strip():
            raise CliError(t("connect.bad_set", found=spot), t("connect.bad_set_do"))
        *outer, last = spot.strip().split(".")
        place = values
        for part in outer:
            inner = place.setdefault(part, {})
            if not isinstance(inner, dict):
                raise CliError(t("connect.bad_set", found=spot), t("connect.bad_set_do"))
            place = inner
        place[last] = _value(value)
    return values


def _value(text: str) -> Any:
    """Return a value as YAML reads it where it is a list ([a, b]); any other is a text."""
    if not (text.startswith("[") and text.endswith("]")):
        return text
    from mappings.yamltext import YamlError, read_text

    try:
        return read_text(text).data
    except YamlError:
        return text


def _from_folder(values: dict[str, Any], name: str, base: Path) -> list[str]:
    """Fill in folder and streams from the files that are there; return what to tell people."""
    from pipelines.proposals import propose_streams

    folder = Path(str(values.setdefault("folder", f"inbox/{name}")))
    path = base / folder.expanduser()
    if "streams" in values:
        return []
    if not folder.is_absolute():
        path.mkdir(parents=True, exist_ok=True)
    found = propose_streams(path, name) if path.is_dir() else []
    if not found:
        raise CliError(t("connect.empty", folder=near(path)), t("connect.empty_do"))
    values["streams"] = {p.stream: p.settings for p in found}
    told = []
    for one in found:
        told.append(
            t("connect.stream", stream=one.stream, pattern=one.settings["pattern"],
              key="/".join(one.settings["key"]))
        )  # fmt: skip
        if one.columns:
            told.append(t("connect.columns", columns=", ".join(one.columns)))
        told += [f"    {remark}" for remark in one.remarks]
    return told


def _fresh_key() -> str:
    import base64

    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def _write(path: Path, text: str, *, mode: int = 0o644) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL  # never over something that is there
    try:
        handle = os.open(path, flags, mode)
    except FileExistsError:
        return
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)
    if stat.S_IMODE(path.stat().st_mode) != mode:
        path.chmod(mode)


def near(path: Path) -> Path:
    """Return a path as people see it from where they stand."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _shell(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))
