"""A company of 12 connections with 8 streams each, as the asset graph of Dagster shows it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dagster_ui import Ui, until_listed

from connectors.base import utc_now
from pipelines.pauses import pause
from pipelines.ui import serve
from pipelines.workspace import Workspace
from tests.support import small_shop
from tests.ui.browser import Browser, browser

WIDTH, HEIGHT = 1300, 1120
SETTLE = 4.0
MOST_BYTES = 300_000
CONNECTIONS = {
    "erp_china": "金蝶云·星空 总部", "erp_europe": "ERP Europe", "shop_cn": "官网商城",
    "shop_eu": "Web shop Europe", "shop_us": "Web shop US", "tmall": "天猫旗舰店",
    "oms": "聚水潭 OMS", "crm": "纷享销客 CRM", "wms_shanghai": "上海仓 WMS",
    "wms_venlo": "Warehouse Venlo", "alipay": "支付宝", "stripe": "Stripe",
}  # fmt: skip
STREAMS = {
    "customers": "party", "products": "product", "orders": "order", "payments": "payment",
    "refunds": "refund", "returns": "return", "shipments": "shipment", "stock": "stock_level",
}  # fmt: skip
OPENED = "shop_eu"
SCHEDULE = "0 * * * *"


def write(root: Path) -> Workspace:
    """Write the company's files; nothing answers at its addresses and nothing is read."""
    streams = "".join(
        f"      {name}:\n        path: /{name}\n        records: data\n        key: id\n"
        "        changes: {since: updated_at, param: updated_since, lookback: 10m}\n"
        for name in STREAMS
    )
    files = {"defs/company/defs.yaml": small_shop.COMPANY}
    for name, title in CONNECTIONS.items():
        files[f"defs/{name}/defs.yaml"] = (
            f"type: pipelines.Connection\nattributes:\n  system: rest\n  title: {title}\n"
            f"  owners: [{name.partition('_')[0]}@example.com]\n  schedule: '{SCHEDULE}'\n"
            "  config:\n    base_url: http://127.0.0.1:9\n    allow_private: true\n    streams:\n"
            f"{streams}"
        )
        for stream, entity in STREAMS.items():
            files[f"mappings/{name}/{stream}.yaml"] = (
                f"entity: {entity}\nkey: id\nversion: updated_at\nfields: {{}}\n"
            )
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return Workspace.discover({}, start=root)


@contextmanager
def served(space: Workspace, port: int) -> Iterator[Ui]:
    """Run `dagster dev` on the company."""
    for name in CONNECTIONS:  # nothing is to be read
        pause(space.control, name, until=None, who="the test", why="by hand", now=utc_now())
    for name in ("DAGSTER_HOME", "ISTHMUS_HOME", "ISTHMUS_DEFS", "ISTHMUS_MAPPINGS"):
        os.environ.pop(name, None)
    ended = threading.Event()
    thread = threading.Thread(target=serve, args=(space, port, ended))
    thread.start()
    try:
        ui = Ui(f"http://127.0.0.1:{port}")
        until_listed(ui, None)
        yield ui
    finally:
        ended.set()
        thread.join()


def take(root: Path, pictures: Path, port: int) -> None:
    """Keep the graph of the groups, and one connection's group."""
    pictures.mkdir(exist_ok=True)
    with served(write(root), port) as ui, browser(WIDTH, HEIGHT) as window:
        window.go(f"{ui.url}/asset-groups")
        window.find(f"//*[normalize-space()='{OPENED}']")
        window.click("//*[normalize-space()='Hide navigation']")
        _keep(window, pictures / "graph-12x8.png")
        window.go(f"{ui.url}/locations/isthmus/asset-groups/{OPENED}/list")
        window.find("//*[contains(normalize-space(), 'stock')]")
        _keep(window, pictures / "graph-12x8-opened.png")


def _keep(window: Browser, path: Path) -> None:
    time.sleep(SETTLE)
    picture = window.picture()
    assert len(picture) < MOST_BYTES, f"{path.name}: {len(picture)} bytes"
    path.write_bytes(picture)
    print(f"{path.name}: {len(picture) // 1000} kB", flush=True)
