"""The calls that are made of the tenant: which objects and fields there are, and queries.

Names of members are mixed on purpose: `search_query_info` and `field_name` are snake, `fieldName`
and `fieldProjection` are camel, as the vendor has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from connectors.auth import KeptToken
from connectors.base import Context
from connectors.errors import ConfigError, ContractBroken
from connectors.fxiaoke.catalogue import KEY, STAMP, Object
from connectors.fxiaoke.describe import Field, Fitted, fields_of, fit
from connectors.fxiaoke.faults import IS_ANSWER, MESSAGE, RULES, TRACE, explained, is_unknown
from connectors.fxiaoke.session import TOKEN_CALLS, SignIn, Traced
from connectors.fxiaoke.settings import FxiaokeSettings
from connectors.http import Answer, HttpClient, Request
from connectors.records import Cut, cut
from connectors.redact import Redactor
from connectors.site import make_client, secret_reader

_LIST = ("data", "dataList")


class _Listed(msgspec.Struct):
    describeApiName: str = ""
    isActive: bool = True


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition of a query; all of them hold. Values are texts, always in a list."""

    field: str
    operator: str
    values: Sequence[str]

    def wire(self) -> dict[str, Any]:
        """Return it as it is sent."""
        return {
            "field_name": self.field, "operator": self.operator, "field_values": list(self.values),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """A page: records cut out, the most that the system gives a page, its count where asked for."""

    cut: Cut
    limit: int
    total: int | None = None


class Api:
    """One tenant. Every error is a ConnectorError."""

    def __init__(self, settings: FxiaokeSettings, context: Context, redactor: Redactor) -> None:
        self._settings = settings
        self._context = context
        self._redactor = redactor
        self._fitted: dict[tuple[str, str], Fitted] = {}
        self._objects: dict[str, bool] | None = None
        self._door = self._make_client(Traced(), limited=True)
        self._sign_in = SignIn(settings, secret_reader(context, redactor), self._door)
        self._opened: HttpClient | None = None

    @property
    def date(self) -> datetime | None:
        """The server's clock as its last answer had it."""
        return (self._opened and self._opened.last_date) or self._door.last_date

    @property
    def rows(self) -> int:
        """Most records of one query, and most values of one filter."""
        return self._settings.rows

    def close(self) -> None:
        """Give the connections back."""
        self._door.close()
        if self._opened is not None:
            self._opened.close()

    # --- what is there -------------------------------------------------------------------------
    def fitted(self, one: Object, head: str = "") -> Fitted:
        """Return an object as this tenant has it; `head` where it is the lines of another."""
        if (one.api, head) not in self._fitted:
            settings = self._settings
            names, more = settings.names.get(one.api, {}), settings.more.get(one.api, ())
            known = self.fields(one.api) if settings.describe else None
            if known is None and not self._is_there(one.api):
                made = Fitted(one, (), {}, is_there=False)
            else:
                made = fit(one, names, more, known, head)
            self._fitted[one.api, head] = made
        return self._fitted[one.api, head]

    def fields(self, api: str) -> dict[str, Field] | None:
        """Ask which fields an object has; None where the tenant has no such object."""
        asked: dict[str, Any] = {"includeDetail": False}
        if self._settings.auth_style == "new":
            asked["data"] = {"apiName": api}
        else:  # as clients of the legacy convention write it
            asked["apiName"] = api
        answer = self._call("cgi/crm/v2/object/describe", asked)
        if answer.outcome == "skip":
            if is_unknown(answer):
                return None
            raise explained(answer, api)
        return fields_of(_body(answer))

    def _is_there(self, api: str) -> bool:
        """Say whether the tenant has an object, and uses it; where it lists none, it has all."""
        if self._objects is None:
            answer = self._call("cgi/crm/v2/object/list", {})
            if answer.outcome == "skip":
                raise explained(answer, "object/list")
            raw = _body(answer).look(("data", "objects"))
            try:
                found = msgspec.json.decode(raw or b"null", type=list[_Listed] | None)
            except msgspec.DecodeError as error:
                raise ContractBroken(
                    f"The list of objects cannot be read ({error}).", "ask the vendor."
                ) from None
            self._objects = {one.describeApiName: one.isActive for one in found or ()}
        return not self._objects or self._objects.get(api, False)

    # --- records -------------------------------------------------------------------------------
    def query(
        self,
        fitted: Fitted,
        filters: Sequence[Filter],
        *,
        key: str = KEY,
        only: Sequence[str] = (),
        limit: int = 0,
        counted: bool = False,
    ) -> Found:
        """Return at most `limit` records in the order of their ids, with the text at `key` of each.

        `only` are the fields that are wanted, else all that `fitted` asks for. `counted`: ask how
        many meet the filters, which costs the system more.
        """
        limit = limit or self.rows
        search: dict[str, Any] = {
            "limit": limit, "offset": 0, "filters": [one.wire() for one in filters],
            "orders": [{"fieldName": KEY, "isAsc": True}],
        }  # fmt: skip
        asked = tuple(only) or fitted.asked
        if asked is not None:
            search["fieldProjection"] = list(asked)
        data = {
            "dataObjectApiName": fitted.object.api, "find_explicit_total_num": counted,
            "search_query_info": search,
        }  # fmt: skip
        kind = "custom/v2" if fitted.object.is_custom else "v2"
        answer = self._call(f"cgi/crm/{kind}/data/query", {"data": data})
        if answer.outcome == "skip":
            raise explained(answer, fitted.object.api)
        body = _body(answer)
        made = cut(body, _LIST, [(key,)], (STAMP,))
        given, total = body.text(("data", "limit")) or "", body.text(("data", "total")) or ""
        most = min(limit, int(given)) if given.isdigit() and int(given) else limit
        return Found(made, most, int(total) if counted and total.isdigit() else None)

    # --- how -----------------------------------------------------------------------------------
    def prove_secrets(self) -> None:
        """Resolve what signs in; raises ConfigError for a secret that is not set."""
        self._client()

    def _call(self, path: str, body: Any) -> Answer:
        answer = self._client().send(Request(path, method="POST", json=body))
        if answer.outcome == "ok" and not (answer.body and IS_ANSWER.holds(answer.body)):
            raise ContractBroken(
                "The answer has no errorCode, which every answer of the system has.",
                "check base_url: does another program answer there?",
                place=answer.place, request_id=answer.request_id,
            )  # fmt: skip
        return answer

    def _client(self) -> HttpClient:
        if self._opened is None:
            context = self._context
            token: KeptToken = self._sign_in.kept(context.now, context.tokens, self._redactor.add)
            self._opened = self._make_client(token)
        return self._opened

    def _make_client(self, auth: Traced | KeptToken, *, limited: bool = False) -> HttpClient:
        return make_client(
            self._settings, self._context, self._redactor, auth, rules=RULES, messages=(MESSAGE,),
            request_id=TRACE, limits=(TOKEN_CALLS,) if limited else (),
        )  # fmt: skip


def _body(answer: Answer) -> Any:
    if answer.body is None:
        raise ContractBroken("The answer is empty.", "ask the vendor.", place=answer.place)
    return answer.body


def named(fitted: Fitted) -> ConfigError:
    """Return the error for lines whose link to their head is not known."""
    return ConfigError(
        f"{fitted.object.api} has no field that is known to name its head.",
        f"write names: {{{fitted.object.api}: {{{fitted.object.link or 'link'}: …}}}}, or link: of "
        "the custom stream.",
    )
