"""Every error that Dispatch QA raises on purpose, in one tree.

    DispatchQAError
    ├── InputRejected          what was given cannot be used: empty, too long, not text, unknown id
    ├── ModelError             the embedding model cannot be found, prepared or trusted
    ├── StoreError
    │   ├── StoreMissing       there is no store where one was expected
    │   ├── StoreForeign       something is there, but it is not a Dispatch QA store
    │   ├── StoreDamaged       the store is ours, but its content cannot be trusted
    │   ├── StoreOutdated      written by another format, model or way of splitting
    │   └── StoreLocked        another process is writing to it
    ├── CitationError          a quote is not what stands in its source: never shown, never dropped
    └── Busy                   as many questions wait already as may wait: ask again in a moment

The message is one line for a person: what came, what was expected, what to type next.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import ClassVar


class DispatchQAError(Exception):
    """Base of the tree. `exit_code` is what the command line leaves with."""

    exit_code: ClassVar[int] = 3


class InputRejected(DispatchQAError):
    """What was given cannot be used."""

    exit_code = 4


class ModelError(DispatchQAError):
    """The embedding model cannot be found, prepared or trusted."""


class StoreError(DispatchQAError):
    """Base of what can be wrong with a store."""


class StoreMissing(StoreError):
    """There is no store where one was expected."""


class StoreForeign(StoreError):
    """Something is there, but it is not a Dispatch QA store."""


class StoreDamaged(StoreError):
    """The store's content cannot be trusted."""


class StoreOutdated(StoreError):
    """The store was written by another format, model or way of splitting."""


class StoreLocked(StoreError):
    """Another process is writing to the store."""

    exit_code = 5


class CitationError(DispatchQAError):
    """A quote is not the slice of its source that it claims to be."""


class Busy(DispatchQAError):
    """As many questions wait already as may wait."""


def build_command(folder: Path, *, force: bool = False, paths: str = "PATH…") -> str:
    """The command that an error names as the next step, spelled the same everywhere."""
    words = ["dispatch-qa build", f"--index {shlex.quote(str(folder))}", "--force" if force else "", paths]
    return " ".join(word for word in words if word)


def migrate_command(folder: Path) -> str:
    """The command that brings a store of an earlier format over."""
    return f"dispatch-qa migrate --index {shlex.quote(str(folder))}"
