"""The outermost layer: every request is counted, timed and written down, whatever became of it."""

from __future__ import annotations

import re
import secrets
import time

from dispatch_qa.web.asgi import App, Message, Receive, Scope, Send
from dispatch_qa.web.logs import log
from dispatch_qa.web.metrics import Metrics

_FAILED = 500  # what the server answers where the app broke off before it had begun to
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OWN = re.compile(r"/(api/v1/[a-z.]+|healthz|readyz|metrics|mcp)$")


class Observed:
    """Logs and counts requests. Of an address, the part after `?` may hold a question: it is never written down."""

    def __init__(self, app: App, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status, request_id = time.perf_counter(), _FAILED, secrets.token_hex(8)

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                named = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
                message = {**message, "headers": named}
            await send(message)

        try:
            await self.app(scope, receive, sent)
        finally:
            seconds = time.perf_counter() - started
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self.metrics.request(_route(scope["path"], status), method, status, seconds)
            log(
                "request",
                id=request_id,
                method=scope["method"][:20],
                path=scope["path"][:200],
                status=status,
                ms=round(1000 * seconds, 1),
                client=(scope.get("client") or ("",))[0],
            )


def _route(path: str, status: int) -> str:
    """A name for where a request went; of those there are few, whatever strangers ask for."""
    if status == 404:
        return "none"
    if found := _OWN.search(path):
        return f"/{found[1]}"
    return "page"
