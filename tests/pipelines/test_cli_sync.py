"""`sync` on the command line: which streams are meant, what is said, exit codes."""

import json
import sys
import types
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from pipelines.cli import main
from pipelines.cli.codes import CliError
from pipelines.cli.session import split
from pipelines.cli.sync import _remarks as remarks
from pipelines.outcome import ErrorText, PublishOutcome, StreamOutcome
from pipelines.stretches import Days
from pipelines.workspace import Workspace

CONNECTION = """\
type: pipelines.Connection
attributes:
  system: files
  config:
    folder: inbox
    streams:
      stock: {{pattern: "*.csv", key: sku}}
      {other}: {{pattern: "*.xlsx", key: sku}}
"""


@dataclass
class Runs:
    """Stands in for the Dagster way: what was asked for, and the outcomes to answer."""

    asked: list[tuple] = field(default_factory=list)
    days: list[Days | None] = field(default_factory=list)
    outcomes: dict[str, StreamOutcome] = field(default_factory=dict)
    published: PublishOutcome = field(default_factory=lambda: PublishOutcome(published=True))

    def run_sync(self, space, name, streams=(), **options):
        self.asked.append((name, list(streams), options["full"], options["trust_source"]))
        self.days.append(options["days"])
        found = self.outcomes.get(name) or StreamOutcome(name, "stock", read=3)
        return types.SimpleNamespace(streams=[found])

    def run_publish(self, space):
        self.asked.append(("publish",))
        return self.published


@pytest.fixture
def runs(tmp_path: Path, monkeypatch) -> Runs:
    for name, other in (("office", "bank"), ("shop", "prices")):
        folder = tmp_path / "defs" / name
        folder.mkdir(parents=True)
        (folder / "defs.yaml").write_text(CONNECTION.format(other=other))
    (tmp_path / "mappings").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    found = Runs()
    monkeypatch.setitem(sys.modules, "pipelines.runs", found)
    return found


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("shop", {"shop": []}),
        ("shop stock", {"shop": ["stock"]}),
        ("shop stock prices", {"shop": ["stock", "prices"]}),
        ("shop stock stock", {"shop": ["stock"]}),
        ("shop office", {"shop": [], "office": []}),
        ("shop prices office bank", {"shop": ["prices"], "office": ["bank"]}),
        ("shop/prices office/bank", {"shop": ["prices"], "office": ["bank"]}),
        ("shop/prices stock", {"shop": ["prices", "stock"]}),
    ],
)
def test_words_are_connections_and_their_streams(runs, words, wanted) -> None:
    assert split(Workspace.discover(), words.split()) == wanted


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("shpo", "Did you mean shop?"),
        ("shop pricess", "Did you mean prices?"),
        ("shop/bank", "Known: prices, stock."),
        ("shop zzzz", "Known: prices, stock."),
        ("shop offic", "Did you mean office?"),
    ],
)
def test_a_word_that_is_neither_is_told_with_the_one_meant(runs, words, told) -> None:
    with pytest.raises(CliError, match=r"There is no|has no stream") as caught:
        split(Workspace.discover(), words.split())
    assert told in str(caught.value)
    assert main(["sync", *words.split()]) == 2
    assert runs.asked == []


def test_each_connection_is_run_and_published_once(runs) -> None:
    assert main(["sync", "shop", "prices", "office", "--full", "--trust-source"]) == 0
    assert runs.asked == [
        ("shop", ["prices"], True, True), ("office", [], True, True), ("publish",),
    ]  # fmt: skip


@pytest.mark.parametrize("words", [[], ["--all", "shop"]], ids=["none", "both"])
def test_what_is_meant_must_be_said(runs, words) -> None:
    assert main(["sync", *words]) == 2
    assert runs.asked == []


def test_a_broken_connection_leaves_the_others_running(runs, capsys) -> None:
    Path("defs/office/defs.yaml").write_text("type: pipelines.Connection\nattributes: {x: 1}\n")
    assert main(["sync", "--all"]) == 2
    assert runs.asked == [("shop", [], False, False), ("publish",)]
    assert "office/defs.yaml:2: attributes.x" in capsys.readouterr().err
    assert main(["sync", "office"]) == 2
    assert "office/defs.yaml:2: attributes.x" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("outcome", "published", "code", "told"),
    [
        ({}, {}, 0, ""),
        ({"inserted": 90, "quarantined": 3}, {}, 0, "3 in quarantine"),
        ({"inserted": 90, "quarantined": 30}, {}, 1, "the limit is 5.0%"),
        ({"status": "partial"}, {}, 3, "the next run goes on"),
        ({"status": "failed", "error": ErrorText("AuthError", "refused.", "renew.")}, {}, 1,
         "refused. Do: renew."),
        ({"held": 70}, {}, 0, "70 deletions are held"),
        ({"refused": 2}, {}, 0, "2 older versions were refused"),
        ({"warnings": {"odd": 4}}, {}, 0, "odd (4 times)"),
        ({}, {"status": "failed", "error": ErrorText("DiskFull", "full.", "free.")}, 1, "full."),
    ],
    ids=["ok", "quarantine", "limit", "partial", "failed", "held", "refused", "warning", "publish"],
)  # fmt: skip
def test_the_exit_code_and_stderr_say_how_it_went(
    runs, capsys, outcome, published, code, told
) -> None:
    runs.outcomes["shop"] = StreamOutcome("shop", "stock", **outcome)
    runs.published = PublishOutcome(**published)
    assert main(["sync", "shop"]) == code
    out = capsys.readouterr()
    assert told in out.err
    assert "shop/stock" in out.out


@pytest.mark.parametrize(
    ("streams", "told"),
    [
        (("a",), "x/a: Nothing came. (2 times)"),
        (("a", "b", "c", "d"), "x/a, x/b, x/c, x/d: Nothing came. (8 times)"),
        (("a", "b", "c", "d", "e"), "x/a, x/b, x/c, 2 more: Nothing came. (10 times)"),
    ],
)
def test_a_warning_of_several_streams_is_said_once(capsys, monkeypatch, streams, told) -> None:
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    outcomes = [StreamOutcome("x", name, warnings={"Nothing came.": 2}) for name in streams]
    remarks([*outcomes, StreamOutcome("x", "z", warnings={"Another.": 1})], None)
    assert capsys.readouterr().err.splitlines() == [told, "x/z: Another. (1 times)"]


def test_json_is_the_whole_outcome_and_nothing_else_on_stdout(runs, capsys) -> None:
    runs.outcomes["shop"] = StreamOutcome("shop", "stock", inserted=50, quarantined=1)
    assert main(["sync", "shop", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["streams"][0]["inserted"] == 50
    assert found["publish"]["published"] is True


def test_progress_is_not_drawn_where_stderr_is_no_terminal(runs, capsys) -> None:
    main(["sync", "shop"])
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize("how", ["KeyboardInterrupt", "DagsterExecutionInterruptedError"])
def test_ctrl_c_is_no_failure_and_says_that_it_goes_on(runs, capsys, monkeypatch, how) -> None:
    kind = KeyboardInterrupt if how == "KeyboardInterrupt" else type(how, (BaseException,), {})

    def stop(*_, **__):
        raise kind

    monkeypatch.setattr(runs, "run_sync", stop, raising=False)
    assert main(["sync", "shop"]) == 3
    assert "goes on where it stopped" in capsys.readouterr().err


def test_a_bar_a_stream_is_drawn_on_a_terminal(runs, capsys, monkeypatch) -> None:
    from pipelines.listen import Progress

    def run_sync(space, name, streams, **options):
        for phase, read in (("read", 10), ("read", 20), ("load", 20), ("done", 20)):
            options["progress"](Progress(name, "stock", phase, read, 2, total=20))
        return types.SimpleNamespace(streams=[StreamOutcome(name, "stock", read=20)])

    monkeypatch.setattr(runs, "run_sync", run_sync, raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert main(["sync", "shop"]) == 0
    told = capsys.readouterr()
    assert "shop/stock" in told.err
    assert "20/20" in told.err
    assert "20/20" not in told.out


def test_days_are_read_again(runs: Runs) -> None:
    assert main(["sync", "office", "stock", "--since", "2026-03-01"]) == 0
    assert main(["sync", "office", "--since", "2026-03-01", "--until", "2026-03-03"]) == 0
    assert runs.days == [
        Days(date(2026, 3, 1)), Days(date(2026, 3, 1), date(2026, 3, 3)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "words", [["--until", "2026-03-01"], ["--since", "2026-03-01", "--full"], ["--since", "soon"]]
)
def test_days_that_say_nothing_are_refused(runs: Runs, words: list[str]) -> None:
    assert main(["sync", "office", *words]) == 2
    assert runs.asked == []
