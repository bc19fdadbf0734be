"""Opens every page of the workbench in headless Chromium on what a folder's home has published.

`python -m tests.support.explore_screens [--write]` where `make demo` has synced.
Ends with 1 where a page complains on the console, fails, or asks another host for anything.
`--write` takes the screenshots of docs/explore.md. Needs Debian's chromium, and fonts-noto-cjk for
the Chinese ones.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.browser import Browser, Seen

SHOTS = Path(__file__).resolve().parents[2] / "docs" / "explore"
LARGEST = 300_000
_BREAK = """select {} from recon.breaks b join mart.order_to_cash o using (order_id)
where b.rule = 'payment_amount' and b.status = 'open'
order by o.delivered_count desc, o.parcel_count desc, abs(b.difference) desc limit 1"""
ONE = {
    "order": _BREAK.format("order_id"),
    "break": _BREAK.format("break_id"),
    "customer": "select c.party_id from mart.customer_360 c where len(c.systems) > 2 "
                "order by c.order_count desc, c.party_id limit 1",
}  # fmt: skip
"""One thing of each kind that is worth looking at."""
PAGES = ("today", "orders", "breaks", "customers", "kpis", "data")
TAKEN = {
    *(("en", name) for name in (*PAGES, *ONE)),
    *(("zh", name) for name in ("today", "breaks", "order")),
}  # fmt: skip
"""Pages of which docs/explore.md has a picture; all are opened in both languages."""


def query(sql: str) -> list[dict[str, Any]]:
    """Ask the published file as anybody does."""
    said = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "query", "--json", sql],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    found: list[dict[str, Any]] = json.loads(said.stdout)
    return found


@contextmanager
def workbench() -> Iterator[str]:
    """Run `isthmus explore` on a free port; gives its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", "explore", "--port", "0", "--no-open"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        yield next(word for word in line.split() if word.startswith("http")).rstrip("/")
    finally:
        process.terminate()
        process.wait(20)


def paths() -> dict[str, str]:
    """Return the addresses of all pages, of one order, one break, one customer and a search."""
    found = {name: f"/{name}?" for name in PAGES} | {"search": "/orders?q=SO1017&"}
    for name, sql in ONE.items():
        found[name] = f"/{name}/{next(iter(query(sql)[0].values()))}?"
    return found


def look(browser: Browser, address: str, path: str) -> tuple[Seen, list[str]]:
    """Open a page, sort its first table; returns what was seen and what is wrong with it."""
    seen = browser.open(f"{address}{path}")
    browser.run("document.querySelector('table.sortable th')?.click()")
    browser.run("document.querySelector('table.sortable th')?.click()")
    wrong = seen.complaints + browser.complaints()
    wrong += [u for u in seen.requests if not u.startswith((address, "data:"))]
    if browser.run("document.documentElement.scrollWidth") > browser.size[0]:
        wrong.append("wider than the screen")
    if browser.run("document.querySelectorAll('.card.notice').length"):
        wrong.append("something could not be shown")
    return seen, wrong


def main(folder: Path | None, whole: bool) -> int:
    """Open all pages in both languages; returns the exit code."""
    bad = 0
    with workbench() as address:
        for lang, spoken in (("en", "en-US"), ("zh", "zh-CN")):
            with Browser(spoken) as browser:
                for name, path in paths().items():
                    seen, wrong = look(browser, address, f"{path}lang={lang}")
                    bad += len(wrong)
                    print(
                        f"{name:10} {lang} {seen.seconds * 1000:6.0f} ms {len(seen.requests):3} "
                        f"requests {seen.bytes / 1000:5.0f} kB  {'; '.join(wrong[:5]) or 'ok'}"
                    )
                    if folder and (whole or (lang, name) in TAKEN):
                        browser.open(f"{address}{path}lang={lang}")
                        file = folder / (f"{name}.png" if lang == "en" else f"{name}-{lang}.png")
                        browser.picture(file, whole=whole)
                        bad += file.stat().st_size >= LARGEST and not whole
    return 1 if bad else 0


if __name__ == "__main__":
    said = argparse.ArgumentParser(description=__doc__)
    said.add_argument("--write", action="store_true", help="take the screenshots of the docs")
    said.add_argument("--whole", type=Path, help="take whole pages into this folder")
    given = said.parse_args()
    sys.exit(main(given.whole or (SHOTS if given.write else None), bool(given.whole)))
