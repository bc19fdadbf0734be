"""F7: tokens that expire in mid-run, and what becomes of a refresh."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx

from connectors.base import ReadRequest
from tests.faults import shop
from tests.faults.case import Case, Result, Size, settle
from tests.faults.network_answers import answer
from tests.faults.network_play import Ask, Player, Trouble, failed_well, went_well
from tests.faults.network_tries import calls, change, is_resumable, status
from tests.faults.shop import STYLES, Style
from tests.faults.world import IN_PROCESS, World, world

TOKENS = "oauth/token"
BEARER = 'auth: {bearer: "env:SHOP_TOKEN"}'
OAUTH = (
    f'auth: {{oauth2: {{token_url: "{IN_PROCESS}/oauth/token", client_id: app, '
    'client_secret: "env:SHOP_TOKEN"}}'
)


def with_oauth2(made: World) -> None:
    """Let the connection get its tokens from the shop."""
    path = made.folder / "defs" / "shop" / "defs.yaml"
    path.write_text(path.read_text("utf-8").replace(BEARER, OAUTH), encoding="utf-8")
    made.space.control.close()
    made.space = made.discover()


def always_the_same(made: World) -> Trouble:
    """Return the token endpoint that gives the spent token again."""

    def play(request: httpx.Request, _ask: Ask) -> httpx.Response:
        made.shop.token = "issued-for-ever"
        body = json.dumps({"access_token": made.shop.token, "expires_in": 3600}).encode()
        return answer("same", body).play(request, _ask)

    return Trouble("same token", play)


def expiry(style: Style, folder: Path) -> Result:
    """Expire, refuse and renew at every request of a read."""
    result = Result()
    with world(folder, style=style, owed=True) as made:
        with_oauth2(made)
        player = Player(made)
        wanted = calls(style)
        for life in range(1, wanted + 1):
            made.shop.token_requests, made.shop.tokens_issued = life, 0
            outcome = player.sync(full=life > 1)
            said = f"tokens that live for {life} requests"
            went_well(result, said, outcome)
            issued, needed = made.shop.tokens_issued, math.ceil(wanted / life)
            result.expect(issued == needed, f"{said}: {issued} tokens for {wanted} requests")
            result.expect(outcome.read == 35, f"{said}: {outcome.read} records read")
            result.fired += issued - 1
        made.shop.token_requests = None
        change(made)
        for number in range(1, wanted + 1):
            player.order(status(401), number)
            made.shop.tokens_issued = 0
            went_well(result, f"refused once at request {number}", player.sync())
            player.clear()
            issued = made.shop.tokens_issued
            result.expect(issued == 2, f"refused once at request {number}: {issued} tokens")
            change(made)
        for number in range(1, wanted + 1):
            _refused_for_good(result, player, number)
            went_well(result, "after refusals", player.sync())
            change(made)
        went_well(result, "the other stream", player.sync("customers"))
        result.fired += player.fired
        return settle(made, result)


def _refused_for_good(result: Result, player: Player, number: int) -> None:
    """Refuse the token at one request: a new one too, the same one, none at all."""
    made = player.made
    plays: list[tuple[str, Trouble | None, str, str, int]] = [
        ("a new token is refused, too", None, "AuthError", "credentials were refused", 2),
        ("the same token comes", always_the_same(made), "AuthError", "credentials were refused", 1),
        ("the client is unknown", answer("400", b'{"error":"invalid_client"}', status=400),
         "AuthError", "invalid_client", 1),
        ("the endpoint rests", status(503), "Unavailable", "HTTP 503", 1),
    ]  # fmt: skip
    for turn, (said, tokens, kind, words, tries) in enumerate(plays):
        # What came before the first refusal is kept: the others meet the request after it.
        at = (min(number, 2) if turn == 0 else 1) if is_resumable(made.style) else number
        said = f"{said} at request {number}"
        player.order(status(401), at, times=math.inf)
        if tokens is not None:
            due = tokens if "same" in said else _second(tokens)  # the first ask is the run's own
            player.order(due, stream=TOKENS, times=math.inf)
        outcome = player.sync()
        failed_well(result, said, outcome, [kind], words)
        sent = player.tried(at)
        result.expect(sent == tries, f"{said}: sent {sent} times, not {tries}")
        result.expect(len(player.tries) <= 20, f"{said}: {len(player.tries)} requests")
        player.clear()


def _second(trouble: Trouble) -> Trouble:
    """Let the first one pass."""
    passed: list[bool] = []

    def play(request: httpx.Request, ask: Ask) -> httpx.Response:
        if passed:
            return trouble.play(request, ask)
        passed.append(True)
        return ask()

    return Trouble(trouble.name, play)


def at_once(style: Style, folder: Path) -> Result:
    """Refuse the token of two threads of one connection at the same moment: one refresh."""
    result = Result()
    with world(folder, style=style, owed=True) as made:
        with_oauth2(made)
        both = threading.Barrier(2, timeout=10)

        def play(request: httpx.Request, ask: Ask) -> httpx.Response:
            both.wait()
            return status(401).play(request, ask)

        player = Player(made)
        for stream in ("orders", "customers"):
            player.order(Trouble("401 at once", play), 1, stream=stream)
        connection = made.space.connection("shop")
        one = connection.connector(now=made.clock.now, pause=made.clock.pause, transport=player)
        one.asker("orders")  # type: ignore[attr-defined]  # both threads share its client
        came: dict[str, int] = {}

        def read(stream: str) -> None:
            came[stream] = sum(len(page.keys) for page in one.read(ReadRequest(stream)))

        threads = [threading.Thread(target=read, args=(name,)) for name in ("orders", "customers")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        one.close()
        result.fired = player.fired
        result.expect(came == {"orders": 35, "customers": 7}, f"two threads read {came}")
        asked = made.shop.tokens_issued
        result.expect(asked == 2, f"{asked} tokens for a first one and one refresh")
        return settle(made, result)


def bearer(style: Style, folder: Path) -> Result:
    """Refuse a token of the settings at each request: one try, a person is asked."""
    result = Result()
    with world(folder, style=style, owed=True) as made:
        player = Player(made)
        went_well(result, "first load", player.sync())
        change(made)
        for number in range(1, calls(style) + 1):
            at = min(number, 2) if is_resumable(style) else number
            player.order(status(401), at, times=math.inf)
            said = f"refused at request {number}"
            failed_well(result, said, player.sync(), ["AuthError"], "renew them", "auth")
            result.expect(player.tried(at) == 1, f"{said}: sent {player.tried(at)} times")
            player.clear()
        result.fired = player.fired
        return settle(made, result)


def cases(size: Size) -> list[Case]:
    """Return the cases of F7."""
    if size == "quick":
        return [Case("F7", "F7-at-once-cursor", partial(at_once, "cursor"), 2)]
    found = []
    rows: list[tuple[str, Callable[[Style, Path], Result], Callable[[Style], int]]] = [
        ("F7", expiry, lambda style: 6 * calls(style)),
        ("F7-bearer", bearer, calls),
        ("F7-at-once", at_once, lambda style: 2),
    ]
    for name, play, wanted in rows:
        for style in STYLES if play is not at_once else shop.STYLES[:3]:
            found.append(Case("F7", f"{name}-{style}", partial(play, style), wanted(style)))
    return found
