"""The calls that are made of a Tryton server, alike over JSON-RPC and REST."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from connectors.auth import bearer
from connectors.base import Context, ReadRequest
from connectors.errors import AuthError, ConfigError, ConnectorError, ContractBroken
from connectors.http import Answer, HttpClient, Request
from connectors.outcome import Rule
from connectors.redact import Redactor
from connectors.site import make_client, secret_reader
from connectors.tryton.catalogue import Source
from connectors.tryton.faults import RULES, explained, refused, wrong_key, wrong_login
from connectors.tryton.session import Session
from connectors.tryton.settings import TrytonSettings
from connectors.tryton.wire import plain
from connectors.values import resolve

_KEPT = ("company", "companies", "company_filter", "employee", "employees", "language")
_BY_ID = [["id", "ASC"]]
_REFUSED = Rule("skip", (400,))


class Api:
    """One server and database, with the context of its user. Every error is a ConnectorError.

    `context` names the company whose records are read: without it the server hides most of them.
    """

    def __init__(self, settings: TrytonSettings, context: Context, redactor: Redactor) -> None:
        self._settings = settings
        self._redactor = redactor
        self._database = quote(settings.database, safe="")
        self._secret = secret_reader(context, redactor)
        self._session: Session | None = None
        self._door: HttpClient | None = None
        self._context: dict[str, Any] | None = None
        self._known: dict[str, dict[str, Any]] = {}
        if settings.auth.bearer is not None:
            key = settings.auth.bearer
            auth: Any = bearer(lambda: resolve(key, self._secret))
        else:
            door = self._door = make_client(settings, context, redactor, rules=RULES)
            auth = self._session = Session(lambda: self._log_in(door, settings.auth.basic or ()))
        self._client = make_client(settings, context, redactor, auth, rules=RULES)

    @property
    def is_rest(self) -> bool:
        """Whether calls go to the REST side."""
        return self._session is None

    @property
    def date(self) -> datetime | None:
        """The server's clock as its last answer had it."""
        return self._client.last_date

    def close(self) -> None:
        """End the session and give the connections back."""
        if self._session is not None and self._session.is_open:
            self._session.end(lambda: self._send("common.db.logout", {"params": []}, {}))
        self._client.close()
        if self._door is not None:
            self._door.close()

    def version(self) -> str:
        """Return the series of the server, e.g. 8.2; it is told without log-in."""
        body = {"id": 1, "method": "common.server.version", "params": []}
        answer = (self._door or self._client).send(Request("rpc/", method="POST", json=body))
        return str(self._result(answer, "common.server.version"))

    # --- calls -------------------------------------------------------------------------------
    def context(self) -> dict[str, Any]:
        """Return what the user's preferences say of company and language; archived records too."""
        if self._context is None:
            said = self._call("res.user", "get_preferences", {"context_only": True}, {})
            found = {name: said[name] for name in _KEPT if name in said}
            wanted = self._settings.company
            if wanted is not None:
                if wanted not in (found.get("companies") or []):
                    raise ConfigError(
                        f"The user does not see the company {wanted}; it sees "
                        f"{found.get('companies') or 'none'}.",
                        "correct company:; or make it the user's current company, or let the user "
                        "show the records of all its companies.",
                    )
                found["company"] = wanted
            if "company" in found and found["company"] is None:
                raise ConfigError(
                    "The user has no company, so that the server hides most records.",
                    "give the user a current company in Tryton, or set company:.",
                )
            self._context = {**found, "active_test": False}
        return self._context

    def scope(self, source: Source) -> list[Any]:
        """Return the filter of a source, with the company that is read.

        The context's company decides defaults and stock, not which records are seen: a user may
        see those of all its companies.
        """
        company = self.context().get("company")
        mine = [["company", "=", company]] if source.by_company and company is not None else []
        return [*source.domain, *mine]

    def keep_to_company(self, request: ReadRequest) -> dict[str, Any]:
        """Return what the bookmark of a read says of its company, nothing where there is none.

        Raises ConfigError where the bookmark is of another company: its records would be taken for
        deleted, and those of this one that are older than the bookmark would never come.
        """
        now, before = self.context().get("company"), (request.bookmark or {}).get("company")
        if before not in (None, now) and request.mode != "full":
            raise ConfigError(
                f"The company {before} was read until now, and now it would be {now}.",
                f"write company: {before}; make a connection of its own for another company. A "
                "full sync of the stream puts the new company in the old one's place.",
            )
        return {} if now is None else {"company": now}

    def company(self, fields: Sequence[str]) -> dict[str, Any] | None:
        """Return `fields` of the company that is read; None where there are no companies."""
        number = self.context().get("company")
        if number is None:
            return None
        found = self.read_ids("company.company", [number], fields, {})
        return found[0] if found else None

    def fields(self, model: str, names: Sequence[str]) -> dict[str, Any]:
        """Return those of `names` that the model has, each with type and relation.

        Raises ConfigError where the server does not know the model.
        """
        known = self._known.setdefault(model, {})
        if not all(name in known for name in names):
            found = self._call(
                model, "fields_get", {"fields_names": list(names)},
                # REST answers a model that is not there with 500, and so would be asked again.
                rules=(Rule("skip", (500,)),) if self.is_rest else (),
            )  # fmt: skip
            known.update({name: found.get(name) for name in names})
        return {name: known[name] for name in names if known[name] is not None}

    def read(
        self,
        model: str,
        domain: Sequence[Any],
        fields: Sequence[str],
        limit: int,
        more: Mapping[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """Return at most `limit` plain records in the order of their ids.

        `more` is added to the context.
        """
        params = {
            "domain": list(domain), "offset": 0, "limit": limit, "order": _BY_ID,
            "fields_names": list(fields),
        }  # fmt: skip
        return self._records(self._call(model, "search_read", params, more), model)

    def read_ids(
        self, model: str, ids: Sequence[int], fields: Sequence[str], more: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Return the plain records of these ids; one that is gone meanwhile is left out."""
        params = {
            "domain": [["id", "in", list(ids)]], "offset": 0, "limit": None, "order": _BY_ID,
            "fields_names": list(fields),
        }  # fmt: skip
        return self._records(self._call(model, "search_read", params, more), model)

    def ids(self, model: str, domain: Sequence[Any], limit: int) -> list[int]:
        """Return at most `limit` ids in their order."""
        params = {"domain": list(domain), "offset": 0, "limit": limit, "order": _BY_ID}
        found = self._call(model, "search", params)
        if not isinstance(found, list) or not all(isinstance(one, int) for one in found):
            raise ContractBroken(f"No list of ids of {model} came.", "ask the vendor.")
        return found

    def count(self, model: str, domain: Sequence[Any]) -> int:
        """Return how many records fit."""
        found = self._call(model, "search_count", {"domain": list(domain)})
        if not isinstance(found, int):
            raise ContractBroken(f"No count of {model} came.", "ask the vendor.")
        return found

    # --- how ---------------------------------------------------------------------------------
    def _call(
        self,
        model: str,
        method: str,
        params: Mapping[str, Any],
        more: Mapping[str, Any] | None = None,
        rules: tuple[Rule, ...] = (),
    ) -> Any:
        context = dict(more or {})
        if method != "get_preferences":
            context = {**self.context(), **context}
        if not self.is_rest:
            # The order of the arguments is the order of the names; the offset and the limit of
            # search_count are left to their defaults.
            listed = list(params.values())
            if method == "search_count":
                listed += [0, None]
            body = {"params": [*listed, context]}
            return self._send(f"model.{model}.{method}", body, {})
        header = base64.urlsafe_b64encode(msgspec.json.encode(context)).decode()
        request = Request(
            f"{self._database}/rest/model/{quote(model)}/{method}", method="POST",
            json=dict(params), headers={"X-Tryton-Context": header}, rules=(*rules, _REFUSED),
        )  # fmt: skip
        try:
            answer = self._client.send(request)
        except AuthError as error:
            raise wrong_key(error) from None
        if answer.status == 400:  # what JSON-RPC answers as ["UserError", [message, …]]
            said = answer.body.text(("message",)) if answer.body else None
            raise self._said(explained(["UserError", [said or ""]], answer.place))
        if answer.status == 500:
            raise ConfigError(
                f"The server knows no {model}, or fails when asked for it.",
                "is the module that brings it installed? Leave the stream out with skip:.",
                place=answer.place,
            )
        return self._result(answer, f"{model}.{method}")

    def _send(self, method: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
        request = Request(
            f"{self._database}/rpc/", method="POST", json={"id": 1, "method": method, **body},
            headers=headers,
        )  # fmt: skip
        return self._result(self._client.send(request), method)

    def _log_in(self, door: HttpClient, pair: Sequence[str]) -> tuple[str, int, str]:
        user, password = (resolve(one, self._secret) for one in pair)
        body = {"method": "common.db.login", "params": [user, {"password": password}, "en"]}
        request = Request(f"{self._database}/rpc/", method="POST", json={"id": 1, **body})
        try:
            answer = door.send(request)
        except AuthError as error:
            raise wrong_login(error) from None
        found = self._result(answer, "log-in")
        if not isinstance(found, list) or len(found) < 2:
            raise ContractBroken("The log-in answered no session.", "check the server's release.")
        self._redactor.add(str(found[1]))
        return user, found[0], found[1]

    def _result(self, answer: Answer, what: str) -> Any:
        if answer.status in (403, 404):
            raise refused(answer.status, what, self._settings.database, answer.place)
        body = answer.body
        if body is None:
            raise ContractBroken("The answer is empty.", "ask the vendor.", place=answer.place)
        error = body.look(("error",))
        if error is not None:
            raise self._said(explained(msgspec.json.decode(error), answer.place))
        if self.is_rest and what != "common.server.version":
            return msgspec.json.decode(body.data)
        result = body.look(("result",))
        if result is None:
            raise ContractBroken(
                "The answer has neither result nor error.",
                "does another program stand between, or is base_url right?", place=answer.place,
            )  # fmt: skip
        return msgspec.json.decode(result)

    def _said(self, error: ConnectorError) -> ConnectorError:
        error.what = self._redactor.text(error.what)
        return error

    def _records(self, found: Any, model: str) -> list[dict[str, Any]]:
        records = plain(found)
        if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
            raise ContractBroken(f"No list of records of {model} came.", "ask the vendor.")
        return records
