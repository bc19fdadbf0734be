"""An installation made of the files below docs/deploy, with paths and ports of a test in them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from configparser import RawConfigParser
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.workspace import PROJECT
from tests.support.dagster_ui import Ui, until_listed

FILES = PROJECT / "docs" / "deploy"
UNITS = ("code", "daemon", "webserver", "viewer")
PORTS = ("4266", "3000", "3001", "443")
DATABASE = re.compile(r"postgresql\+psycopg2://isthmus:CHANGE-ME@127\.0\.0\.1:5432/isthmus_(\w+)")
BIN = Path(sys.executable).parent
PASSWORDS = {"alice": "operates-7x", "bob": "looks-on-5y"}
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


def unit(name: str) -> RawConfigParser:
    """Return a unit file's sections."""
    found = RawConfigParser(strict=False, interpolation=None)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read_string((FILES / f"isthmus-{name}.service").read_text("utf-8"))
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Place:
    """Where a test has what stands in /srv, /opt and /etc; `databases` are URLs by their names."""

    folder: Path
    databases: Mapping[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=lambda: {port: free_port() for port in PORTS})

    @property
    def srv(self) -> Path:
        return self.folder / "srv"

    def text(self, name: str) -> str:
        """Return a file of docs/deploy as this place needs it."""
        text = (FILES / name).read_text("utf-8")
        for path, own in (
            ("/opt/isthmus/.venv/bin", BIN),
            ("/srv/isthmus", self.srv),
            ("/etc/nginx", self.folder),
            ("/etc/ssl/isthmus", self.folder),
            ("/etc/isthmus", self.folder),
        ):
            text = text.replace(path, str(own))
        for port, own_port in self.ports.items():
            text = re.sub(rf"(?<=[ :]){port}\b", str(own_port), text)
        if self.databases:
            text = DATABASE.sub(lambda found: self.databases[found[1]], text)
        else:
            text = re.sub(rf"(?m)^\w+={DATABASE.pattern}\n", "", text)
        return text

    @property
    def env(self) -> dict[str, str]:
        """The variables of isthmus.env."""
        lines = self.text("isthmus.env").splitlines()
        said = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("PYTEST", "ISTHMUS"))}
        return {n: v for n, v in kept.items() if not n.startswith("DAGSTER")} | said

    def prepare(self) -> Path:
        """Run prepare.sh; DAGSTER_HOME."""
        subprocess.run([FILES / "prepare.sh"], env=self.env, check=True)
        home = Path(self.env["DAGSTER_HOME"])
        (home / "workspace.yaml").write_text(self.text("workspace.yaml"))
        return home

    def command(self, name: str) -> list[str]:
        """Return what a unit starts."""
        said = RawConfigParser(strict=False, interpolation=None)
        said.read_string(self.text(f"isthmus-{name}.service"))
        return shlex.split(said["Service"]["ExecStart"])


@contextmanager
def running(place: Place, *names: str) -> Iterator[Ui]:
    """Run the services of the units while the block runs; the operators' UI, without the proxy."""
    log = place.folder / "services.log"
    with ExitStack() as stack, log.open("w") as out:
        for name in names:
            stack.enter_context(process(place.command(name), place, out))
        ui = Ui(f"http://127.0.0.1:{place.ports['3000']}")
        until_listed(ui, log)
        yield ui


@contextmanager
def process(command: list[str], place: Place, out: object) -> Iterator[int]:
    """Run a service while the block runs, and end it with all its children."""
    child = subprocess.Popen(  # type: ignore[call-overload]
        command, env=place.env, cwd=place.srv, stdout=out, stderr=out, start_new_session=True
    )
    try:
        yield child.pid
    finally:
        for by in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(child.pid, by)
                child.wait(20)
                break
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue


MAIN = """\
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/t1;
    proxy_temp_path {folder}/t2;
    fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4;
    scgi_temp_path {folder}/t5;
    include {folder}/isthmus.conf;
}}
"""


@contextmanager
def proxy(place: Place) -> Iterator[str]:
    """Run nginx with the recipe while the block runs; its address."""
    folder = place.folder
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem",
         "-out", folder / "cert.pem"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    users = ""
    for name, password in PASSWORDS.items():
        said = ["openssl", "passwd", "-apr1", password]
        users += f"{name}:{subprocess.run(said, capture_output=True, text=True).stdout}"
    (folder / "isthmus.users").write_text(users)
    (folder / "isthmus.operators").write_text("~^alice$ isthmus_operators;\n")
    recipe = place.text("nginx.conf").replace("listen ", "listen 127.0.0.1:")
    (folder / "isthmus.conf").write_text(recipe)
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "main.conf").write_text(MAIN.format(folder=folder, user=user))
    command = [str(NGINX), "-p", str(folder), "-e", str(folder / "nginx.log"), "-c",
               str(folder / "main.conf")]  # fmt: skip
    with (folder / "nginx.out").open("w") as out, process(command, place, out):
        port, until = place.ports["443"], time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < until, (folder / "nginx.log").read_text()
                time.sleep(0.05)
        yield f"https://127.0.0.1:{port}"
