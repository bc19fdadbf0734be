"""A headless Chromium over its DevTools protocol: opens a page, says what went wrong, takes it."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from websockets.sync.client import ClientConnection, connect

BINARY = "/usr/bin/chromium"
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--font-render-hinting=none", "--remote-debugging-port=0",
    "about:blank",
)  # fmt: skip


@dataclass(slots=True)
class Seen:
    """What opening a page showed: seconds until loaded, requests, bytes, complaints."""

    seconds: float = 0.0
    requests: list[str] = field(default_factory=list)
    bytes: int = 0
    complaints: list[str] = field(default_factory=list)


class Browser:
    """One tab. Complaints are errors and warnings of the console, exceptions, failed requests."""

    def __init__(self, language: str = "en-US", width: int = 1366, height: int = 768) -> None:
        self.size = (width, height)
        self._folder = tempfile.TemporaryDirectory(prefix="isthmus-chromium-")
        self._process = subprocess.Popen(
            [BINARY, f"--user-data-dir={self._folder.name}", f"--lang={language}", *FLAGS],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stderr is not None
        port = next(m[1] for m in (re.search(r"ws://[^:]+:(\d+)/", line)
                                   for line in self._process.stderr) if m)  # fmt: skip
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
            tab = next(t for t in json.load(answer) if t["type"] == "page")
        self._context = connect(tab["webSocketDebuggerUrl"], max_size=None)
        self._socket: ClientConnection = self._context.__enter__()
        self._number = 0
        self._events: list[dict[str, Any]] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._send(f"{domain}.enable")
        self._send("Emulation.setLocaleOverride", locale=language.replace("-", "_"))
        self._resize(height)

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._context.__exit__(None, None, None)
        self._process.terminate()
        self._process.wait(10)
        self._folder.cleanup()

    def open(self, url: str, settle: float = 0.4) -> Seen:
        """Open an address and wait until it has loaded, and `settle` seconds more."""
        self._events.clear()
        begun = time.monotonic()
        self._send("Page.navigate", url=url)
        while not any(e["method"] == "Page.loadEventFired" for e in self._events):
            self._events.append(json.loads(self._socket.recv(timeout=60)))
        seen = Seen(seconds=time.monotonic() - begun)
        end = time.monotonic() + settle
        while (left := end - time.monotonic()) > 0:
            try:
                self._events.append(json.loads(self._socket.recv(timeout=left)))
            except TimeoutError:
                break
        for event in self._events:
            _read(event, seen)
        self._events.clear()
        return seen

    def complaints(self) -> list[str]:
        """Return what the page complained of since it was opened."""
        seen = Seen()
        for event in self._events:
            _read(event, seen)
        self._events.clear()
        return seen.complaints

    def run(self, script: str) -> Any:
        """Return what a script in the page evaluates to."""
        return self._send("Runtime.evaluate", expression=script, returnByValue=True)["result"].get(
            "value"
        )

    def picture(self, file: Path, *, whole: bool = False) -> None:
        """Write what is seen as PNG; `whole` takes the page down to its foot."""
        if whole:
            self._resize(int(self.run("document.documentElement.scrollHeight")))
        shot = self._send("Page.captureScreenshot", format="png")
        file.write_bytes(base64.b64decode(shot["data"]))
        if whole:
            self._resize(self.size[1])

    def _resize(self, height: int) -> None:
        self._send("Emulation.setDeviceMetricsOverride", width=self.size[0], height=height,
                   deviceScaleFactor=1, mobile=False)  # fmt: skip

    def _send(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            said = json.loads(self._socket.recv(timeout=60))
            if said.get("id") == self._number:
                assert "error" not in said, said["error"]
                result: dict[str, Any] = said["result"]
                return result
            self._events.append(said)


def _read(event: dict[str, Any], seen: Seen) -> None:
    params = event.get("params", {})
    match event.get("method"):
        case "Network.requestWillBeSent":
            seen.requests.append(params["request"]["url"])
        case "Network.loadingFinished":
            seen.bytes += int(params.get("encodedDataLength", 0))
        case "Network.loadingFailed" if not params.get("canceled"):
            seen.complaints.append(f"failed: {params['errorText']}")
        case "Runtime.exceptionThrown":
            seen.complaints.append(str(params["exceptionDetails"].get("text")))
        case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning", "assert"):
            seen.complaints.append(str([a.get("value") for a in params["args"]]))
        case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
            seen.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
