"""What a server can be told, checked before anything is opened."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from dispatch_qa.errors import InputRejected

MEGABYTE = 1 << 20

PREFIX = "/api/v1"
ADD_PATH = f"{PREFIX}/add"
"""Where files may be sent, if anywhere."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where to listen, whom to let in, what to keep. Raises `InputRejected` where a value makes no sense."""

    host: str = "127.0.0.1"
    port: int = 7860
    root_path: str = ""
    """The path under which a proxy passes requests on, as in /dispatches."""
    auth: str | None = None
    """NAME:PASSWORD that a browser must give."""
    token: str | None = None
    """A token that a program may give instead, as a bearer."""
    names: tuple[str, ...] = ()
    """Names, beside its addresses, by which the server may be called."""
    allow_add: bool = False
    log_questions: bool = False
    feedback: Path | None = None
    """Folder in which judged passages are kept; `None` keeps none."""
    workers: int | None = None
    """Threads that answer; by default as many as cores."""
    waiting: int = 64
    """Questions that may wait for one."""
    max_body: int = MEGABYTE
    """Bytes that a request may carry, but for a file that is added: of those the readers say how large they may be."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise InputRejected(f"the port is {self.port}; it must lie between 0 and 65535, 0 for any that is free")
        if self.root_path and (not self.root_path.startswith("/") or self.root_path.endswith("/")):
            raise InputRejected(f"the root path is {self.root_path!r}; it must look like /dispatches")
        if self.auth is not None and not all(self.auth.partition(":")):
            raise InputRejected("--auth needs a name and a password with a colon between them, as in editor:secret")
        if self.token is not None and (not self.token.strip() or not self.token.isascii()):
            raise InputRejected("the token is empty or not ASCII; give a long random one")

    @property
    def guarded(self) -> bool:
        """Whether anything must be known to be let in."""
        return self.auth is not None or self.token is not None

    @property
    def loopback(self) -> bool:
        """Whether only this machine can connect."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def warnings(self) -> list[str]:
        """What is missing where others can connect."""
        if self.loopback:
            return []
        missing = []
        if not self.guarded:
            missing.append(
                f"anyone who reaches {self.host}:{self.port} can read every dispatch, because no password is asked "
                "for: set DISPATCH_QA_AUTH=name:password, or leave --host out to serve this machine alone"
            )
            if self.allow_add:
                missing.append(
                    "and anyone who reaches it can add dispatches, which then answer: leave --allow-add out too, or "
                    "set DISPATCH_QA_AUTH"
                )
        missing.append(
            "what is asked and answered, passwords too, travels unencrypted: put a proxy with TLS before it and "
            "name it with --name"
        )
        return missing
