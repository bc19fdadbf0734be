"""The class that a connector's test subclasses: every case of the suite as a test of pytest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from connectors.testing.bench import Bench, Unsupported
from connectors.testing.case import CASES, Failed, mistakes
from connectors.testing.play import Play


class ConformanceSuite:
    """Subclass it, name it `Test…`, and give it a bench.

    `title` is what the table calls it, where one connector has several suites. `not_applicable`
    are cases that do not apply, each with the reason, which the table of docs/connectors.md
    prints. They are played all the same: one that passes must not be declared.
    """

    bench: ClassVar[type[Bench]]
    title: ClassVar[str] = ""
    not_applicable: ClassVar[Mapping[str, str]] = {}

    @pytest.mark.parametrize("name", [*CASES])
    def test_case(self, name: str, tmp_path: Path) -> None:
        """Play one case."""
        reason = self.not_applicable.get(name)
        try:
            play_case(self.bench, name, tmp_path)
        except Unsupported as lack:
            if reason is None:
                pytest.fail(
                    f"{name} was not played: {lack}. Give it in the bench, or say in "
                    "not_applicable why the case does not apply.", pytrace=False,
                )  # fmt: skip
        except Exception:
            if reason is None:
                raise
        else:
            if reason is not None:
                pytest.fail(f"{name} passes: take it out of not_applicable.", pytrace=False)
        if reason is not None:
            pytest.skip(f"does not apply: {reason}")

    def test_what_is_declared(self) -> None:
        """Hold the names and reasons of `not_applicable` against the cases."""
        found = mistakes(self.not_applicable)
        if found:
            raise Failed("; ".join(found))


def play_case(bench: type[Bench], name: str, folder: Path) -> None:
    """Play a case on a fresh bench; raises Failed, Unsupported, or what the connector raised."""
    made = bench(folder)
    try:
        CASES[name].run(Play(made))
    finally:
        made.close()
