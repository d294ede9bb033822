"""One server for the page, the API and MCP, behind one guard; and how it starts and stops."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware

from dispatch_qa import __version__
from dispatch_qa.archive import Archive
from dispatch_qa.errors import Busy, InputRejected, StoreError
from dispatch_qa.qa import DispatchQA
from dispatch_qa.records import Answer
from dispatch_qa.settings import Settings, default_data
from dispatch_qa.web.adding import Inbox
from dispatch_qa.web.api import handle_errors, make_router, problem
from dispatch_qa.web.asgi import App
from dispatch_qa.web.feedback import Feedback
from dispatch_qa.web.guard import guarded
from dispatch_qa.web.logs import configure, log
from dispatch_qa.web.metrics import CONTENT_TYPE, Metrics
from dispatch_qa.web.observe import Observed
from dispatch_qa.web.pool import Pool, Told
from dispatch_qa.web.settings import PREFIX, ServerSettings

STOP_SECONDS = 5
"""How long a request may still take when the server is told to stop."""

KEEP_ALIVE_SECONDS = 30
"""How long an idle connection is kept: longer than clients do, so that they do not find it closed."""

Mount = Callable[[FastAPI, Pool], object]


def make_app(
    pool: Pool,
    settings: ServerSettings,
    metrics: Metrics,
    *,
    feedback: Feedback | None = None,
    inbox: Inbox | None = None,
    mount: Mount | None = None,
) -> App:
    """The whole as one ASGI app. It closes the pool when it is shut down.

    Args:
        pool: who answers.
        metrics: where requests are counted; the pool's questions are counted by `counted`.
        feedback: where judged passages are kept, if anywhere.
        inbox: takes files in, if anybody may send any.
        mount: mounts the page at the root, behind all else.
    """
    mcp = _mcp(pool)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.callback(pool.close)
            if mcp is not None:
                await stack.enter_async_context(mcp.router.lifespan_context(mcp))
            yield

    app = FastAPI(
        title="Dispatch QA",
        version=__version__,
        description="Ask news dispatches in any language; get the sentences that answer, quoted letter for letter.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # its page would come from another site
        redoc_url=None,
        root_path=settings.root_path,
        lifespan=lifespan,
    )
    # With this in place Gradio gives no permissions to other origins either.
    app.add_middleware(CORSMiddleware, allow_origins=[])
    handle_errors(app)
    app.include_router(make_router(pool, feedback, inbox))
    _add_own_state(app, pool, metrics)
    if mcp is not None:
        app.router.routes.extend(mcp.routes)
    if mount is not None:
        mount(app, pool)
    return Observed(guarded(app, settings), metrics)


def counted(metrics: Metrics, *, log_questions: bool) -> Told:
    """Counts what becomes of questions; writes them down only where that was asked for."""

    def told(question: str, outcome: Answer | BaseException) -> None:
        match outcome:
            case Answer(supported=supported):
                name = "answered" if supported else "unsupported"
            case InputRejected():
                name = "rejected"
            case Busy():
                name = "busy"
            case _:
                name = "failed"
        metrics.question(name)
        if log_questions:
            log("question", question=question, outcome=name)

    return told


def serve(settings: Settings, server: ServerSettings, *, mount: Mount | None = None, json_logs: bool = True) -> None:
    """Serve until told to stop.

    Raises:
        InputRejected: the address cannot be had.
        StoreError: there is no usable store.
    """
    import uvicorn

    configure(as_json=json_logs)
    listening = listen(server)
    metrics = Metrics()
    pool = Pool(
        DispatchQA(settings, say=_warn),
        server.workers,
        server.waiting,
        say=_warn,
        told=counted(metrics, log_questions=server.log_questions),
    )
    pool.warm()  # while the page is imported, which takes as long
    feedback = _feedback(server)
    inbox = make_inbox(pool, settings) if server.allow_add else None
    app = make_app(pool, server, metrics, feedback=feedback, inbox=inbox, mount=mount)
    for missing in server.warnings():
        _warn(missing)
    name = f"[{server.host}]" if ":" in server.host else server.host
    log(f"serving on http://{name}:{listening.getsockname()[1]}{server.root_path}")
    # uvicorn raises the signal again when all is done: a stop that was asked for is no failure, Ctrl+C is told apart.
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    uvicorn.Server(
        uvicorn.Config(
            app,
            access_log=False,
            log_config=None,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=STOP_SECONDS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            # A refusal costs nothing, so more may connect than are answered; past this uvicorn itself says 503.
            limit_concurrency=2_000,
        )
    ).run(sockets=[listening])
    if feedback is not None:
        feedback.close()


def make_inbox(pool: Pool, settings: Settings) -> Inbox:
    """What takes files into the pool's store, with the model that the pool has loaded."""

    def archive() -> Archive:
        return Archive(settings, pool.submit(lambda store: store.embedder).result(), _warn)

    return Inbox(archive, default_data() / "added")


def _add_own_state(app: FastAPI, pool: Pool, metrics: Metrics) -> None:
    """What tells how the server is: alive, ready, and its figures."""

    @app.get("/healthz", include_in_schema=False)
    async def alive() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @app.get("/readyz", include_in_schema=False)
    async def ready() -> JSONResponse:
        return JSONResponse({"status": "ok"}) if pool.ready.is_set() else problem(503, "the model is being loaded")

    @app.get("/metrics", include_in_schema=False)
    async def figures() -> Response:
        return Response(metrics.text(pool.pending), media_type=CONTENT_TYPE)


def _mcp(pool: Pool) -> Starlette | None:
    """The MCP app, where its library is installed."""
    try:
        from dispatch_qa.web.mcp import http_app
    except ModuleNotFoundError as error:
        if error.name != "mcp":
            raise
        return None
    return http_app(pool)


def _feedback(server: ServerSettings) -> Feedback | None:
    if server.feedback is None:
        return None
    try:
        return Feedback(server.feedback)
    except StoreError as error:
        _warn(f"no feedback is kept: {error}")
        return None


def listen(server: ServerSettings) -> socket.socket:
    """The socket, bound before anything slow happens. Raises `InputRejected`, saying what to type next."""
    try:
        found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.create_server((server.host, server.port), family=found[0], backlog=512)
    except (OSError, UnicodeError) as error:
        raise InputRejected(
            f"{server.host}:{server.port} cannot be listened on ({getattr(error, 'strerror', None) or error}); "
            f"try another port: dispatch-qa serve --port {server.port + 1 if server.port < 65_535 else 0}"
        ) from error
    listening.set_inheritable(False)
    # An answer goes out at once, not when the client has acknowledged its headers, 40 ms later: accepted connections
    # inherit this, and asyncio does it only for sockets that it made itself.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _warn(line: str) -> None:
    log(line, logging.WARNING)
