"""The calls that are made of K3Cloud: queries, metadata, and the log-in where there is one."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from connectors.auth import Auth
from connectors.base import Context
from connectors.changes import zone_of
from connectors.errors import AuthError, ContractBroken
from connectors.http import Answer, HttpClient, Request
from connectors.kingdee.catalogue import STREAMS
from connectors.kingdee.faults import MESSAGES, RULES, explained
from connectors.kingdee.fields import Fitted, Known, fit, known_of
from connectors.kingdee.rows import Row, rows_of
from connectors.kingdee.session import COOKIE, Session
from connectors.kingdee.settings import KingdeeSettings
from connectors.kingdee.signing import Identity, Signed
from connectors.redact import Redactor
from connectors.site import make_client, secret_reader
from connectors.values import resolve

_STUB = "Kingdee.BOS.WebApi.ServicesStub."
_DATA, _AUTH = f"{_STUB}DynamicFormService.", f"{_STUB}AuthService."
_ASP = re.compile(r"ASP\.NET_SessionId=([^;,\s]+)")


def quoted(text: str) -> str:
    """Return a literal of the filter language."""
    return "'" + text.replace("'", "''") + "'"


class Api:
    """One site and account. Every error is a ConnectorError."""

    def __init__(self, settings: KingdeeSettings, context: Context, redactor: Redactor) -> None:
        self._settings = settings
        self._context = context
        self._redactor = redactor
        self._secret = secret_reader(context, redactor)
        self._fitted: dict[str, Fitted] = {}
        self._door: HttpClient | None = None
        self._session: Session | None = None
        auth: Auth
        if settings.login == "signed":
            auth = Signed(self._identity, context.now, redactor)
        else:
            door = self._door = self._make_client(None)
            auth = self._session = Session(lambda: self._log_in(door))
        self._client = self._make_client(auth)

    @property
    def date(self) -> datetime | None:
        """The server's clock as its last answer had it."""
        return self._client.last_date

    @property
    def rows(self) -> int:
        """Most rows of one query."""
        return self._settings.rows

    def close(self) -> None:
        """End the session and give the connections back."""
        if self._session is not None and self._session.is_open:
            self._session.end(lambda: self._call(f"{_AUTH}Logout", {}, "log-out"))
        self._client.close()
        if self._door is not None:
            self._door.close()

    # --- what is asked -----------------------------------------------------------------------
    def fitted(self, stream: str) -> Fitted:
        """Return a stream's source as this account has it; asks for the metadata once."""
        if stream not in self._fitted:
            source, settings = STREAMS[stream], self._settings
            known = self.known(source.form) if settings.metadata else None
            names, more = settings.names.get(stream, {}), settings.more.get(stream, ())
            self._fitted[stream] = fit(source, names, more, known)
        return self._fitted[stream]

    def known(self, form: str) -> Known | None:
        """Ask which fields a form has; None where the answer names none."""
        body = {"data": {"FormId": form}}
        return known_of(self._body(f"{_DATA}QueryBusinessInfo", body, form))

    def query(
        self, form: str, asked: Sequence[str], where: Sequence[str], order: str, limit: int
    ) -> list[Row]:
        """Return at most `limit` rows of a form; `where` are conditions that all hold."""
        data = {
            "FormId": form, "FieldKeys": ",".join(asked), "FilterString": " and ".join(where),
            "OrderString": order, "TopRowCount": 0, "StartRow": 0, "Limit": limit,
        }  # fmt: skip
        service = "BillQuery" if self._settings.query == "bill" else "ExecuteBillQuery"
        return rows_of(self._body(f"{_DATA}{service}", {"data": data}, form), asked)

    def ask(self, fitted: Fitted, where: Sequence[str], limit: int) -> list[Row]:
        """Return rows of a source in the order of its keys and lines, of what may be read."""
        order = f"{fitted.key} ASC" + (f",{fitted.line} ASC" if fitted.line else "")
        scope = self._scope(fitted)
        rows = self.query(fitted.source.form, fitted.asked, [*scope, *where], order, limit)
        return fitted.picked(rows)

    def keys(self, fitted: Fitted, where: Sequence[str], limit: int) -> list[Row]:
        """Return rows that are the keys alone, in their order."""
        where = [*self._scope(fitted), *where]
        return self.query(
            fitted.source.form, (fitted.key,), where, f"{fitted.key} ASC", limit
        )  # fmt: skip

    def _scope(self, fitted: Fitted) -> list[str]:
        """Return the filter on organisations, none where all are read."""
        wanted = self._settings.organisations
        if not wanted or not fitted.org:
            return []
        return [f"{fitted.org} in ({','.join(quoted(one) for one in wanted)})"]

    def prove_secrets(self) -> None:
        """Resolve what signs in; raises ConfigError for a secret that is not set."""
        settings = self._settings
        for reference in (settings.app_id, settings.app_secret, settings.password):
            if reference:
                resolve(reference, self._secret)

    # --- how ---------------------------------------------------------------------------------
    def _body(self, service: str, body: Any, what: str) -> Any:
        answer = self._call(service, body, what)
        if answer.body is None:
            raise ContractBroken("The answer is empty.", "ask the vendor.", place=answer.place)
        return answer.body

    def _call(self, service: str, body: Any, what: str) -> Answer:
        request = Request(f"{service}.common.kdsvc", method="POST", json=body)
        answer = self._client.send(request)
        if answer.outcome == "skip":
            raise explained(answer, what)
        return answer

    def _make_client(self, auth: Auth | None) -> HttpClient:
        return make_client(
            self._settings, self._context, self._redactor, auth,
            rules=RULES, messages=MESSAGES, wrapped=True,
        )  # fmt: skip

    def _identity(self) -> Identity:
        settings = self._settings
        return Identity(
            settings.account, settings.user, resolve(settings.app_id or "", self._secret),
            resolve(settings.app_secret or "", self._secret),
            settings.language, settings.organisation,
        )  # fmt: skip

    def _log_in(self, door: HttpClient) -> str:
        """Open a session and return its cookies."""
        settings = self._settings
        if settings.login == "password":
            service, proof = "ValidateUser", [resolve(settings.password or "", self._secret)]
        else:
            service = "LoginByAppSecret"
            pair = (settings.app_id or "", settings.app_secret or "")
            proof = [resolve(one, self._secret) for one in pair]
        now = self._context.now().astimezone(zone_of(self._context.timezone))
        body = {
            "format": 1, "useragent": "ApiClient", "rid": str(uuid.uuid4()), "v": "1.0",
            "timestamp": now.strftime("%Y-%m-%d %H:%M:%S"),
            "parameters": [settings.account, settings.user, *proof, settings.language],
        }  # fmt: skip
        answer = door.send(Request(f"{_AUTH}{service}.common.kdsvc", method="POST", json=body))
        if answer.outcome == "skip":
            raise explained(answer, "log-in")
        said = answer.body
        session = said.text(("KDSVCSessionId",)) if said is not None else None
        if said is None or said.text(("LoginResultType",)) != "1" or not session:
            kind = said.text(("LoginResultType",)) if said is not None else None
            message = said.text(("Message",)) if said is not None else None
            raise AuthError(
                f"The log-in was refused (LoginResultType {kind or 'none'}: "
                f"{(message or 'no message')[:200]})",
                "check account, user, app_id and the secret; new tenants of the public cloud "
                "refuse login: password.", place=answer.place,
            )  # fmt: skip
        self._redactor.add(session)
        cookies = f"{COOKIE}={session}"
        if found := _ASP.search(answer.headers.get("set-cookie", "")):
            self._redactor.add(found[1])
            cookies += f"; ASP.NET_SessionId={found[1]}"
        return cookies
