"""Headless Chromium by the WebDriver protocol: a handful of calls, so no package is needed for it.

Elements are found by XPath and waited for; clicks are the browser's own, at the element's middle.
"""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The member that names an element in every answer, by the standard."""
WAIT_SECONDS = 60.0
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


class NotThere(AssertionError):
    """Something that did not come up on the page."""


class Browser:
    """One window. `url` is the driver's address, `session` the window's."""

    def __init__(self, url: str, session: str) -> None:
        self._base = f"{url}/session/{session}"

    def go(self, url: str) -> None:
        """Open a page."""
        self._ask("POST", "/url", {"url": url})

    def find(self, xpath: str, *, seconds: float = WAIT_SECONDS) -> str:
        """Return the first element that is there and seen; raises NotThere."""
        until = time.monotonic() + seconds
        while True:
            for found in self._found(xpath):
                try:
                    if self._ask("GET", f"/element/{found}/displayed"):
                        return found
                except urllib.error.HTTPError:
                    continue  # the page was drawn anew meanwhile
            if time.monotonic() > until:
                raise NotThere(
                    f"{xpath} is not on {self._ask('GET', '/url')}:\n{self.text()[:2000]}"
                )
            time.sleep(0.3)

    def click(self, xpath: str, *, seconds: float = WAIT_SECONDS) -> None:
        """Click an element, as soon as nothing is in front of it."""
        until = time.monotonic() + seconds
        while True:
            try:
                self._ask("POST", f"/element/{self.find(xpath, seconds=seconds)}/click", {})
                return
            except urllib.error.HTTPError as error:
                if time.monotonic() > until:
                    raise NotThere(f"{xpath}: {error.read().decode()[:500]}") from error
                time.sleep(0.3)

    def has(self, xpath: str) -> bool:
        """Say whether an element is there now."""
        return bool(self._found(xpath))

    def text(self) -> str:
        """Return what the page shows."""
        return str(self.run("return document.body.innerText"))

    def run(self, script: str, *given: Any) -> Any:
        """Return what a script returns."""
        return self._ask("POST", "/execute/sync", {"script": script, "args": list(given)})

    def picture(self) -> bytes:
        """Return the window as a PNG."""
        return base64.b64decode(self._ask("GET", "/screenshot"))

    def end(self) -> None:
        """Close the window."""
        self._ask("DELETE", "")

    def _found(self, xpath: str) -> list[str]:
        answer = self._ask("POST", "/elements", {"using": "xpath", "value": xpath})
        return [element[ELEMENT] for element in answer]

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        return _asked(method, self._base + path, body)


@contextmanager
def browser(width: int, height: int) -> Iterator[Browser]:
    """Run chromedriver and a window of that size while the block runs.

    Raises FileNotFoundError where chromium or chromedriver is not installed.
    """
    driver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
    if driver is None or chromium is None:
        raise FileNotFoundError("chromium and chromedriver (Debian: chromium-driver) are needed.")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [driver, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    switches = [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--lang=en-US",
        "--disable-dev-shm-usage", f"--window-size={width},{height}",
    ]  # fmt: skip
    options = {"binary": chromium, "args": switches}
    wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
    try:
        session = _begun(url, wanted)
        window = Browser(url, session)
        try:
            yield window
        finally:
            window.end()
    finally:
        process.terminate()
        process.wait(20)


def _begun(url: str, wanted: dict[str, Any]) -> str:
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return str(_asked("POST", f"{url}/session", wanted)["sessionId"])
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > until:
                raise
            time.sleep(0.3)


def _asked(method: str, url: str, body: Any) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"}, method=method)
    with _open(request, timeout=120) as reply:
        return json.load(reply)["value"]
