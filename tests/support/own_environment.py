"""Environments of their own for packages that tests run and the product must not depend on."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def own_python(
    config: pytest.Config, factory: pytest.TempPathFactory, package: str, version: str
) -> str:
    """Return the interpreter of an environment that holds one package, made below pytest's cache.

    Skips the test where it cannot be installed, saying why.
    """
    return _made(config, factory, package, version, f"{package} {version}", f"{package}=={version}")


def locked_python(
    config: pytest.Config, factory: pytest.TempPathFactory, folder: str, what: str, *flags: str
) -> str:
    """Return the same of an environment that holds what the lock file in `folder` beside us says.

    `what` is what it is called where it cannot be installed; `flags` are further ones for uv.
    """
    lock = Path(__file__).parent / folder / "requirements.lock"
    version = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    return _made(
        config, factory, folder, version, what, *flags, "--require-hashes", "-r", str(lock)
    )


def run_script(python: str, script: str, *given: Any) -> Any:
    """Return what a script prints, which is handed `given`, both as JSON."""
    done = subprocess.run(
        [python, "-c", script], input=json.dumps(given), capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _made(
    config: pytest.Config, factory: pytest.TempPathFactory, folder: str, version: str, what: str,
    *wanted: str,
) -> str:  # fmt: skip
    cache = getattr(config, "cache", None)
    root: Path = cache.mkdir(folder) if cache else factory.mktemp(folder)
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes side by side install it once
        install(root / version, what, *wanted)
    return str(root / version / "bin" / "python")


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
