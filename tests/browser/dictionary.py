"""Opens every page of a dictionary from its files and takes pictures of some.

    isthmus docs site && python -m tests.browser.dictionary site docs/dictionary

Fails where a page complains, asks for anything but a file of the site, is wider than the window, or
where search and language do not answer.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.browser.chromium import Page, browser

LAPTOP = (1366, 768)
ASKED = "performance.getEntriesByType('resource').map(e => e.name)"


def walk(page: Page, site: Path) -> Iterator[str]:
    """Open every page in both languages; yield what is wrong."""
    page.size(*LAPTOP)
    for file in sorted(site.rglob("*.html")):
        for lang in ("en", "zh"):
            page.open(f"{file.as_uri()}?lang={lang}")
            name = f"{file.relative_to(site)} ({lang})"
            if page.run("document.documentElement.scrollWidth") > LAPTOP[0]:
                yield f"{name}: wider than the window"
            if page.run("document.documentElement.dataset.lang") != lang:
                yield f"{name}: the language did not change"
            for asked in page.run(ASKED):
                if not str(asked).startswith(site.as_uri()):
                    yield f"{name}: asks for {asked}"
            yield from (f"{name}: {text}" for text in page.complaints)
            page.complaints.clear()


def search(page: Page, site: Path) -> Iterator[str]:
    """Search by the keyboard alone; yield what is wrong."""
    page.open((site / "index.html").as_uri())
    page.type("/")
    page.type("customer_360")
    first = page.run("document.querySelector('#found a code').textContent")
    if first != "mart.customer_360":
        yield f"the first that is found is {first}"
    page.type("Enter")
    page.run("0")
    if "mart.customer_360" not in page.run("location.href"):
        yield f"Enter led to {page.run('location.href')}"


def pictures(page: Page, site: Path, into: Path) -> None:
    """Take the pictures of the documentation."""
    page.size(*LAPTOP)
    page.open((site / "index.html").as_uri() + "?lang=en")
    page.type("/")
    page.type("paid")
    page.look(into / "search.png")
    page.open((site / "tables" / "mart.orders.html").as_uri() + "?lang=en#paid_amount")
    page.run("document.querySelector('#paid_amount + tr details').open = true;"
             "document.querySelector('#line_count').scrollIntoView()")  # fmt: skip
    page.look(into / "columns.png")
    page.size(*LAPTOP, dark=True)
    page.open((site / "tables" / "mart.customer_360.html").as_uri() + "?lang=en#lineage")
    page.run("document.querySelector('#lineage').scrollIntoView()")
    page.look(into / "lineage.png")
    page.size(*LAPTOP)
    page.open((site / "model.html").as_uri() + "?lang=zh")
    box = "document.querySelector('[data-id=order]').getBoundingClientRect()"
    page.move(page.run(f"{box}.x + 40"), page.run(f"{box}.y + 20"))
    page.look(into / "model-zh.png")


def main() -> int:
    """Look at a site; returns 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.dictionary")
    parser.add_argument("site", type=Path, help="folder that `isthmus docs` wrote")
    parser.add_argument("pictures", type=Path, nargs="?", help="folder for the pictures")
    asked = parser.parse_args()
    site = asked.site.absolute()
    with browser() as page:
        wrong = [*walk(page, site), *search(page, site)]
        if asked.pictures:
            pictures(page, site, asked.pictures)
    print(f"{len(list(site.rglob('*.html')))} pages in 2 languages, {len(wrong)} complaints")
    for text in wrong:
        print(text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
