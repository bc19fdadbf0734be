"""Runs the three tools in the audit's own environment and reads their JSON."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.audit.answers import Finding

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("connectors", "mappings", "pipelines", "warehouse")
LOCKS = (
    "requirements.lock", "tests/audit/requirements.lock", "tests/peers/requirements.lock",
    "tests/support/alipay/requirements.lock", "tests/support/alipay_public/requirements.lock",
    "tests/support/fxiaoke/requirements.lock", "tests/support/kingdee/requirements.lock",
    "tests/support/kuaidi100/requirements.lock", "tests/support/tryton/requirements.lock",
)  # fmt: skip
HASHES = r"requirements(\.peers)?\.lock$"
PROBE = "pip==21.0\n"
"""A release with known vulnerabilities: a service that finds none in it does not answer."""


def _run(*words: str, cwd: Path = ROOT, seconds: int = 600) -> subprocess.CompletedProcess[str]:
    program = str(Path(sys.executable).with_name(words[0]))
    return subprocess.run(
        [program, *words[1:]], cwd=cwd, capture_output=True, text=True, timeout=seconds, check=False
    )


def bandit(root: Path = ROOT) -> list[Finding]:
    """Return bandit's findings in the four rooms below `root`."""
    rooms = [room for room in ROOMS if (root / room).is_dir()]
    done = _run("bandit", "-q", "-f", "json", "-r", *rooms, cwd=root)
    told = json.loads(done.stdout)
    if told["errors"]:
        raise RuntimeError(f"bandit could not read {told['errors']}")
    return [
        Finding("bandit", r["test_id"], r["filename"].removeprefix("./"),
                f"line {r['line_number']}: {r['issue_text']}")
        for r in told["results"]
    ]  # fmt: skip


def secrets_in(folder: Path) -> dict[str, set[tuple[str, str, int]]]:
    """Return (rule, file, line) by hash of what looks like a secret below `folder`."""
    done = _run("detect-secrets", "scan", "--all-files", "--no-verify",
                "--exclude-files", HASHES, cwd=folder)  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-500:])
    found: dict[str, set[tuple[str, str, int]]] = {}
    for file, hits in json.loads(done.stdout)["results"].items():
        for hit in hits:
            said = (hit["type"], file.removeprefix("./"), hit["line_number"])
            found.setdefault(hit["hashed_secret"], set()).add(said)
    return found


def secrets(root: Path = ROOT) -> list[Finding]:
    """Return what looks like a secret in the last commit's tree, and in lines of older ones."""
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name, "tree")
        tree.mkdir()
        packed = subprocess.run(
            ["git", "archive", "HEAD"], cwd=root, capture_output=True, check=True
        ).stdout
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(tree, filter="data")
        now = secrets_in(tree)
        old = Path(name, "history")
        for file, lines in _added(root).items():
            place = old / file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text("\n".join(lines), encoding="utf-8", errors="replace")
        before = {k: v for k, v in secrets_in(old).items() if k not in now}
    found = [
        Finding("detect-secrets", rule, file, f"line {line}")
        for hits in now.values() for rule, file, line in sorted(hits)
    ]  # fmt: skip
    return found + [
        Finding("detect-secrets", rule, f"history: {file}", "in an older commit")
        for hits in before.values() for rule, file, _ in sorted(hits)
    ]  # fmt: skip


def _added(root: Path) -> dict[str, list[str]]:
    """Return every line that any commit added, by file."""
    text = subprocess.run(
        ["git", "log", "--all", "-p", "--unified=0", "--no-color", "--no-ext-diff", "--format="],
        cwd=root, capture_output=True, check=True,
    ).stdout.decode("utf-8", "replace")  # fmt: skip
    found: dict[str, list[str]] = {}
    file = ""
    for line in text.splitlines():
        if line.startswith("+++ "):
            file = line[6:] if line.startswith("+++ b/") else ""
        elif line.startswith("+") and file and not re.search(HASHES, file):
            found.setdefault(file, []).append(line[1:])
    return found


def vulnerabilities(root: Path = ROOT) -> tuple[list[Finding], list[str]]:
    """Return known vulnerabilities of the locks, and what was tried where no service answers."""
    tried: list[str] = []
    for service in ("pypi", "osv"):
        why = _unanswered(service)
        if why:
            tried.append(f"{service}: {why}")
            continue
        found: list[Finding] = []
        for lock in LOCKS:
            if (root / lock).is_file():
                told = _audited(root / lock, service)
                found += list(_read(lock, told))
        return found, []
    return [], tried


def _unanswered(service: str) -> str:
    """Ask the service about one release that is known to be bad; return why it is no judge."""
    with tempfile.TemporaryDirectory() as name:
        probe = Path(name, "probe.txt")
        probe.write_text(PROBE)
        try:
            told = _audited(probe, service, seconds=90)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            return " ".join(str(error).split())[-160:]
    (one,) = told["dependencies"]
    if one.get("skip_reason"):
        return str(one["skip_reason"])
    return "" if one.get("vulns") else f"it knows no vulnerability of {PROBE.strip()}"


def _audited(lock: Path, service: str, *, seconds: int = 900) -> Any:
    more = ["--require-hashes"] if "--hash" in lock.read_text() else ["--no-deps"]
    done = _run("pip-audit", "-r", str(lock), "--disable-pip", *more, "-s", service, "-f", "json",
                "--progress-spinner", "off", "--timeout", "20", seconds=seconds)  # fmt: skip
    try:
        return json.loads(done.stdout)
    except ValueError:
        lines = done.stderr.strip().splitlines() or ["no answer"]
        raise RuntimeError(lines[-1]) from None


def _read(lock: str, told: Any) -> Iterator[Finding]:
    for one in told["dependencies"]:
        if one.get("skip_reason"):
            yield Finding("pip-audit", "not audited", f"{lock}: {one['name']}", one["skip_reason"])
        for hit in one.get("vulns", ()):
            fixed = ", ".join(hit["fix_versions"]) or "no release yet"
            place = f"{lock}: {one['name']}"
            yield Finding("pip-audit", hit["id"], place, f"{one['version']}; mended in {fixed}")
