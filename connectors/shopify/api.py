"""Calls to one shop: queries over the one HTTP client, and what an opening call tells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors import site
from connectors.auth import Auth, HeaderAuth, Kept, KeptToken, Token, Turn, digest
from connectors.base import Context
from connectors.body import Body, Path
from connectors.errors import AuthError, ContractBroken
from connectors.http import HttpClient, Request
from connectors.redact import Redactor
from connectors.shopify import queries
from connectors.shopify.answers import MESSAGES, RULES
from connectors.shopify.settings import ShopifySettings
from connectors.values import resolve

HEADER = "X-Shopify-Access-Token"
OLD_ORDERS = "read_all_orders"
_GID = re.compile(r"gid://shopify/[A-Za-z]+/([0-9]{1,19})(\?[A-Za-z0-9_=&-]+)?")


class Api:
    """One shop at one version of the Admin API."""

    def __init__(self, settings: ShopifySettings, context: Context, redactor: Redactor) -> None:
        self.settings = settings
        self._context = context
        self._redactor = redactor
        self._secret = site.secret_reader(context, redactor)
        self.client = site.make_client(
            settings, context, redactor, self._auth(), rules=RULES, messages=MESSAGES
        )
        self._files: HttpClient | None = None
        self._plain: HttpClient | None = None
        self._scopes: frozenset[str] | None = None
        self.version = ""

    def close(self) -> None:
        """Close the connections."""
        for client in (self.client, self._files, self._plain):
            if client is not None:
                client.close()

    # --- asking --------------------------------------------------------------------------------
    def ask(self, text: str, variables: Mapping[str, Any], at: Path) -> Body | None:
        """Return the answer to a query; None where it costs more than one query may.

        `at` is what must stand in the answer. Raises ContractBroken where it does not.
        """
        path = f"admin/api/{self.settings.version}/graphql.json"
        sent = {"query": text, "variables": dict(variables)}
        answer = self.client.send(Request(path, method="POST", json=sent))
        self.version = answer.headers.get("x-shopify-api-version", self.version)
        if answer.outcome == "skip":
            return None
        body = answer.body
        if body is None or body.look(("data", *at)) is None:
            raise ContractBroken(
                f"The answer has no {'.'.join(map(str, ('data', *at)))}.", "ask the vendor.",
                place=answer.place, request_id=answer.request_id,
            )  # fmt: skip
        return body

    def want(self, text: str, variables: Mapping[str, Any], at: Path) -> Body:
        """Return the answer to a query of fixed cost."""
        body = self.ask(text, variables, at)
        if body is None:
            raise ContractBroken(
                "The query costs more than the shop's plan allows for one.", "ask the vendor.",
                place=str(self.client.base.origin),
            )  # fmt: skip
        return body

    @property
    def date(self) -> datetime | None:
        """The shop's clock as its last answer has it."""
        date = self.client.last_date
        return None if date is None else date.astimezone(UTC)

    @property
    def shop(self) -> str:
        """The shop, by its host."""
        return self.client.base.origin.host

    def scopes(self) -> frozenset[str]:
        """Return what the token may do, by the vendor's names; a right to write is one to read."""
        if self._scopes is None:
            at = ("currentAppInstallation", "accessScopes")
            level = self.want(queries.OPENING, {}, at).level(("data", *at))
            listed = level if isinstance(level, list) else []
            found = {Body(bytes(raw)).text(("handle",)) or "" for raw in listed}
            found |= {f"read_{name[6:]}" for name in found if name.startswith("write_")}
            self._scopes = frozenset(found)
        return self._scopes

    def files(self) -> HttpClient:
        """Return the client that fetches results of bulk operations: another origin, no token."""
        if self._files is None:
            elsewhere = self.settings.model_copy(
                update={"base_url": self.settings.download_url, "rate": None}
            )
            self._files = site.make_client(elsewhere, self._context, self._redactor)
        return self._files

    def hide(self, link: str) -> None:
        """Keep a signed link out of every text: who has it has the records."""
        self._redactor.add(link.partition("?")[2])

    # --- who asks ------------------------------------------------------------------------------
    def _auth(self) -> Auth:
        token, pair = self.settings.token, (self.settings.client_id, self.settings.client_secret)
        if token is not None:
            return HeaderAuth(lambda: {HEADER: resolve(token, self._secret)})
        name, secret = pair[0] or "", resolve(pair[1] or "", self._secret)
        return KeptToken(
            lambda kept, turn: self._fetch(name, secret, turn),
            self._context.now,
            store=self._context.tokens,
            name="app",
            fits=digest(self.settings.base_url, name, secret),
            place=_place,
            learn=self._redactor.add,
        )

    def _fetch(self, name: str, secret: str, turn: Turn) -> Token:
        """Exchange the app's credentials for a token that lives a day."""
        if self._plain is None:
            self._plain = site.make_client(self.settings, self._context, self._redactor)
        form = {"grant_type": "client_credentials", "client_id": name, "client_secret": secret}
        answer = self._plain.send(Request("admin/oauth/access_token", method="POST", form=form))
        said = answer.body.text(("access_token",)) if answer.body else None
        life = answer.body.text(("expires_in",)) if answer.body else None
        if not said:
            raise AuthError(
                "The shop gave no token for the client id and secret.",
                "check both, and that the app is installed in the shop.", place=answer.place,
            )  # fmt: skip
        seconds = float(life) if life and life.isdigit() else 3600.0
        return Token(said, seconds)


def _place(token: Kept, headers: Any, params: Any) -> None:
    headers[HEADER] = token.value


def number_of(key: str | None) -> int | None:
    """Return the number inside an id (`gid://shopify/Order/6123`); None for what is none."""
    found = _GID.fullmatch(key or "")
    return int(found[1]) if found else None
