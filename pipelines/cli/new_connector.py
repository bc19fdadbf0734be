"""`new-connector` writes a Python package to start a connector from: it passes the suite as it is.

The files stand in `template/` beside this module, each with the name `acme` in it, which is
replaced in their text and in their paths.
"""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.codes import CliError
from pipelines.cli.show import say
from pipelines.texts import t

TEMPLATE = Path(__file__).with_name("template")
SUFFIX = ".tmpl"
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST = 30


def new_connector(
    name: Annotated[str, typer.Argument(metavar="NAME", help=t("opt.new_connector"))],
    folder: Annotated[
        Path | None, typer.Option("--folder", metavar="FOLDER", help=t("opt.new_folder"))
    ] = None,
) -> None:
    """Write a package with the connector NAME, its simulator, its mapping and its tests."""
    from connectors import ready, registry
    from pipelines.cli.folder import near

    if not _NAME.fullmatch(name) or len(name) > _LONGEST or keyword.iskeyword(name):
        raise CliError(t("new.bad_name", name=name[:60]), t("new.bad_name_do", most=_LONGEST))
    if name in (*registry.names(), *ready.names()):
        raise CliError(t("new.known", name=name), t("new.known_do"))
    root = Path(f"isthmus-{_dashed(name)}") if folder is None else folder.expanduser()
    if root.exists() or root.is_symlink():
        raise CliError(t("new.exists", folder=root), t("new.exists_do"))
    if not root.absolute().parent.is_dir():
        raise CliError(t("new.no_parent", folder=root.absolute().parent), t("new.no_parent_do"))
    for file in write(root, name):
        say(t("connect.wrote", file=near(file.absolute())))
    say()
    say(t("new.next", folder=root, name=name))


def write(root: Path, name: str) -> list[Path]:
    """Write the files for the connector `name` into the new folder `root`; return them."""
    written = []
    for source in sorted(TEMPLATE.rglob(f"*{SUFFIX}")):
        inside = source.relative_to(TEMPLATE).as_posix().removesuffix(SUFFIX)
        file = root / _named(inside, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_named(source.read_text("utf-8"), name), encoding="utf-8")
        written.append(file)
    return written


def _named(text: str, name: str) -> str:
    """Put `name` in the place of acme; hosts and packages have a dash where names have `_`."""
    kind = "".join(part.capitalize() for part in name.split("_"))
    for old, new in (
        ("isthmus-acme", f"isthmus-{_dashed(name)}"),
        ("acme.example", f"{_dashed(name)}.example"),
        ("acme", name),
        ("Acme", kind),
        ("ACME", name.upper()),
    ):
        text = text.replace(old, new)
    return text


def _dashed(name: str) -> str:
    return name.replace("_", "-")
