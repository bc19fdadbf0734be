"""What a rule is, and the facts that many of them name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """What must hold of a pair's facts (`pairs.weigh`), as SQL; `evidence` is published.

    `auto` joins the pair, else a person is asked. Equal scores mean equally strong: where two such
    pairs contradict each other, neither joins (`cut.py`).
    """

    name: str
    when: str
    score: float
    evidence: str
    auto: bool = True


# A full number or a mailbox is in both rows.
PHONE = "phone_person is not null"
EMAIL = "email_person is not null"
