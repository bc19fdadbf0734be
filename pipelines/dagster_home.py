"""DAGSTER_HOME: below the home unless set, with the project's `dagster.yaml` linked into it.

So two homes never mix, and nothing is written into the project.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import MutableMapping
from pathlib import Path

from pipelines.workspace import PROJECT, Workspace

CONFIG = "dagster.yaml"


def prepare(workspace: Workspace, env: MutableMapping[str, str] = os.environ) -> Path:
    """Set DAGSTER_HOME where it is unset, link `dagster.yaml` there, return the folder.

    A DAGSTER_HOME that somebody set is left as it is. Imports no Dagster.
    """
    workspace.home.make()
    workspace.export(env)
    env.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
    given = env.get("DAGSTER_HOME")
    if given and Path(given) != workspace.home.dagster:
        return Path(given)
    folder = workspace.home.dagster
    env["DAGSTER_HOME"] = str(folder)
    _link(PROJECT / CONFIG, folder / CONFIG)
    return folder


def _link(source: Path, target: Path) -> None:
    if not source.is_file() or (target.exists() and not target.is_symlink()):
        return  # an own file of this home holds
    if target.is_symlink() and target.resolve() == source:
        return
    own = target.with_name(f".{CONFIG}.{os.getpid()}")
    try:
        own.symlink_to(source)
    except OSError:  # a file system without links
        shutil.copyfile(source, own)
    own.replace(target)
