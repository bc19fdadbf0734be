"""The suite on `kuaidi100`, over its simulator."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from connectors.kuaidi100 import Kuaidi100Connector
from connectors.kuaidi100.sample import event
from connectors.kuaidi100.simulator import Kuaidi100Simulator
from connectors.testing import Bench, ConformanceSuite
from tests.support.kuaidi100_world import CONFIG, CUSTOMER, KEY, SECRETS, Network


class TracksBench(Bench):
    """Parcels that are all under way, three a page; what is put is an event more."""

    connector = Kuaidi100Connector
    stream = "tracks"
    page_size = 3
    secrets: ClassVar[Mapping[str, str]] = SECRETS
    carrier = "圆通速递"

    def boot(self) -> Any:
        self.post = Kuaidi100Simulator(CUSTOMER, KEY, now=self.clock.now)
        return Network(self.post)

    def settings(self) -> dict[str, Any]:
        return {**CONFIG, "page": 3}

    def bad_settings(self) -> Iterable[dict[str, Any]]:
        good = self.settings()
        yield good | {"every": "29m"}
        yield good | {"max_age": "200d"}
        yield good | {"carriers": {"专线": "Not A Code"}}
        yield good | {"carriers": {"--": "jd"}}
        yield good | {"daily_quota": 0}
        yield good | {"sender_phone": "138"}

    def put(self, number: int, version: int, at: datetime) -> str:
        self.post.put("yuantong", f"YT{number:08d}", [event(at, f"v{version}")])
        return f"yuantong/YT{number:08d}"

    def living(self) -> Mapping[str, str]:
        found = self.post.living().items()
        return {f"{com}/{num}": one["data"][0]["context"] for (com, num), one in found}

    def version(self, record: Mapping[str, Any]) -> str:
        return str(record["data"][0]["context"])

    def wanted(self, stream: str) -> Iterable[Mapping[str, str | None]]:
        for _, num in self.post.living():
            yield {"carrier": self.carrier, "number": num, "phone_last4": None}

    def throttled_body(self) -> bytes:
        return self.failed(502)

    def error_body(self) -> bytes:
        return self.failed(999)

    def failed(self, code: int) -> bytes:
        said = {"result": False, "returnCode": str(code), "message": "服务器错误"}
        return json.dumps(said).encode()


class PhonesBench(TracksBench):
    """Parcels of a carrier that is asked for with a phone; signed with the time, four at once."""

    carrier = "SF"

    def boot(self) -> Any:
        made = super().boot()
        self.post.with_t = True
        return made

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "sign_with_t": True, "workers": 4}

    def put(self, number: int, version: int, at: datetime) -> str:
        said = [event(at, f"v{version}")]
        self.post.put("shunfeng", f"SF{number:010d}", said, phone="13912345678")
        return f"shunfeng/SF{number:010d}"

    def wanted(self, stream: str) -> Iterable[Mapping[str, str | None]]:
        return ({**row, "phone_last4": "5678"} for row in super().wanted(stream))


NOT_APPLICABLE: Mapping[str, str] = {
    "foreign_next_link": "there are no pages there; no answer holds a link",
    "page_size_clamped": "there are no pages there: one parcel a query",
    "token_expires": "each query is signed, there is no token",
    "only_what_changed": "a parcel under way is asked for again; its answer tells what changed",
    "nothing_new": "a parcel under way is asked for again; its answer tells what changed",
    "late_commit": "each parcel is read whole, by no stamp",
    "deletes_seen": "parcels are not deleted there; what is forgotten is no more answered",
    "sweep_lists_keys": "parcels cannot be listed there",
}


class TestTracks(ConformanceSuite):
    title = "tracks"
    bench = TracksBench
    not_applicable = NOT_APPLICABLE


class TestPhones(ConformanceSuite):
    title = "with phones"
    bench = PhonesBench
    not_applicable = NOT_APPLICABLE
