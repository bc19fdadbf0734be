"""Runs the families one after another, each in a folder of its own."""

from __future__ import annotations

import importlib
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

SUPPORT = str(Path(__file__).resolve().parents[1] / "support")
if SUPPORT not in sys.path:
    sys.path.insert(0, SUPPORT)

from tests.attacks.attempt import Attempt, Family, Task, said  # noqa: E402

MODULES = (
    "a01_addresses", "a02_links", "a03_secrets", "a03_every_connector", "a04_names",
    "a05_queries", "a06_json", "a07_archives", "a08_xml", "a09_formulas", "a11_texts", "a12_sql",
    "a13_settings", "a16_quarantine",
)  # fmt: skip


def run(
    wanted: Sequence[str] = (),
    *,
    quick: bool = False,
    told: Callable[[Attempt], None] | None = None,
) -> list[Family]:
    """Run the families named (all if none) and return what they found.

    A family that ends by an exception counts as one success of the attacker: a judge that fell
    over acquits nobody.
    """
    found = []
    for name in MODULES:
        if not wanted or f"A{int(name[1:3])}" in wanted:
            with tempfile.TemporaryDirectory(prefix="attacks-") as folder:
                found.append(run_one(name, Path(folder), quick=quick, told=told))
    return found


def titles() -> dict[str, str]:
    """Return what each family tries, by its id."""
    modules = [importlib.import_module(f"tests.attacks.{name}") for name in MODULES]
    return {module.ID: module.TITLE for module in modules}


def run_one(
    name: str, folder: Path, *, quick: bool = False, told: Callable[[Attempt], None] | None = None
) -> Family:
    """Run the family of one module below `folder`."""
    module = importlib.import_module(f"tests.attacks.{name}")
    family = Family(module.ID, module.TITLE)
    begun = time.perf_counter()
    try:
        for attempt in module.attempts(Task(folder, quick)):
            family.attempts.append(attempt)
            if told is not None:
                told(attempt)
    except Exception as error:
        family.attempts.append(Attempt(module.ID, "the family itself", "succeeded", said(error)))
    family.seconds = round(time.perf_counter() - begun, 1)
    return family
