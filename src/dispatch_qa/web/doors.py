"""What Gradio offers to anybody and the page does not need, shut: files by name, other sites, uploads."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from urllib.parse import unquote

from dispatch_qa.web.asgi import App, Message, Receive, Scope, Send, refuse

MAX_NAME = 255
"""Bytes that a file's name may have; no part of an address is longer."""


class ShutDoors:
    """Shuts what Gradio offers and the page does not need: fetching other sites' files, proxying, uploads."""

    _SHUT = re.compile(
        r"/(file|stream)[=/]\s*([a-z][a-z0-9+.-]+:|[/\\]{2})|/proxy=|/(deep_link|monitoring|component_server)\b"
        r"|/upload(_progress)?/*$|(^|[=/\\])\.\.([/\\]|$)",
        re.IGNORECASE,
    )

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The path comes decoded once; what decodes further may be decoded further down.
        path = str(scope.get("path", ""))
        spellings = {path, unquote(path), unquote(unquote(path))}
        if any(len(part.encode(errors="replace")) > MAX_NAME or "\0" in part for part in path.split("/")):
            await refuse(send, 404, "nothing here has a name like that")  # and the file system would choke on it
        elif any(self._SHUT.search(one) for one in spellings):
            await refuse(send, 403, "this server fetches nothing, takes no files here and serves only its own")
        else:
            await self.app(scope, receive, send)


class NoFileNames:
    """Refuses what names a file for Gradio to read.

    Gradio takes such a name from anybody, copies the file into its cache and serves it from there; in an app that is
    mounted, as this one is, it does not look where the file lies. Nothing that the page sends names any.
    Sits inside `BodyLimit`, so that a body comes in one piece. `but` are paths whose bodies Gradio never sees.
    """

    def __init__(self, app: App, but: Collection[str] = ()) -> None:
        self.app = app
        self.but = but

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD") or scope["path"] in self.but:
            await self.app(scope, receive, send)
            return
        whole: Message | None = await receive()
        if _names_file((whole or {}).get("body", b"")):
            await refuse(send, 403, "this server reads no files that a request names")
            return

        async def replayed() -> Message:
            nonlocal whole
            message, whole = whole, None
            return message if message is not None else await receive()

        await self.app(scope, replayed, send)


def _names_file(body: bytes) -> bool:
    """Whether JSON holds an object with a path, at any depth; what Gradio cannot parse either names nothing."""
    try:
        left = [json.loads(body)] if body else []
    except (ValueError, RecursionError):
        return False
    while left:
        match left.pop():
            case dict() as held:
                if "path" in held:
                    return True
                left += held.values()
            case list() as held:
                left += held
    return False
