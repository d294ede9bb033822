"""The HTTP API: what the command line prints with --json, over POST and GET, described by OpenAPI."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from dispatch_qa import present
from dispatch_qa.answer import cite
from dispatch_qa.errors import Busy, DispatchQAError, InputRejected, StoreLocked
from dispatch_qa.qa import DispatchQA
from dispatch_qa.records import Filter
from dispatch_qa.web.adding import Inbox
from dispatch_qa.web.bodies import (
    MAX_ID_CHARS,
    AddedBody,
    AnswerBody,
    DispatchBody,
    InfoBody,
    Judgement,
    Kept,
    Question,
    Refused,
    SearchBody,
    filter_of,
)
from dispatch_qa.web.feedback import Feedback, judge
from dispatch_qa.web.logs import log
from dispatch_qa.web.pool import Pool, shown
from dispatch_qa.web.settings import PREFIX

RETRY_SECONDS = 1

_BYTES = "application/octet-stream"
_FILE = {"type": "string", "contentMediaType": _BYTES}

_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Refused, "description": "The body is no JSON."},
    401: {"model": Refused, "description": "Name and password, or the token, are missing or wrong."},
    403: {"model": Refused, "description": "The request comes from another site's page."},
    413: {"model": Refused, "description": "The body is too large."},
    421: {"model": Refused, "description": "The server does not go by that name."},
    422: {"model": Refused, "description": "What was given cannot be used; the message says why."},
    503: {"model": Refused, "description": "Too many questions at once; ask again after `Retry-After` seconds."},
}


def make_router(pool: Pool, feedback: Feedback | None, inbox: Inbox | None = None) -> APIRouter:
    """The routes of the API. Judgements and files are taken where there is somewhere to keep them."""
    router = APIRouter(prefix=PREFIX, responses=_REFUSALS)

    @router.post("/ask", response_model=AnswerBody)
    async def ask(asked: Question) -> JSONResponse:
        """Answer a question from the dispatches, or say that they do not."""
        answer = await asyncio.wrap_future(pool.asking(asked.question, asked.k, filter_of(asked.where)))
        return JSONResponse(present.answer_json(answer))

    @router.post("/search", response_model=SearchBody)
    async def search(asked: Question) -> JSONResponse:
        """Find the passages nearest to a question, whether or not they answer it."""
        where = filter_of(asked.where)
        return await _json(pool.submit(lambda store: found(store, asked.question, asked.k, where)))

    @router.get("/show", response_model=DispatchBody, responses={404: {"model": Refused, "description": "No such id."}})
    async def show(id: Annotated[str, Query(min_length=1, max_length=MAX_ID_CHARS)]) -> JSONResponse:  # noqa: A002
        """Give a dispatch's text, in which every offset counts."""
        try:
            return await _json(pool.submit(lambda store: present.dispatch_json(shown(store, id))))
        except InputRejected as error:
            return problem(404, str(error))

    @router.get("/info", response_model=InfoBody)
    async def info() -> JSONResponse:
        """Tell what the store holds and what it was made with."""
        told = await asyncio.wrap_future(pool.submit(DispatchQA.info))
        return JSONResponse(present.info_json(told) | {"index": told.index.name})

    if feedback is not None:

        @router.post("/feedback", response_model=Kept, status_code=201)
        async def keep(judgement: Judgement) -> JSONResponse:
            """Keep whether a passage answers a question: judged questions that `dispatch-qa eval` can score."""
            span = (judgement.dispatch_id, judgement.start, judgement.end)
            where = filter_of(judgement.where)
            passages = await asyncio.wrap_future(
                pool.submit(lambda store: judge(store, judgement.question, span, where))
            )
            ids = await asyncio.to_thread(feedback.keep, judgement.question, passages, judgement.relevant)
            return JSONResponse({"query_id": ids[0], "corpus_id": ids[1]}, 201)

    @router.post(
        "/add",
        response_model=AddedBody,
        include_in_schema=inbox is not None,
        openapi_extra={"requestBody": {"required": True, "content": {_BYTES: {"schema": _FILE}}}},
    )
    async def add(name: Annotated[str, Query(min_length=1, max_length=MAX_ID_CHARS)], request: Request) -> JSONResponse:
        """Take a file of wire copy in, under its name; one that was sent before under that name is replaced."""
        if inbox is None:
            return problem(404, "this server takes no dispatches in; one that was started with --allow-add does")
        return JSONResponse(asdict(await asyncio.to_thread(inbox.add, name, await request.body())))

    return router


def found(store: DispatchQA, question: str, k: int | None, where: Filter | None = None) -> present.Json:
    """What a search finds, as the command line prints it."""
    hits = store.search(question, k, where)
    citations = [cite(number, hit, store.dispatch_of) for number, hit in enumerate(hits, start=1)]
    return present.hits_json(question, hits, citations)


def told_apart(error: DispatchQAError) -> tuple[int, str]:
    """The status and the words that a stranger is told for an error: never where things lie on the server."""
    if isinstance(error, InputRejected):
        return 422, str(error)
    if isinstance(error, Busy):
        return 503, str(error)
    if isinstance(error, StoreLocked):
        return 503, "the dispatches are being written just now; ask again in a moment"
    return 503, "the dispatches cannot be read just now; the server's log says why"


def problem(status: int, message: str) -> JSONResponse:
    """An error in the API's form."""
    headers = {"retry-after": str(RETRY_SECONDS)} if status == 503 else {}
    return JSONResponse({"error": {"status": status, "message": message}}, status, headers)


def handle_errors(app: FastAPI) -> None:
    """Give every error of `app` the API's form; none repeats what was sent."""

    @app.exception_handler(DispatchQAError)
    async def ours(_: Request, error: DispatchQAError) -> JSONResponse:
        status, message = told_apart(error)
        if not isinstance(error, InputRejected | Busy):
            log("store or model failed", 40, error=type(error).__name__, message=str(error))
        return problem(status, message)

    @app.exception_handler(RequestValidationError)
    async def unusable(_: Request, error: RequestValidationError) -> JSONResponse:
        whys = [f"{'.'.join(str(part) for part in why['loc'][1:])[:80]}: {why['msg']}" for why in error.errors()[:5]]
        broken = any(why["type"] == "json_invalid" for why in error.errors())
        return problem(400 if broken else 422, "; ".join(why.removeprefix(": ") for why in whys))

    @app.exception_handler(HTTPException)
    async def other(_: Request, error: HTTPException) -> JSONResponse:
        answer = problem(error.status_code, str(error.detail))
        answer.headers.update(error.headers or {})
        return answer


async def _json(body: Future[present.Json]) -> JSONResponse:
    return JSONResponse(await asyncio.wrap_future(body))
