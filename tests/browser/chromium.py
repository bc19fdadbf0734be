"""A headless Chromium spoken to by its own protocol: open, press, look, and hear what it complains.

Debian's `chromium` and, for Chinese, `fonts-noto-cjk`.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

PATIENCE = 20.0


class Page:
    """One tab. `complaints` are errors of its console, of scripts, and of files that failed."""

    def __init__(self, wire: ClientConnection) -> None:
        self.wire = wire
        self.numbers = itertools.count(1)
        self.complaints: list[str] = []
        self.is_loaded = False
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one command and return its answer."""
        number = next(self.numbers)
        self.wire.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            said = json.loads(self.wire.recv(timeout=PATIENCE))
            if said.get("id") == number:
                if "error" in said:
                    raise RuntimeError(f"{method}: {said['error']}")
                return dict(said["result"])
            self._hear(said)

    def _hear(self, said: dict[str, Any]) -> None:
        kind, about = said.get("method"), said.get("params", {})
        if kind == "Page.loadEventFired":
            self.is_loaded = True
        elif kind == "Runtime.exceptionThrown":
            self.complaints.append(str(about["exceptionDetails"].get("text")))
        elif kind == "Runtime.consoleAPICalled" and about["type"] in ("error", "warning"):
            self.complaints.append(" ".join(str(a.get("value")) for a in about["args"]))
        elif kind == "Log.entryAdded" and about["entry"]["level"] in ("error", "warning"):
            self.complaints.append(about["entry"]["text"])
        elif kind == "Network.loadingFailed" and not about.get("canceled"):
            self.complaints.append(f"not loaded: {about.get('errorText')}")

    def size(self, width: int, height: int, *, dark: bool = False) -> None:
        """Set the window's size and which colours it prefers."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, address: str) -> None:
        """Go to an address and wait until it is loaded."""
        if self.run("location.href").partition("#")[0] == address.partition("#")[0]:
            self.ask("Page.navigate", url="about:blank")  # else it only moves inside the page
            self.run("0")
        self.is_loaded = False
        self.ask("Page.navigate", url=address)
        until = time.monotonic() + PATIENCE
        while not self.is_loaded:
            if time.monotonic() > until:
                raise TimeoutError(address)
            self.run("0")
            time.sleep(0.02)

    def run(self, script: str) -> Any:
        """Return what a script comes to."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def type(self, text: str) -> None:
        """Press keys where the focus is; a name of a key (`Enter`) is one key."""
        if text in ("Enter", "ArrowDown", "Escape"):
            code = {"Enter": 13, "ArrowDown": 40, "Escape": 27}[text]
            for kind in ("rawKeyDown", "keyUp"):
                self.ask(
                    "Input.dispatchKeyEvent", type=kind, key=text, code=text,
                    windowsVirtualKeyCode=code,
                )  # fmt: skip
            return
        for sign in text:
            self.ask("Input.dispatchKeyEvent", type="keyDown", text=sign, key=sign)
            self.ask("Input.dispatchKeyEvent", type="keyUp", key=sign)

    def move(self, x: float, y: float) -> None:
        """Put the pointer somewhere."""
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def look(self, file: Path) -> None:
        """Write a picture of what is seen."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot")["data"]))


@contextlib.contextmanager
def browser() -> Iterator[Page]:
    """Start Chromium with an empty profile and give its one tab."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise SystemExit("no chromium here: apt-get install chromium fonts-noto-cjk")
    with tempfile.TemporaryDirectory(prefix="isthmus-chromium-") as profile:
        process = subprocess.Popen(
            [found, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            port = _port(process)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=PATIENCE) as told:
                tabs = json.load(told)
            address = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
            with connect(address, max_size=None) as wire:
                yield Page(wire)
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _port(process: subprocess.Popen[str]) -> int:
    assert process.stderr is not None
    for line in process.stderr:
        if "DevTools listening on" in line:
            return int(line.rpartition(":")[2].partition("/")[0])
    raise SystemExit("Chromium did not start")
