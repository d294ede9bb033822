"""What stands between the network and the app: ASGI layers, each with one reason to refuse.

From the outside in: headers on whatever leaves, the name the server was called by, where a browser's request comes
from, who asks, which of Gradio's doors stay shut, how much may be sent.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping

from dispatch_qa.readers.limits import MAX_FILE_BYTES
from dispatch_qa.web.asgi import App, Message, Receive, Scope, Send, header, refuse, without
from dispatch_qa.web.doors import NoFileNames, ShutDoors
from dispatch_qa.web.settings import ADD_PATH, ServerSettings

BODY_SECONDS = 30
"""How long a body may take to arrive."""

OPEN_PATHS = frozenset({"/healthz", "/readyz"})
"""What is told without a password: that the server is there, and whether it can answer."""

_POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' data: blob:",
    "connect-src": "'self'",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}

_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

_INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script\s*>", re.DOTALL | re.IGNORECASE)


def guarded(app: App, settings: ServerSettings) -> App:
    """`app` behind all the layers."""
    adding = _under(settings.root_path, {ADD_PATH}) if settings.allow_add else frozenset()
    app = NoFileNames(app, but=adding)
    app = BodyLimit(app, settings.max_body, dict.fromkeys(adding, MAX_FILE_BYTES))
    app = ShutDoors(app)
    app = Credentials(app, settings.auth, settings.token, open_paths=_under(settings.root_path, OPEN_PATHS))
    app = SameOrigin(app)
    app = KnownName(app, (settings.host, *settings.names), any_address=not settings.loopback)
    return Headers(app)


class Headers:
    """Puts the security headers on every answer, and no permission for other origins.

    A page's inline scripts are allowed by their digests, as the server sent them: a handler or a script that
    text smuggles into the page later is none of them and does not run.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if b"text/html" in header(scope, b"accept"):
            # A page is read here, so it must not come compressed.
            scope = without(scope, b"accept-encoding")
        held: Message | None = None  # the start of a page, until its scripts are known
        page = bytearray()

        async def sent(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start":
                if header(message, b"content-type").startswith(b"text/html"):
                    held = message
                else:
                    await send(_with_headers(message, _policy([])))
            elif held is not None and message["type"] == "http.response.body":
                page.extend(message.get("body", b""))
                if not message.get("more_body"):
                    scripts = [match[1] for match in _INLINE_SCRIPT.finditer(page)]
                    await send(_with_headers(held, _policy(scripts)))
                    await send({"type": "http.response.body", "body": bytes(page)})
            else:
                await send(message)

        await self.app(scope, receive, sent)


class KnownName:
    """Refuses a request that calls the server by a name that is not its own, as DNS rebinding does.

    An address cannot be rebound: where others may connect, any is right. What a proxy says that it was called is
    held to the same, because Gradio believes it; what only Gradio's own hosting says is taken away.
    """

    def __init__(self, app: App, names: Iterable[str], *, any_address: bool) -> None:
        self.app = app
        self.names = {name.casefold().strip("[]") for name in names} | {"localhost", "127.0.0.1", "::1"}
        self.any_address = any_address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            called = [header(scope, b"host"), *filter(None, header(scope, b"x-forwarded-host").split(b","))]
            if not all(self._knows(name.decode("latin-1").strip()) for name in called):
                await refuse(send, 421, "this server does not go by that name; it is given one with --name")
                return
            scope = without(scope, b"x-gradio-server")
        await self.app(scope, receive, send)

    def _knows(self, host: str) -> bool:
        name = _hostname(host)
        return name is not None and (name in self.names or (self.any_address and _is_address(name)))


class SameOrigin:
    """Refuses what a browser sends on behalf of another site's page: only safe methods may come from anywhere."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # nothing here speaks it
        elif scope["type"] == "http" and scope["method"] not in ("GET", "HEAD") and not self._same(scope):
            await refuse(send, 403, "this request comes from another site's page")
        else:
            await self.app(scope, receive, send)

    def _same(self, scope: Scope) -> bool:
        if header(scope, b"sec-fetch-site") in (b"cross-site", b"same-site"):
            return False
        origin = header(scope, b"origin").decode("latin-1")
        host = header(scope, b"host").decode("latin-1")
        # Behind a proxy the scheme is the proxy's, so names and ports decide.
        return not origin or origin.partition("://")[2].casefold() == host.casefold()


class Credentials:
    """Asks for name and password, or the token, and compares in constant time."""

    def __init__(self, app: App, auth: str | None, token: str | None, open_paths: Collection[str] = OPEN_PATHS) -> None:
        self.app = app
        self.open_paths = open_paths
        accepted = []
        if auth is not None:
            accepted.append(b"basic " + base64.b64encode(auth.encode()))
        if token is not None:
            accepted.append(b"bearer " + token.strip().encode())
        self._accepted = [hashlib.sha256(one).digest() for one in accepted]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._accepted or scope["path"] in self.open_paths or self._known(scope):
            await self.app(scope, receive, send)
        else:
            challenge = [(b"www-authenticate", b'Basic realm="Dispatch QA", charset="UTF-8"')]
            await refuse(send, 401, "name and password, or the token, are missing or wrong", challenge)

    def _known(self, scope: Scope) -> bool:
        scheme, _, secret = header(scope, b"authorization").partition(b" ")
        given = hashlib.sha256(scheme.lower() + b" " + secret.strip()).digest()
        return any(hmac.compare_digest(given, one) for one in self._accepted)


class BodyLimit:
    """Reads a body before anything else sees it: at most so many bytes, whatever its header says, in bounded time.

    Args:
        limit: bytes.
        others: the limits of paths that have one of their own.
    """

    def __init__(self, app: App, limit: int, others: Mapping[str, int] | None = None) -> None:
        self.app = app
        self.limit = limit
        self.others = others or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.others.get(scope["path"], self.limit)
        declared = header(scope, b"content-length")
        if declared.isdigit() and int(declared[:20]) > limit:
            await self._refuse(send, limit)
            return
        body, more = bytearray(), True
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(body) > limit:
                        await self._refuse(send, limit)
                        return
        except TimeoutError:
            await refuse(send, 408, f"the body did not arrive within {BODY_SECONDS} seconds")
            return
        whole: Message | None = {"type": "http.request", "body": bytes(body), "more_body": False}

        async def replayed() -> Message:
            nonlocal whole
            message, whole = whole, None
            return message if message is not None else await receive()

        await self.app(scope, replayed, send)

    async def _refuse(self, send: Send, limit: int) -> None:
        await refuse(send, 413, f"the request is larger than {limit:,} bytes")


def _under(root_path: str, paths: Collection[str]) -> frozenset[str]:
    """The paths as a proxy may pass them on: with the root path, or with it taken away."""
    return frozenset(paths) | {root_path + path for path in paths}


def _policy(scripts: Iterable[bytes]) -> str:
    digests = [f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'" for script in scripts]
    policy = _POLICY | {"script-src": " ".join([_POLICY["script-src"], *dict.fromkeys(digests)])}
    return "; ".join(f"{name} {value}" for name, value in policy.items())


def _with_headers(start: Message, policy: str) -> Message:
    """The start of an answer with the security headers in place of its own, and none that lets other origins in."""
    ours = {name.encode(): value.encode() for name, value in (_HEADERS | {"content-security-policy": policy}).items()}
    kept = [
        (name, value)
        for name, value in start.get("headers", [])
        if name.lower() not in ours and not name.lower().startswith(b"access-control-")
    ]
    return {**start, "headers": [*kept, *ours.items()]}


def _hostname(host: str) -> str | None:
    """The name in a Host header, without its port; `None` where it is none."""
    found = re.fullmatch(r"([\w.-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?", host, re.ASCII)
    return found[1].strip("[]").rstrip(".").casefold() if found else None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
