"""`isthmus check` says once what several subjects have in common."""

from __future__ import annotations

from connectors.base import Finding
from pipelines.cli import checking


def test_what_is_the_same_of_several_subjects_is_said_once() -> None:
    found = [
        Finding("orders", True, "can be read: 1 records."),
        Finding("users", None, "no record comes.", "give the right."),
        Finding("stock", False, "refused.", "mend it."),
        Finding("leads", None, "no record comes.", "give the right."),
        Finding("leads", None, "no record comes.", "ask."),
        Finding("units", False, "refused.", "mend it."),
    ]
    assert [(one.subject, one.ok, one.what) for one in checking.grouped(found)] == [
        ("orders", True, "can be read: 1 records."), ("users, leads", None, "no record comes."),
        ("stock", False, "refused."), ("leads", None, "no record comes."),
        ("units", False, "refused."),
    ]  # fmt: skip
