"""The judge of the comparison finds every kind of damage; dlt is judged where it is there."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.peers import reliability
from tests.peers.cases import CASES, TOKEN, Shop
from tests.peers.judge import Held, judge
from tests.peers.page import markdown
from tests.peers.reliability import DLT, PEERS, Tool, play

CLEAN = {"lost": 0, "duplicated": 0, "ghost": 0, "wrong": 0, "sum": 0, "held": 0, "rows": 2}


def _wanted() -> dict[str, dict[str, Any]]:
    return {
        key: {
            "name": f"#{key}",
            "total_price": Decimal("0.1"),
            "line_items": [{"id": f"{key}-0", "price": Decimal("10.05")}],
        }
        for key in ("1", "2")
    }


def _held() -> Held:
    orders = [("1", "#1", "0.1000"), ("2", "#2", "0.1000")]
    return Held(orders, [("1", "1-0", "10.0500"), ("2", "2-0", "10.05")], set(), "0.2000")


def test_a_faithful_copy_has_nothing_wrong() -> None:
    assert judge(_wanted(), _held()) == CLEAN


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda h: h.orders.append(("2", "#2", "0.1")), {"duplicated": 1}),
        (lambda h: h.lines.append(("2", "2-0", "10.05")), {"duplicated": 1}),
        (lambda h: h.lines.pop(), {"wrong": 1}),
        (lambda h: h.lines.append(("3", "3-0", "1")), {"ghost": 1}),
        (lambda h: h.lines.__setitem__(0, ("1", "1-0", "10.050000001")), {"wrong": 1}),
        (lambda h: h.orders.__setitem__(0, ("1", "#1", "0.30000000000000004")), {"wrong": 1}),
        (lambda h: h.orders.__setitem__(0, ("1", "old", "0.1")), {"wrong": 1}),
        (lambda h: setattr(h, "total", "0.2000000001"), {"sum": 1}),
        (lambda h: h.orders.append(("666", "#666", "0")), {"ghost": 1}),
    ],
    ids=["twice", "line twice", "line gone", "line of nobody", "price", "total", "stale", "sum",
         "ghost"],
)  # fmt: skip
def test_each_damage_is_counted(damage: Any, found: dict[str, int]) -> None:
    held = _held()
    damage(held)
    assert judge(_wanted(), held) == CLEAN | found


def test_a_record_held_back_is_not_lost_and_one_that_is_nowhere_is() -> None:
    held = _held()
    held.orders.pop()
    held.lines.pop()
    held.total = "0.1"
    assert judge(_wanted(), held) == CLEAN | {"lost": 1}
    held.quarantined.add("2")
    assert judge(_wanted(), held) == CLEAN | {"held": 1}
    assert judge(_wanted(), Held())["lost"] == 2


def test_the_page_shows_each_cell_and_says_what_was_left_out() -> None:
    counts = CLEAN | {"leaked": 0, "strangers": 0, "said": [], "lost": 3}
    text = markdown(
        {
            "tools": ["isthmus"],
            "skipped": "dlt is left out",
            "dlt": "",
            "lookback_seconds": 600,
            "kills": 1,
            "seconds": 1.0,
            "results": [
                {"case": "ties", "tool": "isthmus"} | counts | {"sum": 1},
                {"case": "exact money", "tool": "isthmus"} | counts | {"sum": 1},
            ],
        }
    )
    assert "| ties | 3 lost; 2 records |" in text
    assert "| exact money | 3 lost, sum of totals wrong; 2 records |" in text
    assert "dlt is left out." in text


ASK_AND_HANG = """\
import sys, threading, urllib.request
urllib.request.urlopen(urllib.request.Request(sys.argv[1] + "/orders?limit=1", headers={
    "Authorization": "Bearer " + sys.argv[2]})).read()
threading.Event().wait()
"""


class Hanging(Tool):
    """A tool that asks once and hangs; its later runs do nothing."""

    def start(self, url: str, folder: Path, paging: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.python, "-c", self.module, url, TOKEN], stderr=subprocess.PIPE, text=True
        )

    def run(self, url: str, folder: Path, paging: str) -> str:
        return ""


@pytest.mark.parametrize(("module", "fired"), [(ASK_AND_HANG, 1), ("", 0)], ids=["asks", "ends"])
def test_a_kill_falls_after_the_first_request(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: str, fired: int
) -> None:
    shops: list[Shop] = []
    monkeypatch.setattr(reliability, "kill_story", shops.append)
    tool = Hanging("hanging", sys.executable, module, (), lambda _: Held())
    trial = reliability._trial(tool, tmp_path, 0.0)
    assert trial["first"]["fired"] == fired
    assert shops[0].app.requests == fired


@pytest.mark.slow
@pytest.mark.skipif(not PEERS.exists(), reason="needs dlt: `make peers` makes .venv-peers")
def test_dlt_is_played_and_judged() -> None:
    found = play(DLT, "exact money")
    assert found["said"] == []
    assert found["rows"] == 36
    assert found["lost"] == found["duplicated"] == found["ghost"] == 0
    assert set(CASES) >= {"exact money", "foreign next link"}
