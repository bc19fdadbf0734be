"""`isthmus sync` of a company: a shop's shipments are published, and then their parcels read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kuaidi100_world import CUSTOMER, KEY, SHIPMENTS

from connectors.kuaidi100.sample import event
from connectors.kuaidi100.simulator import Kuaidi100Simulator
from connectors.rest.serve import serve
from connectors.rest.simulator import Collection, RestSimulator
from pipelines.asked import ControlAsked
from pipelines.cli import main
from pipelines.workspace import Workspace

DEFS = """\
type: pipelines.Connection
attributes:
  system: kuaidi100
  config: {{base_url: "{url}", allow_private: true, customer: {customer}, key: env:K100_KEY,
            daily_quota: {quota}}}
"""
SHOP = """\
type: pipelines.Connection
attributes:
  system: rest
  config:
    base_url: "{url}"
    allow_private: true
    streams:
      shipments: {{path: /shipments, records: data, key: id,
                   paging: {{cursor: next_cursor, param: cursor}}}}
"""


@pytest.fixture
def post(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kuaidi100Simulator]:
    """A company in a folder, of a shop with four parcels; the account knows three."""
    made = Kuaidi100Simulator(CUSTOMER, KEY, now=lambda: datetime.now(UTC))
    at = datetime.now(UTC) - timedelta(hours=5)
    for number, code in (("YT0001", "0"), ("YT0002", "3"), ("YT0003", "5")):
        made.put("yuantong", number, [event(at, "已发出", code)])
    shipments = [
        {"id": f"s{n}", "tracking": f"YT000{n}", "carrier": "圆通" if n < 5 else "专线",
         "state": "shipped", "shipped": at.isoformat(), "at": at.isoformat()}
        for n in range(1, 6)
    ]  # fmt: skip
    shop = RestSimulator({"shipments": Collection(shipments, key="id", stamp=None)})
    with serve(made) as url, serve(shop) as shop_url:
        for name, text in (
            ("defs/post/defs.yaml", DEFS.format(url=url, customer=CUSTOMER, quota=4)),
            ("defs/shop/defs.yaml", SHOP.format(url=shop_url)),
            ("mappings/shop/shipments.yaml", SHIPMENTS),
        ):
            path = tmp_path / name
            path.parent.mkdir(parents=True)
            path.write_text(text, encoding="utf-8")
        for name in ("DAGSTER_HOME", "DAGSTER_DISABLE_TELEMETRY"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment(tmp_path).items():
            monkeypatch.setenv(name, value)
        yield made


def environment(folder: Path) -> dict[str, str]:
    return {
        "ISTHMUS_HOME": str(folder / "home"), "ISTHMUS_DEFS": str(folder / "defs"),
        "ISTHMUS_MAPPINGS": str(folder / "mappings"), "ISTHMUS_LANG": "en", "K100_KEY": KEY,
    }  # fmt: skip


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any, str]:
    code = main([*words, "--json"])
    said = capsys.readouterr()
    return code, json.loads(said.out), said.err


@pytest.mark.slow  # four runs of Dagster: half a minute of CPU
def test_parcels_follow_the_shop_run_by_run(
    post: Kuaidi100Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["sync", "shop"]) == 0
    capsys.readouterr()
    code, said, err = told(capsys, "sync", "post")
    (run,) = said["streams"]
    assert (code, run["status"], run["landed"]) == (0, "ok", 3)
    assert run["tally"] == {"unknown carrier": 1, "asked": 4, "found": 3, "no result yet": 1}
    assert "post/tracks: unknown carrier: 1, asked: 4, found: 3, no result yet: 1" in err
    assert "专线 (1)" in err
    assert KEY not in json.dumps(said) + err
    rows = told(
        capsys, "query",
        "select s.tracking_number, s.status, count(*) as events from unified.shipments s"
        " join unified.shipment_events e using (shipment_id) group by all order by all",
    )[1]  # fmt: skip
    assert [tuple(row.values()) for row in rows] == [
        ("YT0001", "in_transit", 1), ("YT0002", "delivered", 1), ("YT0003", "out_for_delivery", 1),
    ]  # fmt: skip

    space = Workspace.discover(environment(tmp_path))
    marks = ControlAsked(lambda: space.control, "post")
    for item in marks.times("tracks"):
        marks.mark("tracks", item, datetime.now(UTC) - timedelta(hours=2))
    space.control.close()
    began = len(post.journal)
    code, said, err = told(capsys, "sync", "post")  # the day's bound of four is used up
    (run,) = said["streams"]
    assert (code, run["status"], run["error"], run["requests"]) == (3, "partial", None, 0)
    assert run["tally"] == {"unknown carrier": 1, "left for the next run": 3}
    assert "ended early, a quota is used up" in err
    path = tmp_path / "defs" / "post" / "defs.yaml"
    path.write_text(path.read_text("utf-8").replace("quota: 4", "quota: 9"), encoding="utf-8")
    code, said, err = told(capsys, "sync", "post")
    assert (code, said["streams"][0]["tally"]["asked"]) == (0, 3)
    assert sorted(line.num for line in post.journal[began:]) == ["YT0001", "YT0003", "YT0004"]
    code, said, err = told(capsys, "status", "post")
    assert said["streams"][0]["tally"]["no result yet"] == 1
