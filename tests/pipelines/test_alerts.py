"""What is told to whom: one message a cause, one when it is over, never twice, never too many."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import small_shop

from pipelines.alerts.causes import Cause, causes
from pipelines.alerts.ledger import RATE, Ledger
from pipelines.alerts.messages import Message
from pipelines.alerts.watch import Told, addresses_of, watch
from pipelines.cli import main
from pipelines.outcome import ErrorText, StreamOutcome
from pipelines.workspace import Workspace
from warehouse import public

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
KEY = "canary-robot-key"
FILE = """\
  timezone: UTC
  digest: never
  alerts:
    - {to: "env:ALERT_URL", language: en}
"""
REFUSED = ErrorText("AuthError", "张三 is locked out", "renew the secret.", "https://erp/login")
DOWN = ErrorText("Unavailable", "HTTP 503", "wait.", "https://erp/orders", retriable=True)


@dataclass
class World:
    space: Workspace
    now: datetime = NOON
    told: list[Message] = field(default_factory=list)
    down: bool = False

    def by(self, address: str, message: Message) -> str:
        assert address == f"json://127.0.0.1/{KEY}"
        if self.down:
            return "nobody listens"
        self.told.append(message)
        return ""

    def look(self) -> Told:
        return watch(self.space, now=lambda: self.now, by=self.by)

    def ran(
        self,
        stream: str,
        error: ErrorText | None = None,
        *,
        connection: str = "shop",
        **counts: Any,
    ) -> None:
        self.now += timedelta(minutes=1)
        outcome = StreamOutcome(connection, stream, **counts)
        self.space.control.record_run(
            {"run_id": "1", "connection": connection, "stream": stream, "mode": "changed",
             "status": "failed" if error else "ok", "started_at": self.now,
             "ended_at": self.now, "counts": outcome.counts(),
             "error": asdict(error) if error else None}
        )  # fmt: skip

    def titles(self) -> list[str]:
        self.look()
        found = [message.title.removeprefix("[Isthmus] ") for message in self.told]
        self.told.clear()
        return found


@pytest.fixture
def world(tmp_path: Path, control_url: str, monkeypatch: pytest.MonkeyPatch):
    if not control_url.startswith("sqlite"):
        monkeypatch.setenv("ISTHMUS_CONTROL_URL", control_url)
    made = World(found(tmp_path, FILE, control_url))
    yield made
    made.space.control.close()


def found(folder: Path, company: str, control_url: str = "sqlite") -> Workspace:
    small_shop.workspace(folder, "http://127.0.0.1:1", company=company)
    with (folder / ".env").open("a") as env:
        env.write(f"ALERT_URL=json://127.0.0.1/{KEY}\n")
    env = small_shop.environment(folder)
    if not control_url.startswith("sqlite"):
        env["ISTHMUS_CONTROL_URL"] = control_url
    return Workspace.discover(env)


def test_a_cause_is_told_once_and_its_end_once(world: World) -> None:
    for stream in ("orders", "customers"):
        world.ran(stream)
    assert world.titles() == []
    for _ in range(3):
        for stream in ("orders", "customers"):
            world.ran(stream, REFUSED)
            world.look()
    assert world.titles() == ["shop fails: AuthError"]
    world.ran("orders")
    assert world.titles() == []  # customers fail on
    world.ran("customers")
    assert world.titles() == ["over: shop fails: AuthError"]
    assert world.titles() == []
    world.ran("orders", REFUSED)
    assert world.titles() == ["shop fails: AuthError"]


def test_what_may_pass_by_itself_is_told_when_it_lasts(world: World) -> None:
    world.ran("orders", DOWN)
    assert world.titles() == []
    world.ran("orders")
    world.ran("orders", DOWN)
    assert world.titles() == []
    world.ran("orders", DOWN)
    assert world.titles() == ["shop fails: Unavailable"]


def test_a_quota_and_a_persons_wish_are_no_failure(world: World) -> None:
    world.ran("orders", ErrorText("Interrupted", "was stopped", "run it again", retriable=True))
    world.ran("orders", ErrorText("Throttled", "slow down", "wait", retriable=True))
    assert world.titles() == []


def test_lateness_is_told_though_nothing_runs(world: World) -> None:
    world.ran("orders")
    world.ran("customers")
    world.now += timedelta(minutes=29)
    assert world.titles() == []
    world.now += timedelta(minutes=3)  # twice the interval of a quarter of an hour
    assert world.titles() == ["shop is late: its promise of freshness is broken"]
    world.ran("orders")
    world.ran("customers")
    assert world.titles() == ["over: shop is late: its promise of freshness is broken"]


def test_a_stream_that_fails_is_not_late_besides(world: World) -> None:
    world.ran("orders")
    world.ran("orders", REFUSED)
    world.now += timedelta(days=1)
    assert [cause.name for cause in causes(world.space, world.now)] == ["failed"]


def test_quarantine_above_the_limit_and_a_broken_file(world: World) -> None:
    world.ran("orders", read=100, inserted=90, quarantined=10)
    assert world.titles() == ["shop/orders: 10 records in quarantine, above the limit"]
    path = world.space.defs / "shop" / "defs.yaml"
    good = path.read_text()
    path.write_text(good.replace("system: rest", "system: rset"))
    assert "shop: its file has a mistake, nothing of it is read" in world.titles()
    path.write_text(good)
    assert "over: shop: its file has a mistake, nothing of it is read" in world.titles()


@pytest.mark.parametrize(("severity", "count"), [("error", 0), ("warning", 1)])
def test_warnings_go_to_those_who_want_them(tmp_path: Path, severity: str, count: int) -> None:
    file = FILE.replace("language: en", f"language: en, severity: {severity}")
    world = World(found(tmp_path, file))
    world.ran("orders", held=60)
    titles = ["shop/orders: 60 deletions are held back"]
    assert world.titles() == titles[:count]
    world.ran("orders")
    assert world.titles() == [f"over: {title}" for title in titles][:count]
    world.space.control.close()


def test_a_failed_publish_is_told(world: World) -> None:
    error = ErrorText("DiskFull", "1 GB is free", "free space.")
    publish = {"run_id": "p", "status": "failed", "started_at": NOON, "ended_at": NOON,
               "changed": 0, "mark": "", "version": "", "error": asdict(error)}  # fmt: skip
    world.space.control.record_publish(publish)
    assert world.titles() == ["what is loaded is not published: DiskFull"]
    world.space.control.record_publish(publish | {"status": "ok", "error": None})
    assert world.titles() == ["over: what is loaded is not published: DiskFull"]


def test_what_nobody_took_is_sent_later_and_what_ended_before_is_not(world: World) -> None:
    world.down = True
    world.ran("orders", REFUSED)
    assert world.look().refused == ["env:ALERT_URL: nobody listens"]
    ((waiting,), world.down) = Ledger(world.space.control).waiting(), False
    assert waiting["error"] == "nobody listens"
    assert world.titles() == []  # the pause of the first try in vain
    world.now += timedelta(minutes=3)
    assert world.titles() == ["shop fails: AuthError"]
    assert Ledger(world.space.control).waiting() == []


def test_many_at_once_are_one_and_an_address_is_not_flooded(world: World) -> None:
    kinds = [f"Kind{n}" for n in range(RATE)]
    for kind in kinds[:4]:
        world.ran(kind.lower(), ErrorText(kind, "", ""), connection="shop")
    _with_streams(world, [kind.lower() for kind in kinds])
    assert world.titles() == ["4 messages"]
    for kind in kinds[4:]:
        world.ran(kind.lower(), ErrorText(kind, "", ""))
        world.look()
    for _ in range(2):
        for kind in kinds:
            world.ran(kind.lower())
        world.look()
        for kind in kinds:
            world.ran(kind.lower(), ErrorText(kind, "", ""))
        world.look()
    assert len(world.told) == RATE - 1
    world.told.clear()
    world.now += timedelta(hours=1)
    (late,) = world.titles()
    assert late.endswith("messages")


def _with_streams(world: World, names: list[str]) -> None:
    """Give the connection streams of these names."""
    path = world.space.defs / "shop" / "defs.yaml"
    text = path.read_text()
    streams = "".join(
        f"      {n}:\n        path: /x\n        records: data\n        key: id\n" for n in names
    )
    text = text.replace("    streams:\n", "    streams:\n" + streams)
    text = text.replace("[customers, orders]", f"[customers, orders, {', '.join(names)}]")
    path.write_text(text)


@pytest.mark.parametrize("privacy", ["masked", "clear"])
def test_the_words_of_a_system_leave_the_house_only_in_clear(tmp_path: Path, privacy: str) -> None:
    world = World(found(tmp_path, f"{FILE}  privacy: {privacy}\n"))
    world.ran("orders", REFUSED)
    world.look()
    (message,) = world.told
    assert ("张三" in message.body) is (privacy == "clear")
    assert "renew the secret." in message.body
    assert "isthmus status shop" in message.body
    world.space.control.close()
    with sqlite3.connect(world.space.home.control) as con:
        dump = "\n".join(con.iterdump())
    assert "alert_messages" in dump
    assert KEY not in dump


def test_the_digest_comes_once_a_day_and_says_what_stands(tmp_path: Path) -> None:
    world = World(found(tmp_path, FILE.replace("digest: never", "digest: '09:00'")))
    world.now = NOON.replace(hour=8)
    world.ran("orders")
    world.ran("customers")
    assert world.titles() == []
    world.now = NOON.replace(hour=9)
    world.ran("orders")
    world.ran("customers")
    assert world.titles() == ["2026-03-02: all is well"]
    assert world.titles() == []
    world.ran("orders", REFUSED)
    world.now += timedelta(days=1)
    world.ran("customers")
    world.look()
    alert, digest = world.told
    assert alert.title == "[Isthmus] shop fails: AuthError"
    assert digest.title == "[Isthmus] 2026-03-03: something stands"
    assert "Freshness kept: 1 of 2 promised (2 streams)" in digest.body
    assert "- shop fails: AuthError" in digest.body
    world.space.control.close()


def publish(space: Workspace, breaks: int, windows: int) -> None:
    """Write a published file with that many open breaks and windows that differ."""
    space.home.make()
    new = space.home.published / "new.duckdb"
    new.write_bytes(public.empty_file({}))
    with duckdb.connect(str(new)) as con:
        con.execute(
            "insert into recon.rules (rule, severity, english, is_on, applies, open_count) values "
            f"('oversell', 'error', 'More is offered than is there.', true, true, {breaks}), "
            "('quiet', 'error', 'x', false, true, 9), ('told', 'info', 'x', true, true, 9)"
        )
        con.execute(
            "insert into ops.completeness (connection, stream, status) "
            f"select 'shop', 'orders', 'missing' from range({windows}) union all "
            "select 'shop', 'customers', 'healed'"
        )
    new.replace(space.home.current)


def test_breaks_between_systems_and_what_is_not_proved(world: World) -> None:
    publish(world.space, 8, 2)
    world.look()
    first, second = world.told
    assert first.title == "[Isthmus] 8 breaks between systems: oversell"
    assert "More is offered than is there." in first.body
    assert second.title == "[Isthmus] shop: source and store differ in 2 windows"
    assert "Streams: orders" in second.body
    world.told.clear()
    publish(world.space, 12, 2)
    assert world.titles() == []
    publish(world.space, 0, 0)
    assert world.titles() == [
        "over: 12 breaks between systems: oversell",
        "over: shop: source and store differ in 2 windows",
    ]


def test_a_rule_that_could_not_run_is_told(world: World) -> None:
    publish(world.space, 0, 0)
    with duckdb.connect(str(world.space.home.current)) as con:
        con.execute("update recon.rules set failed = 'Conversion' where rule = 'oversell'")
    world.look()
    (one,) = world.told
    assert one.title == "[Isthmus] the rule oversell could not run: its breaks are as they were"
    assert "all else was published" in one.body
    publish(world.space, 0, 0)
    world.told.clear()
    assert len(world.titles()) == 1


def test_a_mart_that_could_not_be_made_is_told(world: World) -> None:
    publish(world.space, 0, 0)
    with duckdb.connect(str(world.space.home.current)) as con:
        con.execute("insert into ops.meta values ('mart_failed:order_service', 'OutOfRange')")
    world.look()
    (one,) = world.told
    assert one.title.startswith("[Isthmus] mart.order_service could not be made")
    assert "all else was published" in one.body
    publish(world.space, 0, 0)
    world.told.clear()
    assert len(world.titles()) == 1


def test_a_cause_that_gets_worse_is_told_to_those_who_had_not_heard(world: World) -> None:
    ledger = Ledger(world.space.control)
    told, waiting = addresses_of(world.space.company()), []
    for severity in ("warning", "warning", "error", "error"):
        cause = Cause("breaks", severity, "", "oversell", count=1)
        ledger.settle([cause], told, world.now)
        waiting.append(len(ledger.waiting()))
    assert waiting == [0, 0, 1, 1]


def test_whoever_names_nobody_is_told_nothing(tmp_path: Path) -> None:
    world = World(found(tmp_path, ""))
    world.ran("orders", REFUSED)
    assert world.look() == Told()
    world.space.control.close()


def test_a_secret_that_is_not_set_is_said(tmp_path: Path) -> None:
    small_shop.workspace(tmp_path, "http://127.0.0.1:1", company=FILE)
    world = World(Workspace.discover(small_shop.environment(tmp_path)))
    world.ran("orders", REFUSED)
    (why,) = world.look().refused
    assert "env:ALERT_URL is not set" in why
    world.space.control.close()


def test_the_command_line_lists_and_tests(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in small_shop.environment(world.space.defs.parent).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    assert main(["alerts", "list"]) == 0
    assert "Nothing stands." in capsys.readouterr().out
    world.ran("orders", REFUSED)
    world.down = True
    world.look()
    assert main(["alerts", "list"]) == 0
    said = capsys.readouterr()
    assert "shop fails: AuthError" in said.out
    assert "nobody listens" in said.err
    sent: list[str] = []
    monkeypatch.setattr("pipelines.alerts.watch.reach", lambda *a: sent.append(a[1].to) or "")
    assert main(["alerts", "test"]) == 0
    assert sent == ["env:ALERT_URL"]
    monkeypatch.setattr("pipelines.alerts.watch.reach", lambda *a: "no")
    assert main(["alerts", "test"]) == 1
