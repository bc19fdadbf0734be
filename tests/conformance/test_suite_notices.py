"""The suite judged: a connector broken on purpose must fail in the case that is about the defect.

The connector is the template of `isthmus new-connector`, as it stands and with one defect at a
time: the suite that its authors get must notice what they may get wrong. That it passes as it
stands is proved by tests/pipelines/test_new_connector.py.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import connectors.http
import connectors.keyset
import connectors.paging
import pipelines.cli
from connectors.address import join, parse
from connectors.errors import ConnectorError
from connectors.testing import CASES, Bench, ConformanceSuite, Unsupported
from connectors.testing.case import Failed, mistakes
from connectors.testing.suite import play_case
from connectors.verdict import Verdict
from tests.conformance.test_rest import LinkBench

TEMPLATE = Path(pipelines.cli.__file__).parent / "template"
KEYSET = Path(connectors.keyset.__file__)


@dataclass(frozen=True)
class Defect:
    """In one of the two sources `old` is replaced by `new`; `case` must notice."""

    case: str
    old: str
    new: str


DEFECTS = [
    # --- what is counted
    Defect("behind_the_bookmark", "return fetch(tide.since,",
           "import datetime as d; return fetch(tide.since and tide.since + d.timedelta(days=1),"),
    Defect("counted_honestly", "turn.records, turn.keys, bookmark,",
           "turn.records, turn.keys[is_sweep:], bookmark,"),
    # --- what was found, and where a read goes on
    Defect("late_commit", "tide = Tide(self.changes,",
           "tide = Tide(__import__('dataclasses').replace(self.changes, "
           "lookback=self.now - self.now),"),
    Defect("on_the_stamp", "return fetch(tide.since,",
           "import datetime as d; return fetch(tide.since and tide.since + "
           "d.timedelta(seconds=1),"),
    Defect("only_what_changed", "return fetch(tide.since,", "return fetch(None,"),
    Defect("nothing_new", "return fetch(tide.since,", "return fetch(None,"),
    Defect("resume_from_every_bookmark", 'self._resume.get("state")',
           'str(int(self._resume["state"]) + 1) if self._resume else None'),
    Defect("killed_again_and_again", '"state": step.state,', '"state": None,'),
    Defect("future_stamp", "            taken += len(turn.records)\n",
           "            taken += len(turn.records)\n"
           "            tide.greatest = max([tide.greatest or self.now, *map("
           "datetime.fromisoformat, filter(None, turn.stamps))])\n"),
    Defect("future_bookmark", "bookmark = write_bookmark(tide.stamp())",
           "bookmark = write_bookmark(self.now)"),
    Defect("clock_behind", "tide.see(turn.stamps)",
           "tide.see(turn.stamps); tide.greatest = self.now + 2 * (self.now - self.now.replace("
           "hour=0))"),
    Defect("ties_across_pages", "yield self._page(turn, step,",
           "yield self._page(__import__('dataclasses').replace(turn, records=list(dict(zip("
           "turn.stamps, turn.records)).values()), keys=list(dict(zip(turn.stamps, turn.keys))"
           ".values())), step,"),
    Defect("changes_while_paging", "bookmark = write_bookmark(tide.stamp())",
           "bookmark = write_bookmark(self.now + self.changes.lookback * 2)"),
    Defect("damaged_bookmark", "read_bookmark(self.request.bookmark, self.request.mode)",
           "(datetime.fromisoformat(self.request.bookmark['stamp']) if 'stamp' in "
           "(self.request.bookmark or {}) else None, {})"),
    # --- what is gone
    Defect("deletes_seen", "total is not None and self._count == total", "False"),
    Defect("only_what_changed", "total is not None and self._count == total", "step is None"),
    Defect("sweep_lists_keys", "bookmark: Mapping[str, Any] = self.request.bookmark or {}",
           "bookmark: Mapping[str, Any] = write_bookmark(self.now)"),
    Defect("repeatable", "complete=is_whole", "complete=is_whole or step is not None"),
    # --- pages
    Defect("keys_unique", "        page = cut(answer.body, LIST, KEY, STAMP)\n",
           "        page = cut(answer.body, LIST, KEY, STAMP)\n"
           "        page.records.extend(page.records); page.keys.extend(page.keys)\n"),
    Defect("keys_unique", 'KEY, STAMP = (("id",),)', 'KEY, STAMP = (("number",),)'),
    Defect("page_size_clamped", "            yield self._page(turn, step,",
           "            step = step if len(turn.records) == 5 else None\n"
           "            if turn.records and not step: yield self._page(turn, step, tide, None);"
           " return\n            yield self._page(turn, step,"),
    Defect("first_read_is_whole", "yield self._page(turn, step,",
           "yield self._page(__import__('dataclasses').replace(turn, records=turn.records[1:], "
           "keys=turn.keys[1:]), step,"),
    Defect("limit_kept", "left = len(turn.records) - (taken - limit)", "left = None"),
    Defect("empty_stream", "        return Turn(\n",
           "        page.records[0]\n        return Turn(\n"),
    Defect("repeated_page", "from connectors.paging import Paging, Step, Turn, walk",
           "from connectors.paging import Paging, Step, Turn\ndef walk(paging, fetch, state):\n"
           "    step, received = paging.first(state), 0\n    while step:\n"
           "        turn = fetch(step, received, 1); received = turn.received\n"
           "        step = paging.after(turn); yield turn, step"),
    # --- what goes wrong on the way
    Defect("token_expires", 'Rule("refresh", (200,)', 'Rule("fatal", (200,)'),
    Defect("throttled_in_body", 'Rule("throttled", (200,)', 'Rule("fatal", (200,)'),
    Defect("error_in_body", "params, ok=OK, ", "params, "),
    Defect("html_page", "        answer = self._client().send(",
           "        try: self._client().send(Request('orders', params))\n"
           "        except ContractBroken: return Turn(None, {}, [], [], received, number, '')\n"
           "        answer = self._client().send("),
    Defect("other_shapes", "        answer = self._client().send(",
           "        said = self._client().send(Request('orders', params))\n"
           "        try: cut(said.body, LIST, KEY, STAMP)\n"
           "        except ContractBroken: return Turn(None, {}, [], [], received, number, '')\n"
           "        answer = self._client().send("),
    Defect("forbidden", "RULES = (", "RULES = (Rule('empty', (403,)),"),
    Defect("journal_equals_landed", 'self._resume.get("state")',
           'str(int(self._resume["state"]) + 1) if self._resume else None'),
    Defect("every_stream_reads", "answer.body, LIST, KEY", "answer.body, ('list',), KEY"),
    # --- settings
    Defect("clock_skew_told", "yield clock_finding(", "clock_finding("),
    Defect("settings_documented", ', description="Records of one page"', ""),
    Defect("settings_validated", "app_secret: Secret", "app_secret: str"),
    Defect("credentials_refused", "Finding(name, False, error.what, error.do)",
           'Finding(name, None, error.what, error.do)'),
    Defect("secrets_hidden", "        body = {\"app_key\"",
           "        __import__('logging').getLogger('acme').info('log-in with %s', proof)\n"
           "        body = {\"app_key\""),
    Defect("streams_declared", "        stream_of(self.streams(), request.stream)\n", ""),
    Defect("check_passes", "Finding(name, True,", "Finding(name, False,"),
]  # fmt: skip


def bench_of(defect: Defect | None) -> type[Bench]:
    """Return the template's bench over its connector, with a defect."""
    sources = {
        "keyset": KEYSET.read_text("utf-8"),
        "connector": (TEMPLATE / "isthmus_acme/connector.py.tmpl").read_text("utf-8"),
        "simulator": (TEMPLATE / "isthmus_acme/simulator.py.tmpl").read_text("utf-8"),
        "bench": (TEMPLATE / "tests/test_conformance.py.tmpl").read_text("utf-8"),
    }
    if defect is not None:
        touched = [name for name, text in sources.items() if defect.old in text]
        assert len(touched) == 1, f"the defect fits {touched}"
        sources[touched[0]] = sources[touched[0]].replace(defect.old, defect.new, 1)
        assert defect.old != defect.new
    found = {name: _module(name, text) for name, text in sources.items()}
    return found["bench"].OrdersBench


def _module(name: str, text: str) -> Any:
    module = types.ModuleType(f"acme_{name}")
    sys.modules[module.__name__] = module  # dataclasses and pydantic look their module up
    text = text.replace("from connectors.keyset", "from acme_keyset")
    text = text.replace(
        "from isthmus_acme import connector, simulator",
        "import acme_connector as connector, acme_simulator as simulator",
    )
    exec(compile(text, f"{name}.py", "exec"), module.__dict__)
    return module


@pytest.fixture(autouse=True)
def _no_modules_left() -> Iterator[None]:
    yield
    for name in [name for name in sys.modules if name.startswith("acme_")]:
        del sys.modules[name]


@pytest.mark.parametrize("defect", DEFECTS, ids=[f"{n}-{d.case}" for n, d in enumerate(DEFECTS)])
def test_a_defect_fails_its_case(defect: Defect, tmp_path: Path):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - what the broken one raises, too
        play_case(bench_of(defect), defect.case, tmp_path)
    assert not isinstance(caught.value, SyntaxError | NameError | Unsupported), caught.value


KIT_CASES = {
    "redirected", "foreign_next_link", "throttled_by_header", "throttled_for_a_day",
    "truncated_body", "fails_for_a_moment",
}  # fmt: skip


def test_a_kit_that_follows_redirects_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = connectors.http.httpx.Client
    monkeypatch.setattr(
        connectors.http.httpx, "Client", lambda **how: made(**how | {"follow_redirects": True})
    )
    with pytest.raises(Failed, match="another host"):
        play_case(bench_of(None), "redirected", tmp_path)


def test_a_kit_that_follows_foreign_links_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for module in (connectors.paging, connectors.http):
        monkeypatch.setattr(module, "join", lambda base, link, origin: join(
            base, link, origin if link.startswith("/") else parse(link).origin))  # fmt: skip
    with pytest.raises(Failed, match="not Refused"):
        play_case(LinkBench, "foreign_next_link", tmp_path)


def test_a_kit_that_ignores_retry_after_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Verdict, "_retry_after", lambda self, answer: None)
    with pytest.raises(Failed, match="Retry-After was not waited for"):
        play_case(bench_of(None), "throttled_by_header", tmp_path)


def test_a_kit_that_does_not_count_bytes_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(connectors.http.Decoder, "sent", 10**9)
    with pytest.raises(Failed, match="not Unavailable"):
        play_case(bench_of(None), "truncated_body", tmp_path)


@pytest.mark.parametrize(
    ("case", "settings"),
    [("fails_for_a_moment", {"attempts": 1}), ("throttled_for_a_day", {"patience": "30d"})],
)
def test_settings_that_make_a_kit_helpless_are_noticed(
    case: str, settings: dict[str, Any], tmp_path: Path
):
    base = bench_of(None)

    class Helpless(base):
        def settings(self) -> dict[str, Any]:
            return super().settings() | settings

    with pytest.raises((Failed, ConnectorError)):
        play_case(Helpless, case, tmp_path)


def test_every_case_has_a_defect_that_it_notices():
    assert {defect.case for defect in DEFECTS} | KIT_CASES == set(CASES)


def suite(**declared: str) -> ConformanceSuite:
    class Suite(ConformanceSuite):
        bench = bench_of(None)
        not_applicable = declared

    return Suite()


def test_a_case_that_passes_must_not_be_declared(tmp_path: Path):
    with pytest.raises(pytest.fail.Exception, match="html_page passes: take it out"):
        suite(html_page="there is no web page here").test_case("html_page", tmp_path)


def test_a_case_that_cannot_be_played_must_be_declared(tmp_path: Path):
    with pytest.raises(pytest.fail.Exception, match=r"with_link\(\) is not given"):
        suite().test_case("foreign_next_link", tmp_path)
    with pytest.raises(pytest.skip.Exception, match="does not apply: no answer holds a link"):
        suite(foreign_next_link="no answer holds a link").test_case(
            "foreign_next_link", tmp_path / "again"
        )


def test_a_name_that_is_no_case_and_a_reason_that_says_nothing_are_mistakes():
    assert mistakes({"htm_page": "there is no web page", "html_page": "n/a"}) == [
        "there is no case 'htm_page'; did you mean html_page?",
        "html_page: say in a sentence why it does not apply, not 'n/a'",
    ]
    with pytest.raises(Failed, match="did you mean html_page"):
        suite(htm_page="there is no web page").test_what_is_declared()
