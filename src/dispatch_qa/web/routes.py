"""What the page's script fetches: its own files, a dispatch, why a passage was found, and what the desk holds."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from dispatch_qa import present
from dispatch_qa.errors import DispatchQAError, InputRejected, build_command
from dispatch_qa.readers import shipped_dispatch
from dispatch_qa.web.api import told_apart
from dispatch_qa.web.bodies import Where, filter_of

if TYPE_CHECKING:
    from fastapi import FastAPI, Response

    from dispatch_qa.web.desk import Desk

STATIC = files("dispatch_qa").joinpath("web/static")
MOST = 10
"""Most passages that the page asks for."""

_TYPES = {"js": "text/javascript", "css": "text/css", "json": "application/json", "svg": "image/svg+xml"}


def add_routes(app: FastAPI, desks: Mapping[str, Desk], *, may_add: bool = False) -> None:
    """Add what lies under `/page/` to `app`.

    Args:
        desks: the stores by name; an unknown name means the first.
        may_add: whether the server takes files, which go into the first store.
    """
    from fastapi import Body, Query
    from fastapi.responses import JSONResponse
    from fastapi.responses import Response as Plain

    def desk(name: str) -> Desk:
        return desks.get(name) or next(iter(desks.values()))

    def told(error: DispatchQAError) -> JSONResponse:
        status, message = told_apart(error)
        return JSONResponse({"error": message}, 404 if isinstance(error, InputRejected) else status)

    @app.get("/page/desk", include_in_schema=False)
    def about(store: str = "") -> JSONResponse:
        try:
            return JSONResponse(_about(desk(store)) | {"may_add": may_add})
        except DispatchQAError as error:
            return told(error)

    @app.get("/page/dispatch", include_in_schema=False)
    def dispatch(dispatch_id: str = Query(alias="id", max_length=1_000), store: str = "") -> JSONResponse:
        try:
            return JSONResponse(present.dispatch_json(desk(store).show(dispatch_id)))
        except DispatchQAError as error:
            return told(error)

    # In a body and not in an address, which servers and proxies write down.
    @app.post("/page/why", include_in_schema=False)
    def why(
        question: str = Body(),
        start: int = Body(),
        dispatch_id: str = Body(alias="id"),
        store: str = Body(""),
        k: int = Body(MOST, ge=1, le=MOST),
        where: Where | None = None,
    ) -> JSONResponse:
        """The parts of the score of the passage at `start` in the dispatch of that id."""
        try:
            hits = desk(store).search(question, k, filter_of(where))
        except DispatchQAError as error:
            return told(error)
        for rank, hit in enumerate(hits, start=1):
            if hit.passage.dispatch_id == dispatch_id and hit.passage.span.start == start:
                parts = {"dense": hit.dense, "sentence": hit.sentence, "lexical": hit.lexical}
                return JSONResponse({"rank": rank, "score": hit.score, "parts": parts})
        return JSONResponse({"error": "this passage is no longer among those found"}, 404)

    @app.get("/page/{name}", include_in_schema=False)
    def static(name: str) -> Response:
        # Only names that are listed are read, so that no name leads out of the folder.
        known = {file.name: file for file in STATIC.iterdir()}
        if name not in known:
            return Plain(status_code=404)
        media = _TYPES[name.rpartition(".")[2]]
        return Plain(known[name].read_bytes(), media_type=media, headers={"Cache-Control": "no-cache"})


def _about(desk: Desk) -> dict[str, Any]:
    info = desk.info()
    shipped = shipped_dispatch()
    return {
        "passages": info.passages,
        "dispatches": len(info.dispatches),
        "first": next(iter(info.dispatches), None),
        "shipped": info.dispatches == [shipped.id] and desk.show(shipped.id).sha256 == shipped.sha256,
        # Where the store lies is nobody's business, but who looks at an empty one has to fill it.
        "command": None if info.passages else build_command(info.index),
    }
