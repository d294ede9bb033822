"""The HTTP API: what the command line prints with --json, over POST and GET, described by OpenAPI."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from dispatch_qa import present
from dispatch_qa.answer import cite
from dispatch_qa.errors import Busy, DispatchQAError, InputRejected, StoreLocked
from dispatch_qa.qa import DispatchQA
from dispatch_qa.records import Citation, Span
from dispatch_qa.settings import MAX_QUESTION_CHARS
from dispatch_qa.web.feedback import Feedback, judge
from dispatch_qa.web.logs import log
from dispatch_qa.web.pool import Pool, shown

PREFIX = "/api/v1"
MAX_ID_CHARS = 1_000
RETRY_SECONDS = 1


class Question(BaseModel):
    """A question in any language."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: str = Field(min_length=1, max_length=MAX_QUESTION_CHARS, examples=["Which British firms attended?"])
    k: int | None = Field(None, ge=1, le=100, description="At most so many passages; 3 where it is left out.")


class Judgement(BaseModel):
    """Whether a passage that was found for a question answers it. `start` and `end` are the passage's."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: str = Field(min_length=1, max_length=MAX_QUESTION_CHARS)
    dispatch_id: str = Field(min_length=1, max_length=MAX_ID_CHARS)
    start: int = Field(ge=0, le=1 << 40)
    end: int = Field(ge=1, le=1 << 40)
    relevant: bool


class Problem(BaseModel):
    """Why a request was refused, in words for a person."""

    status: int
    message: str


class Refused(BaseModel):
    """An error."""

    error: Problem


class AnswerBody(BaseModel):
    """As `dispatch-qa ask --json`. Offsets are code points into the dispatch's text, ends exclusive."""

    schema_version: Literal[1]
    question: str
    supported: bool
    confidence: float | None
    answer: str
    citations: list[Citation]
    nearest: list[Citation]


class Parts(BaseModel):
    """What a score is made of."""

    dense: float
    sentence: float
    lexical: float


class HitBody(BaseModel):
    """A passage that was found, with the place and the parts of its score."""

    number: int
    dispatch_id: str
    language: str
    paragraph: int
    start: int
    end: int
    quote: str
    evidence: dict[str, int | str]
    score: float
    parts: Parts


class SearchBody(BaseModel):
    """As `dispatch-qa search --json`."""

    schema_version: Literal[1]
    question: str
    hits: list[HitBody]


class DispatchBody(BaseModel):
    """As `dispatch-qa show --json`: the dispatch with all the wire's fields, and its text's SHA-256."""

    model_config = ConfigDict(extra="allow")

    schema_version: Literal[1]
    id: str
    text: str
    language: str
    marks: list[tuple[str, Span]]
    pages: list[int]
    sha256: str


class InfoBody(BaseModel):
    """As `dispatch-qa info --json`; of the folder, only its name."""

    model_config = ConfigDict(extra="allow")

    schema_version: Literal[1]
    index: str
    dispatches: list[str]
    passages: int
    model: str
    generation: str


class Kept(BaseModel):
    """Under which names a judgement was kept."""

    query_id: str
    corpus_id: str


_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Refused, "description": "The body is no JSON."},
    401: {"model": Refused, "description": "Name and password, or the token, are missing or wrong."},
    403: {"model": Refused, "description": "The request comes from another site's page."},
    413: {"model": Refused, "description": "The body is too large."},
    421: {"model": Refused, "description": "The server does not go by that name."},
    422: {"model": Refused, "description": "What was given cannot be used; the message says why."},
    503: {"model": Refused, "description": "Too many questions at once; ask again after `Retry-After` seconds."},
}


def make_router(pool: Pool, feedback: Feedback | None) -> APIRouter:
    """The routes of the API."""
    router = APIRouter(prefix=PREFIX, responses=_REFUSALS)

    @router.post("/ask", response_model=AnswerBody)
    async def ask(asked: Question) -> JSONResponse:
        """Answer a question from the dispatches, or say that they do not."""
        answer = await asyncio.wrap_future(pool.asking(asked.question, asked.k))
        return JSONResponse(present.answer_json(answer))

    @router.post("/search", response_model=SearchBody)
    async def search(asked: Question) -> JSONResponse:
        """Find the passages nearest to a question, whether or not they answer it."""
        return await _json(pool.submit(lambda store: found(store, asked.question, asked.k)))

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
            passages = await asyncio.wrap_future(pool.submit(lambda store: judge(store, judgement.question, span)))
            ids = await asyncio.to_thread(feedback.keep, judgement.question, passages, judgement.relevant)
            return JSONResponse({"query_id": ids[0], "corpus_id": ids[1]}, 201)

    return router


def found(store: DispatchQA, question: str, k: int | None) -> present.Json:
    """What a search finds, as the command line prints it."""
    hits = store.search(question, k)
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
