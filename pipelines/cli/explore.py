"""`explore`: the workbench in a browser, on the published file."""

from __future__ import annotations

import os
import secrets
import socket
from typing import Annotated

import typer

from pipelines.cli.codes import CliError
from pipelines.cli.show import remark, say
from pipelines.texts import Language, language, t

TOKEN = "ISTHMUS_EXPLORE_TOKEN"  # noqa: S105  the name of the variable
LANGUAGES = ("en", "zh")


def explore(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help=t("opt.port"))] = 8808,
    host: Annotated[str, typer.Option("--host", help=t("opt.explore_host"))] = "127.0.0.1",
    lang: Annotated[str, typer.Option("--lang", help=t("opt.explore_lang"))] = "",
    no_open: Annotated[bool, typer.Option("--no-open", help=t("opt.explore_no_open"))] = False,
) -> None:
    """Open the workbench on what is published; it ends with Ctrl-C."""
    from pipelines.cli.query import current
    from pipelines.cli.session import workspace

    if lang and lang not in LANGUAGES:
        raise CliError(t("explore.lang", lang=lang), t("explore.lang_do"))
    chosen: Language = "zh" if (lang or language()) == "zh" else "en"
    home = workspace().home
    current(home)
    from pipelines.explore.access import Door, is_loopback
    from pipelines.explore.server import Workbench
    from warehouse.current import Current

    near = is_loopback(host)
    token = os.environ.get(TOKEN, "") or ("" if near else secrets.token_urlsafe(24))
    bound = _bind(host, port)
    # With a token, a server before it may hand requests on under its own name.
    names = frozenset({"127.0.0.1", "localhost", "::1", host} if near and not token else ())
    published = Current(home)
    try:
        door = Door(Workbench(published, chosen).app, token, names)
        shown = socket.gethostname() if host in ("0.0.0.0", "::") else host  # noqa: S104
        shown = f"[{shown}]" if ":" in shown else shown
        address = f"http://{shown}:{bound.getsockname()[1]}/"
        say(t("explore.at", url=f"{address}?token={token}" if token else address))
        if not near:
            remark(t("explore.shared"))
        if not no_open and near:
            _open(f"{address}?token={token}" if token else address)
        _serve(door, bound)
    finally:
        published.close()
        bound.close()


def _bind(host: str, port: int) -> socket.socket:
    """Take the port before anything is promised; ends the command where it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen()  # who comes before it answers waits
    except OSError as error:
        bound.close()
        raise CliError(
            t("explore.taken", host=host, port=port, why=error.strerror or error),
            t("explore.taken_do"),
        ) from None
    return bound


def _serve(app: object, bound: socket.socket) -> None:
    import uvicorn

    # No access log: an address may hold the token, or the number that somebody looked for.
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)  # type: ignore[arg-type]
    uvicorn.Server(config).run(sockets=[bound])


def _open(address: str) -> None:
    """Open the reader's browser where there is one; none is no trouble."""
    import webbrowser

    try:
        webbrowser.open(address)
    except webbrowser.Error:
        remark(t("explore.no_browser"))
