"""An ERP that breaks, in the browser: told, mended, run again by one click, and all is right.

    python -m tests.ui [--pictures docs/runbook] [--port 3155] [--only story,graph]

Boots the sample company and `dagster dev`, refuses the ERP's requests (HTTP 503) after some,
launches its job, sees the failure, opens the door, presses *Re-execute from failure*, and holds
what is published at the end against a company in which nothing failed. Needs chromium and
chromedriver; a picture of each state goes into the folder. `graph` keeps pictures of the asset
graph of a company of 12 x 8 streams (`graph.py`), for docs/on-call.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from answers import answer, differing
from dagster_ui import Ui, until_listed

from pipelines.sample.story import tell
from tests.ui import company, graph
from tests.ui.browser import Browser, browser

WIDTH, HEIGHT = 1360, 1060
LET_IN = 22
"""Requests that the ERP still answers: enough for some of its streams."""
RUN_SECONDS = 900
"""A stream whose system is down tries for half a minute, here one after the other."""
MOST_BYTES = 300_000
SETTLE = 3.0
"""Seconds in which the page draws what it has learned."""
GRAPH = Path("docs/on-call")
JOB = "/locations/isthmus/jobs"


class Camera:
    """The window and the folder that its pictures go to."""

    def __init__(self, window: Browser, url: str, folder: Path) -> None:
        self.window, self._url, self._folder = window, url, folder

    def go(self, path: str) -> None:
        """Open a page of the UI."""
        self.window.go(self._url + path)

    def take(self, name: str) -> None:
        """Keep what the window shows now."""
        time.sleep(SETTLE)
        picture = self.window.picture()
        assert len(picture) < MOST_BYTES, f"{name}: {len(picture)} bytes"
        (self._folder / f"{name}.png").write_bytes(picture)
        print(f"{name}.png: {len(picture) // 1000} kB", flush=True)


def run_of(window: Browser, other: str = "") -> str:
    """Wait until the window shows a run that is not `other`; its id."""
    until = time.monotonic() + 60
    while True:
        _, found, run = str(window.run("return location.pathname")).partition("/runs/")
        if found and run != other:
            return run
        assert time.monotonic() < until, window.text()[:1000]
        time.sleep(0.3)


def launched(camera: Camera) -> str:
    """Launch the ERP's job from its launchpad; the run's id."""
    camera.go(f"{JOB}/{company.BROKEN}_sync/playground")
    camera.window.click("//*[normalize-space()='Hide navigation']")
    camera.window.find("//*[normalize-space()='No errors']")
    camera.take("1-launch")
    camera.window.click("//button[normalize-space()='Launch Run']")
    return run_of(camera.window)


def run_again(camera: Camera, failed: str) -> str:
    """Press Re-execute, From failure; the new run's id."""
    camera.go(f"/runs/{failed}?logs=type%3ASTEP_FAILURE")
    camera.window.find("//*[contains(text(), 'Unavailable: ')]")
    camera.take("2-failed")
    camera.window.click("//*[contains(text(), 'Show Markdown')]")
    camera.window.find("//*[contains(., 'Right again when')]")
    camera.take("2-runbook")
    camera.window.click("//button[normalize-space()='Close' or normalize-space()='Done']")
    camera.window.click("(//button[contains(., 'Re-execute')]/following::button)[1]")
    camera.window.find("//*[@role='menuitem'][normalize-space()='From failure']")
    camera.take("3-from-failure")
    camera.window.click("//*[@role='menuitem'][normalize-space()='From failure']")
    return run_of(camera.window, failed)


def story(camera: Camera, ui: Ui, door: company.Door) -> None:
    """Break, launch, see, mend, run again; raises AssertionError where the UI says otherwise."""
    door.open_for = LET_IN
    failed = launched(camera)
    first = {s["stepKey"]: s["status"] for s in ended(ui, failed, "FAILURE")}
    right = {step for step, status in first.items() if status == "SUCCESS"}
    wrong = {step for step, status in first.items() if status == "FAILURE"}
    assert right, first
    assert len(right) + len(wrong) == len(first) == 8, first
    for step, event in ui.failures(failed).items():
        said = event["error"]["message"]
        assert said.startswith(f"Unavailable: {step.replace('__', '/')}: "), said
        assert "HTTP 503" in said, said
        assert "Do:" in said, said
    door.open_for = None
    again = run_again(camera, failed)
    second = {s["stepKey"]: s["status"] for s in ended(ui, again, "SUCCESS")}
    assert second == dict.fromkeys(wrong, "SUCCESS"), second
    camera.go(f"/runs/{again}")
    camera.window.find("//*[normalize-space()='Success']")
    camera.window.find("//*[contains(text(), 'RUN_SUCCESS')]")
    camera.take("4-green")
    camera.go("/assets/erp/orders?view=checks&checkDetail=rows")
    camera.window.find("//*[normalize-space()='quarantine_share']")
    camera.take("5-checks")
    camera.go(f"{JOB}/reread/playground")
    camera.window.find("//*[contains(text(), 'Missing required config')]")
    camera.take("6-form")
    print(f"{len(right)} streams were right, {len(wrong)} failed and were run again", flush=True)


def ended(ui: Ui, run: str, status: str) -> list[dict[str, str]]:
    """Return the steps of a run that ended as it should."""
    found = ui.ended(run, RUN_SECONDS)
    assert found["status"] == status, found
    steps: list[dict[str, str]] = found["stepStats"]
    return steps


def main(words: list[str]) -> int:
    """Take the pictures that are wanted; 0 where all was as told."""
    parser = argparse.ArgumentParser(prog="python -m tests.ui", description=__doc__)
    parser.add_argument("--pictures", type=Path, default=Path("docs/runbook"))
    parser.add_argument("--port", type=int, default=3155)
    parser.add_argument("--only", default="story,graph")
    given = parser.parse_args(words)
    given.pictures.mkdir(parents=True, exist_ok=True)
    wanted = given.only.split(",")
    if "graph" in wanted:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            graph.take(Path(folder), GRAPH, given.port)
    return played(given.pictures, given.port) if "story" in wanted else 0


def played(pictures: Path, port: int) -> int:
    """Play the story with pictures; 0 where all of it was as told and the store is right."""
    begun, told = datetime.now(UTC), tell(orders=company.ORDERS)
    url = f"http://127.0.0.1:{port}"
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        company.systems(told) as door,
    ):
        good = company.never_failed(Path(folder) / "good", told)
        space = company.place(Path(folder) / "broken", told, os.environ)
        company.sync(space, *company.BEFORE)
        ui = Ui(url)
        with company.dagster_dev(space, port), browser(WIDTH, HEIGHT) as window:
            until_listed(ui, None)
            story(Camera(window, url, pictures), ui, door)
        company.sync(space, *company.AFTER)
        right = answer(good.home.current, begun)
        wrong = differing(right, answer(space.home.current, begun))
    for table, what in wrong.items():
        print(f"{table}: {what}", file=sys.stderr)
    rows = sum(map(len, right.values()))
    print(f"{door.refused} requests were refused; {rows} rows of {len(right)} tables compared, "
          f"{len(wrong)} tables differ")  # fmt: skip
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
