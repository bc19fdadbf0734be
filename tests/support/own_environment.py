"""Environments of their own for packages that tests run and the product must not depend on."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def own_python(
    config: pytest.Config, factory: pytest.TempPathFactory, package: str, version: str
) -> str:
    """Return the interpreter of an environment that holds one package, made below pytest's cache.

    Skips the test where it cannot be installed, saying why.
    """
    cache = getattr(config, "cache", None)
    root: Path = cache.mkdir(package) if cache else factory.mktemp(package)
    home = root / version
    found = home / "bin" / "python"
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes side by side install it once
        install(home, f"{package} {version}", f"{package}=={version}")
    return str(found)


def install(home: Path, what: str, *wanted: str) -> None:
    """Make an environment in `home` that holds what uv is told by `wanted`; once, see the caller.

    Skips the test where it cannot be made, saying why.
    """
    if (home / "done").exists():
        return
    shutil.rmtree(home, ignore_errors=True)
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if uv is None:
        pytest.skip(f"uv, which makes the environment of {what}, is not installed")
    python = str(home / "bin" / "python")
    for command in (
        [uv, "venv", "-q", "--python", sys.executable, str(home)],
        [uv, "pip", "install", "-q", "--python", python, *wanted],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            pytest.skip(f"{what} cannot be installed here: {reason}")
    (home / "done").touch()
