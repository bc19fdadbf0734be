"""What holds of people's decisions about pairs: the newest, also through chains."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest

from warehouse import ruled
from warehouse.decisions import Decision, Decisions
from warehouse.errors import DecisionError
from warehouse.identity import golden_id
from warehouse.matching.rulings import Rulings
from warehouse.ruled import Record

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def row(key: str) -> Record:
    return Record("crm", "customers", key)


def own(key: str) -> UUID:
    return golden_id("party", *row(key))


def pair(a: str, b: str) -> tuple[UUID, UUID]:
    low, high = sorted((own(a), own(b)))
    return low, high


def log(*said: str) -> list[Decision]:
    """Return decisions written as `+ab` (merge) and `-ab` (unmerge), in their order."""
    return [
        Decision(
            sequence=n, kind="merge" if text[0] == "+" else "unmerge", who="me", why="x", at="",
            about={"entity": "party", "rows": [list(row(key)) for key in text[1:]]},
        )
        for n, text in enumerate(said, 1)
    ]  # fmt: skip


def held(*said: str) -> tuple[set[tuple[UUID, UUID]], set[tuple[UUID, UUID]]]:
    found = ruled.rulings(log(*said)).get("party", Rulings())
    assert list(found.same) == sorted(set(found.same))
    assert list(found.apart) == sorted(set(found.apart))
    return set(found.same), set(found.apart)


@pytest.mark.parametrize(
    ("said", "same", "apart"),
    [
        pytest.param([], [], [], id="nothing decided"),
        pytest.param(["+ab"], ["ab"], [], id="merge"),
        pytest.param(["+ab", "-ba"], [], ["ab"], id="the newest of a pair, either way round"),
        pytest.param(["-ab", "+ab", "+ba"], ["ab"], [], id="said twice"),
        pytest.param(["+abc"], ["ab", "bc"], [], id="a merge of three is a chain"),
        pytest.param(["-abc"], [], ["ab", "ac"], id="unmerge takes the first out"),
        pytest.param(["+ab", "+bc", "-ac"], ["bc"], ["ac"], id="the older link of a chain gives"),
        pytest.param(["-ac", "+ab", "+bc"], ["ab", "bc"], [], id="a chain of newer merges wins"),
        pytest.param(["-ab", "+bc", "+ac"], ["ac", "bc"], [], id="nobody may be both"),
        pytest.param(["+ab", "-ab", "+bc"], ["bc"], ["ab"], id="a part keeps its foes"),
        pytest.param(["-ad", "+ab", "+cd", "+bc"], ["ab", "bc", "cd"], [], id="parts keep foes"),
    ],
)
def test_the_newest_holds(said: list[str], same: list[str], apart: list[str]) -> None:
    assert held(*said) == ({pair(*p) for p in same}, {pair(*p) for p in apart})


def joined(same: set[tuple[UUID, UUID]], a: UUID, b: UUID) -> bool:
    reached, more = {a}, True
    while more:
        new = {y for p in same for x, y in (p, p[::-1]) if x in reached} - reached
        reached, more = reached | new, bool(new)
    return b in reached


@pytest.mark.parametrize("seed", range(5))
def test_what_holds_never_contradicts_itself_and_the_last_word_holds(seed: int) -> None:
    chance = random.Random(seed)
    said: list[str] = []
    for _ in range(40):
        said.append(chance.choice("+-") + "".join(chance.sample("abcdef", chance.choice([2, 3]))))
        same, apart = held(*said)
        assert not [p for p in apart if joined(same, *p)]
        keys = said[-1][1:]
        if said[-1][0] == "+":
            assert all(joined(same, own(a), own(b)) for a, b in pairwise(keys))
        else:
            assert all(pair(keys[0], b) in apart for b in keys[1:])


def test_entities_and_other_kinds_do_not_mix() -> None:
    product = Decision(
        sequence=2, kind="merge", who="me", why="", at="",
        about={"entity": "product", "rows": [list(row("a")), list(row("b"))]},
    )  # fmt: skip
    other = Decision(sequence=3, kind="discard", who="me", why="", at="", about={"records": []})
    found = ruled.rulings([*log("-ab"), product, other])
    assert found["party"].apart == (pair("a", "b"),)
    assert found["party"].same == ()
    assert len(found["product"].same) == 1


def test_a_decision_is_one_file_and_tells_what_it_goes_against(tmp_path: Path) -> None:
    decisions = Decisions(tmp_path)

    def opposed(kind: ruled.Kind, keys: str) -> list[int]:
        return [d.sequence for d in ruled.opposed(decisions, "party", kind, [*map(row, keys)])]

    ruled.decide(decisions, "merge", [row("a"), row("b"), row("c")], why="one shop", at=NOON)
    assert [d.about["rows"] for d in decisions.all("merge")] == [
        [["crm", "customers", "a"], ["crm", "customers", "b"], ["crm", "customers", "c"]]
    ]
    assert ruled.read(decisions) == (1, ruled.rulings(log("+abc")))
    assert opposed("merge", "ab") == []
    assert opposed("unmerge", "ac") == [1]
    ruled.decide(decisions, "unmerge", [row("a"), row("b")], why="two", at=NOON)
    assert opposed("unmerge", "ba") == []
    assert opposed("merge", "ac") == [1], "b stays with c or apart from a: the newer holds"
    assert opposed("merge", "ab") == [2]
    for rows in ([], [row("a")], [row("a"), row("a")]):
        with pytest.raises(DecisionError):
            ruled.decide(decisions, "merge", rows, why="x", at=NOON)
    assert decisions.newest() == 2
