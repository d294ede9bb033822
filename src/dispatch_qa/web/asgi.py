"""The few words of ASGI that the layers share: what a message is, reading a header, refusing."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


async def refuse(send: Send, status: int, message: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Answer with an error in the API's form."""
    body = json.dumps({"error": {"status": status, "message": message}}).encode()
    own = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    # Of what was sent nothing may be read as the next request.
    closing = [(b"connection", b"close")] if status in (408, 413) else []
    await send({"type": "http.response.start", "status": status, "headers": [*own, *closing, *headers]})
    await send({"type": "http.response.body", "body": body})


def header(message: Scope | Message, name: bytes) -> bytes:
    """The header of that name; where there are several, all of them, so that none that fits can hide another."""
    return b", ".join(value for key, value in message.get("headers", []) if key.lower() == name)


def without(scope: Scope, name: bytes) -> Scope:
    """The request as if it had not come with that header."""
    return {**scope, "headers": [pair for pair in scope["headers"] if pair[0].lower() != name]}
