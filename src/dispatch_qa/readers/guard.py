"""What a parsing library raises, turned into a refusal, in one place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dispatch_qa.errors import InputRejected


@contextmanager
def refusing(what: str, *errors: type[BaseException]) -> Iterator[None]:
    """Turn `errors` into `InputRejected`: the file cannot be read as `what`. Those that are one already pass."""
    try:
        yield
    except InputRejected:
        raise
    except errors as error:
        reason = " ".join(str(error).split())[:200] or "no reason given"
        raise InputRejected(f"cannot be read as {what}: {reason} ({type(error).__name__})") from error
