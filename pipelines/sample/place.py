"""Where the sample company lives: its definitions, its home, its office folder."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path

from pipelines.sample.servers import hand_out
from pipelines.workspace import Workspace

OWN = Path(__file__).resolve().parent.parent / "defs"


def sample_workspace(
    given: Workspace, env: MutableMapping[str, str] = os.environ
) -> tuple[Workspace, Path]:
    """Return the workspace of the sample company and its office folder.

    It is `given` where that holds the project's own definitions; else a home of its own inside
    `given`'s, so that the sample never mixes with a company's data. What the definitions refer to
    (tokens, office folder) is set in `env`.
    """
    space = given
    if given.defs.resolve() != OWN:
        env["ISTHMUS_DEFS"] = str(OWN)
        env["ISTHMUS_HOME"] = str(given.home.root / "demo")
        env.pop("ISTHMUS_MAPPINGS", None)
        env.pop("ISTHMUS_CONTROL_URL", None)
        env.pop("DAGSTER_HOME", None)
        space = Workspace.discover(env)
    space.home.make()  # with its modes, before anything else makes a folder in it
    office = space.home.root / "sample" / "office"
    hand_out(env, office)
    return space, office
