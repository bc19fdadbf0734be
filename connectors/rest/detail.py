"""A call for each record of a page, where the list does not say everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from connectors.body import Path, parse_path
from connectors.condition import Condition, parse_condition
from connectors.details import answered
from connectors.errors import ConfigError, ContractBroken, QuotaUsed
from connectors.http import Answer, HttpClient, Request
from connectors.outcome import Rule
from connectors.paging import Turn
from connectors.records import show
from connectors.rest.client import compiled, resolved
from connectors.rest.settings import RestSettings
from connectors.rest.streams import DetailSettings, StreamSettings


@dataclass(frozen=True, slots=True)
class Detailer:
    """Asks for the details of one stream's records. Keys are encoded as one value each."""

    client: HttpClient
    spec: DetailSettings
    params: Mapping[str, str]
    headers: Mapping[str, str]
    record: Path
    ok: Condition | None
    message: Path
    rules: tuple[Rule, ...]

    def detailed(self, turn: Turn, *, whole: bool = True) -> tuple[Turn, str, QuotaUsed | None]:
        """Return the page with the details in the records' places, in their order.

        A record without a key, or with one that cannot stand in a URL, stays as the list has it.
        Where the page need not be `whole`, a quota that ends in its midst comes third, and the page
        holds what came before. Raises ConfigError where no run could ever ask for enough under the
        rate: each would begin with this page again, for nothing.

        One whose call is answered `empty` or `skip` is left out: then the page proves no scan, and
        the text says how many.
        """
        keyed = [n for n, key in enumerate(turn.keys) if key is not None and key.strip(".")]
        most = self.client.quota
        needed = 1 + (len(keyed) if whole else min(len(keyed), 1))  # the list is a request too
        if most is not None and most < needed:
            raise ConfigError(
                f"A page has {len(keyed)} records, and rate: lets {most} requests go before a run "
                "ends: its details would never be whole.",
                "make the page of the list smaller (its parameter for the size).",
                place=turn.place,
            )  # fmt: skip
        records: list[bytes | None] = list(turn.records)
        workers = self.spec.workers
        if most is not None and most <= 2 * workers:
            workers = 1  # side by side the first might get none of so few places
        found, error = answered(
            keyed, lambda n: self._record(self._ask(str(turn.keys[n]))), workers=workers
        )
        used = error if isinstance(error, QuotaUsed) and not whole else None
        if error is not None and used is None:
            raise error
        for n, record in found:
            records[n] = record
        if used is not None:
            came = {n for n, _ in found}
            end = next(n for n in keyed if n not in came)
            records = records[:end]
            turn = replace(turn, keys=turn.keys[:end], stamps=turn.stamps[:end])
        left = [n for n, record in enumerate(records) if record is not None]
        if len(left) == len(records):
            whole_ones = [record for record in records if record is not None]
            return replace(turn, records=whole_ones), "", used
        missing = len(records) - len(left)
        text = f"{missing} records were left out: their detail was answered as empty or skip."
        return (
            replace(
                turn,
                records=[record for record in records if record is not None],
                keys=[turn.keys[n] for n in left],
                stamps=[turn.stamps[n] for n in left],
                odd=turn.odd or text,
            ),
            text,
            used,
        )

    def _ask(self, key: str) -> Answer:
        params = {name: value.replace("{key}", key) for name, value in self.params.items()}
        path = self.spec.path.replace("{key}", quote(key, safe=""))
        return self.client.send(
            Request(
                path=path, params=params, headers=self.headers, ok=self.ok, message=self.message,
                rules=self.rules,
            )
        )  # fmt: skip

    def _record(self, answer: Answer) -> bytes | None:
        if answer.outcome != "ok" or answer.body is None:
            return None
        raw = answer.body.look(self.record)
        data = bytes(raw) if raw is not None else b""
        if not data.startswith(b"{"):
            raise ContractBroken(
                f"The detail has no object at record: {show(self.record)}.",
                "point detail.record: at the record.", place=answer.place,
            )  # fmt: skip
        return data


def make_detailer(
    settings: RestSettings,
    spec: StreamSettings,
    client: HttpClient,
    secret: Callable[[str], str],
) -> Detailer | None:
    """Prepare the asking for details; None where the stream has none."""
    if spec.detail is None:
        return None
    ok = spec.ok or settings.ok
    return Detailer(
        client=client,
        spec=spec.detail,
        params=resolved(spec.detail.params, secret),
        headers=resolved(spec.headers, secret),
        record=parse_path(spec.detail.record),
        ok=parse_condition(ok) if ok else None,
        message=parse_path(spec.message or settings.message),
        rules=compiled(spec.answers),
    )
