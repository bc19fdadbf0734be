"""Tokens are kept across runs, renewed once by all of them, encrypted, and outlive a kill."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from still_clock import StillClock
from token_server import SEED, TokenServer, serving

from connectors.auth import KeptToken
from connectors.base import ReadRequest
from connectors.errors import AuthError, Unavailable
from connectors.tokens import Kept, Token
from pipelines.control import Control
from pipelines.shelves import ControlShelf
from pipelines.tokens import LEASE, ControlTokens
from pipelines.workspace import PROJECT, Workspace

DEFS = """\
type: pipelines.Connection
attributes:
  system: rest
  config:
    base_url: {url}
    allow_private: true
    attempts: 1
    auth:
      oauth2: {{token_url: "{url}/token", client_id: app, client_secret: "env:SECRET"{refresh}}}
    streams:
      orders: {{path: /orders, key: id}}
"""
REFRESH = ', refresh_token: "env:REFRESH"'
KEY = "k" * 32


class Shop:
    """A workspace with the one connection `shop`."""

    def __init__(self, root: Path, server: TokenServer, refresh: bool) -> None:
        self.root = root
        (root / "defs" / "shop").mkdir(parents=True)
        (root / "mappings").mkdir()
        text = DEFS.format(url=server.url, refresh=REFRESH if refresh else "")
        (root / "defs" / "shop" / "defs.yaml").write_text(text)
        self.env = {
            "ISTHMUS_DEFS": str(root / "defs"),
            "ISTHMUS_HOME": str(root / "var"),
            "ISTHMUS_KEY": KEY,
            "SECRET": "s3cret-of-the-app",
            "REFRESH": SEED,
        }
        self.clock = StillClock()

    def read(self) -> list[str | None]:
        """Read the list once, as a run does."""
        space = Workspace.discover(dict(self.env))
        connector = space.connection("shop").connector(now=self.clock.now, pause=self.clock.pause)
        try:
            return [k for page in connector.read(ReadRequest("orders")) for k in page.keys]
        finally:
            connector.close()
            space.control.close()

    def start(self, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.support.token_reader"],
            cwd=PROJECT, env={**os.environ, **self.env, **env}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def bytes_left(self) -> bytes:
        return b"".join(p.read_bytes() for p in self.root.rglob("*") if p.is_file())


@pytest.fixture
def server():
    with serving(TokenServer()) as one:
        yield one


@pytest.mark.parametrize("refresh", [False, True])
def test_a_token_is_kept_across_runs_and_renewed_when_it_expires(tmp_path, server, refresh):
    shop = Shop(tmp_path, server, refresh)
    for _ in range(3):
        assert shop.read() == ["o1"]
    assert len(server.grants) == 1
    for turn in range(2, 5):  # each run spends the refresh token that the one before was given
        shop.clock.pause(3600)
        assert shop.read() == ["o1"]
        assert server.grants == ["refresh_token" if refresh else "client_credentials"] * turn
    assert not server.revoked
    assert server.refused == 0


def test_another_client_secret_keeps_the_refresh_token(tmp_path, server):
    """The one of the settings was spent: without the kept one nobody could sign in any more."""
    shop = Shop(tmp_path, server, True)
    shop.read()
    shop.env["SECRET"] = "r0tated-secret-of-the-app"
    assert shop.read() == ["o1"]
    assert server.grants == ["refresh_token"] * 2
    assert not server.revoked


def test_a_token_revoked_early_is_renewed_and_the_request_repeated(tmp_path, server):
    shop = Shop(tmp_path, server, True)
    shop.read()
    server.access = "revoked by the system"
    assert shop.read() == ["o1"]
    assert (len(server.grants), server.refused) == (2, 1)


def test_a_damaged_control_database_is_told(tmp_path):
    control = Control(f"sqlite:///{tmp_path / 'control.db'}")
    shop = ControlTokens(lambda: control, lambda: b"k" * 32, "shop", StillClock().now)
    shelf = ControlShelf(lambda: control, "shop")
    with shop.alone("token"):
        shop.put("token", Kept("a", 1.0))
    shelf.change(lambda text: ("{}", None))
    control.engine.dispose()  # its schema was looked at while the file was whole
    file = tmp_path / "control.db"
    data = bytearray(file.read_bytes())
    data[4096:] = b"\x55" * (len(data) - 4096)
    file.write_bytes(data)
    with pytest.raises(Unavailable, match="control database"):
        shop.get("token")
    with pytest.raises(Unavailable, match="control database"), shop.alone("token"):
        pass
    with pytest.raises(Unavailable, match="control database"):
        shelf.read()
    with pytest.raises(Unavailable, match="control database"):
        shelf.change(lambda text: ("{}", None))
    control.close()


def test_processes_at_once_renew_once(tmp_path, server):
    shop = Shop(tmp_path, server, True)
    server.hold = 2.0
    running = [shop.start() for _ in range(2)]
    for one in running:
        assert one.stdout.readline() == "ready\n"
    for one in running:
        one.stdin.write("go\n")
        one.stdin.flush()
    assert [one.communicate(timeout=60)[0] for one in running] == ["['o1']\n"] * 2
    assert len(server.grants) == 1
    assert not server.revoked


def killed_before_it_kept(shop: Shop) -> None:
    one = shop.start(ISTHMUS_CRASH_AT="token.answered")
    one.communicate("go\n", timeout=60)
    assert one.returncode == -9


def test_a_kill_before_the_answer_is_kept_costs_a_request_where_the_system_gives_another(
    tmp_path, server
):
    shop = Shop(tmp_path, server, False)
    killed_before_it_kept(shop)
    assert shop.read() == ["o1"]
    assert len(server.grants) == 2


def test_a_kill_before_the_answer_is_kept_is_told_where_the_system_revokes(tmp_path, server):
    """The answer died with the process: nobody has the new refresh token, so a person is asked."""
    shop = Shop(tmp_path, server, True)
    killed_before_it_kept(shop)
    with pytest.raises(AuthError, match="cut off before its answer was kept") as caught:
        shop.read()
    assert "new refresh token" in caught.value.do
    server.revoked, server.refresh = False, "canary-refresh-issued-by-hand"
    shop.env["REFRESH"] = "canary-refresh-issued-by-hand"
    assert shop.read() == ["o1"]
    shop.clock.pause(3600)
    assert shop.read() == ["o1"]


def test_a_kill_is_survived_where_the_system_takes_the_refresh_token_again(tmp_path, server):
    server.lenient = True
    shop = Shop(tmp_path, server, True)
    killed_before_it_kept(shop)
    assert shop.read() == ["o1"]


def test_other_settings_do_not_use_the_token(tmp_path, server):
    shop = Shop(tmp_path, server, False)
    shop.read()
    shop.env["SECRET"] = "another-secret-of-the-app"
    assert shop.read() == ["o1"]
    assert len(server.grants) == 2


def test_no_token_stands_in_clear_in_files_or_errors(tmp_path, server):
    shop = Shop(tmp_path, server, True)
    shop.read()
    server.revoked, server.access = True, "gone"
    with pytest.raises(AuthError) as caught:
        shop.read()
    said = f"{caught.value} {caught.value!r} {caught.value.args}"
    assert "canary" not in said
    left = shop.bytes_left()
    assert b"tokens" in left  # the database is among what is searched
    assert b"canary" not in left
    assert b"s3cret" not in left


# --- the store by itself ---------------------------------------------------------------------
@pytest.fixture
def control(control_url):
    made = Control(control_url)
    yield made
    made.close()


def store(control: Control, clock: StillClock, name: str = "shop", key: str = KEY) -> ControlTokens:
    return ControlTokens(lambda: control, key.encode, name, clock.now, clock.pause)


def test_what_was_put_is_got_by_the_same_key_and_connection_alone(control):
    clock = StillClock()
    one, kept = store(control, clock), Kept("a", 12.5, "r", {"tenant": "t"}, "f")
    assert not one.put("t", kept)  # outside a turn
    with one.alone("t") as turn:
        assert one.put("t", kept)
        assert not turn.cut
    assert one.get("t") == kept
    assert store(control, clock, key="x" * 32).get("t") is None
    assert one.get("other") is None
    with control.engine.begin() as con:
        con.exec_driver_sql("update tokens set connection = 'bank'")
    assert store(control, clock, "bank").get("t") is None


def test_a_held_turn_is_waited_for_and_ends_in_time(control):
    clock = StillClock()
    one, other = store(control, clock), store(control, clock)
    begun = clock.now()
    with one.alone("t"):
        with control.engine.begin() as con:  # of another machine: nobody sees whether it lives
            con.exec_driver_sql(
                "update tokens set owner = replace(owner, 'host\": \"', 'host\": \"x')"
            )
        with other.alone("t") as turn:
            assert turn.cut
            assert timedelta(0) < clock.now() - begun <= timedelta(seconds=LEASE + 1)
            assert not one.put("t", Kept("late", 0.0))  # it was taken over
            assert other.put("t", Kept("good", 0.0))
    assert one.get("t").value == "good"


def test_a_turn_of_a_living_process_is_not_taken(control, monkeypatch):
    monkeypatch.setattr("pipelines.tokens.LEASE", 5.0)
    clock = StillClock()
    one, other = store(control, clock), store(control, clock)
    clock.pause = lambda seconds: None
    other._pause = lambda seconds: None
    with one.alone("t"), pytest.raises(Unavailable), other.alone("t"):
        pass


def test_an_error_within_a_turn_frees_it(control):
    one = store(control, StillClock())
    with pytest.raises(ZeroDivisionError), one.alone("t"):
        raise ZeroDivisionError
    with one.alone("t") as turn:
        assert not turn.cut


@pytest.mark.parametrize("life", [float("inf"), float("nan"), -1.0])
def test_a_life_that_is_no_number_of_seconds_does_not_lose_the_refresh_token(control, life):
    clock = StillClock()
    one = store(control, clock)
    auth = KeptToken(lambda kept, turn: Token("a", life, "r"), clock.now, store=one)
    auth.apply({}, {})
    assert one.get("token").refresh == "r"
