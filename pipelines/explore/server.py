"""Answers the requests of the workbench: pages, files of tables, whether there is newer data."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from pipelines.explore.blocks import Notice, Page
from pipelines.explore.look import Look
from pipelines.explore.pages import MENU, breaks, customers, orders
from pipelines.explore.queries import BadValue, query
from pipelines.explore.words import Words
from pipelines.texts import Language
from warehouse import export
from warehouse.current import Current, Version
from warehouse.errors import WarehouseError

HERE = Path(__file__).parent
LANGUAGE = "isthmus_lang"
FILES = {
    "csv": (export.write_csv, "text/csv; charset=utf-8"),
    "xlsx": (
        export.write_xlsx,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
}
_EVERYTHING = 1_000_000


class Workbench:
    """The pages on what `current` has published; `language` is that of a reader who chose none."""

    def __init__(self, current: Current, language: Language) -> None:
        self.current = current
        self.language = language
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        one: dict[str, Callable[[Look, UUID], Page | None]] = {
            "order": orders.order, "break": breaks.one, "customer": customers.customer,
        }  # fmt: skip
        self.app = Starlette(routes=[
            Route("/", lambda request: RedirectResponse("/today", 303)),
            Route("/find", self.find),
            Route("/version", self.version),
            Route("/export/{page}/{name}.{ending}", self.export),
            Mount("/static", StaticFiles(directory=HERE / "static")),
            *(Route(f"/{name}", self._page(name, make)) for name, make in MENU.items()),
            *(Route(f"/{name}/{{id}}", self._thing(name, make)) for name, make in one.items()),
        ], exception_handlers={404: self._missing})  # fmt: skip

    def find(self, request: Request) -> Response:
        """Lead to the one order that a number means, else to the list of those it may mean."""
        q = request.query_params.get("q", "").strip()
        with self.current.asking() as version:
            look = Look(version, self._words(request))
            try:
                rows = orders.found(look, q) if q else []
            except WarehouseError:
                rows = []
        if len(rows) == 1:
            return RedirectResponse(f"/order/{rows[0]['order_id']}", 303)
        return RedirectResponse(look.link("/orders", q=q), 303)

    def version(self, request: Request) -> Response:
        """Tell which version is published, so that an open page can say that it is old."""
        try:
            return JSONResponse({"version": _name(self.current.stamp())})
        except WarehouseError:
            return JSONResponse({"version": ""})

    def export(self, request: Request) -> Response:
        """Return all rows of a question as a file; text cells never become formulas."""
        parts = request.path_params
        try:
            asked = query(f"{parts['page']}/{parts['name']}")
            write, media = FILES[parts["ending"]]
            values = asked.read(request.query_params)
        except (KeyError, BadValue):
            return self._missing(request, None)
        folder = tempfile.TemporaryDirectory(prefix="isthmus-explore-")
        file = Path(folder.name) / f"{parts['page']}-{parts['name']}.{parts['ending']}"
        try:
            with self.current.asking() as version:
                look = Look(version, self._words(request))
                always = {"zone": look.zone, "now": look.made_at, "most": _EVERYTHING}
                write(version.stream(asked.sql, {**always, **values}), file)
        except WarehouseError as error:
            folder.cleanup()
            return PlainTextResponse(f"{error.what} {error.do}", 503)
        return FileResponse(file, media_type=media, filename=file.name,
                            background=BackgroundTask(folder.cleanup))  # fmt: skip

    def _page(self, name: str, make: Callable[[Look], Page]) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            return self._drawn(request, name, make)

        return answer

    def _thing(
        self, name: str, make: Callable[[Look, UUID], Page | None]
    ) -> Callable[[Request], Response]:
        section = {"order": "orders", "break": "breaks", "customer": "customers"}[name]

        def answer(request: Request) -> Response:
            try:
                id = UUID(request.path_params["id"])
            except ValueError:
                return self._missing(request, None)
            return self._drawn(request, section, lambda look: make(look, id))

        return answer

    def _drawn(
        self, request: Request, section: str, make: Callable[[Look], Page | None]
    ) -> Response:
        words = self._words(request)
        try:
            with self.current.asking() as version:
                page = make(Look(version, words, dict(request.query_params)))
                if page is None:
                    return self._missing(request, None)
                return self._html(request, words, section, page, version)
        except WarehouseError as error:
            page = Page(words("trouble"), blocks=[Notice(error.what, error.do, "bad")])
            return self._html(request, words, section, page, None, 503)

    def _missing(self, request: Request, _error: Any) -> Response:
        words = self._words(request)
        page = Page(words("missing"), blocks=[Notice(words("missing_what"), words("missing_do"))])
        return self._html(request, words, "", page, None, 404)

    def _html(
        self, request: Request, words: Words, section: str, page: Page, version: Version | None,
        status: int = 200,
    ) -> Response:  # fmt: skip
        look = Look(version, words) if version else None
        other = {n: v for n, v in request.query_params.items() if n != "lang"}
        text = self._templates.get_template("page.html").render(
            w=words, page=page, section=section, menu=list(MENU), q=other.get("q", ""),
            made_at=look.shown.moment(look.made_at) if look else "",
            zone=look.zone if look else "",
            stamp=_name(version.stamp) if version else "", path=request.url.path, other=other,
        )  # fmt: skip
        answer = HTMLResponse(text, status)
        if request.query_params.get("lang") in ("en", "zh"):
            answer.set_cookie(LANGUAGE, words.language, samesite="strict", httponly=True, path="/")
        return answer

    def _words(self, request: Request) -> Words:
        """Return the words of the language that the request names, else chose before."""
        for said in (request.query_params.get("lang"), request.cookies.get(LANGUAGE)):
            if said in ("en", "zh"):
                return Words("zh" if said == "zh" else "en")
        return Words(self.language)


def _name(stamp: tuple[int, int]) -> str:
    return f"{stamp[0]}-{stamp[1]}"
