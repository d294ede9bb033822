"""Files to dispatches: one module a format, found by the file's suffix and its content.

Another package adds a format by an entry point of the group `dispatch_qa.readers` that names a `Format`. It goes before
those that are built in. `dispatch_qa.readers.compose` puts its dispatches together.
"""

from __future__ import annotations

import stat
import sys
import unicodedata
from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from functools import cache
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple, Protocol

from dispatch_qa.errors import InputRejected
from dispatch_qa.readers import limits
from dispatch_qa.readers.folder import shown, walk
from dispatch_qa.readers.guard import refusing
from dispatch_qa.records import Dispatch


class Reader(Protocol):
    """What every format gives: bytes to dispatches."""

    def __call__(self, name: str, data: bytes, /) -> Iterable[Dispatch]:
        """The dispatches in `data`; `name` is the id of one that brings none of its own.

        Raises:
            InputRejected: the bytes cannot be used. The message goes on from the file's name: "is empty; …".
        """


class Sniffer(Protocol):
    """Looks at the beginning of a file."""

    def __call__(self, head: bytes, /) -> bool:
        """Whether `head`, the first 4,096 bytes, begins a file of the format."""


class Format(NamedTuple):
    """A format that can be read. `sniff` decides where formats share a suffix, and where the suffix is unknown."""

    name: str
    suffixes: tuple[str, ...]
    read: Reader
    sniff: Sniffer


ENTRY_POINTS = "dispatch_qa.readers"

_ERRORS_OF_OTHERS = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError, EOFError)


def formats() -> tuple[Format, ...]:
    """Every format that is read: those of other packages, then those that are built in.

    Raises:
        InputRejected: another package's format cannot be loaded.
    """
    # The path stands for what is installed: looking for entry points reads a file of every package.
    return (*_of_others(tuple(sys.path)), *_built_in())


@cache
def _built_in() -> tuple[Format, ...]:
    # Here and not above: a question about a store that stands reads no file, and need not wait for these.
    from dispatch_qa.readers import docx, feed, html, jsonlines, mail, markdown, newsml, ninjs, nitf, pdf, text

    return (
        Format("plain text", (".txt", ".text"), lambda name, data: [text.read(name, data)], lambda head: False),
        Format("Markdown", (".md", ".markdown"), markdown.read, lambda head: False),
        Format("NewsML-G2", (".xml", ".g2"), newsml.read, newsml.sniff),
        Format("NITF", (".xml", ".nitf"), nitf.read, nitf.sniff),
        Format("ninjs", (".json", ".ninjs"), ninjs.read, ninjs.sniff),
        Format("JSON Lines", (".jsonl", ".ndjson"), jsonlines.read, jsonlines.sniff),
        Format("RSS or Atom", (".rss", ".atom", ".xml", ".rdf"), feed.read, feed.sniff),
        Format("e-mail", (".eml",), mail.read, mail.sniff),
        Format("Word document", (".docx",), docx.read, docx.sniff),
        Format("PDF", (".pdf",), pdf.read, pdf.sniff),
        Format("HTML", (".html", ".htm", ".xhtml"), html.read, html.sniff),
    )


@cache
def _of_others(path: tuple[str, ...]) -> tuple[Format, ...]:
    found = []
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
        named = f"the reader {entry.name!r} of {entry.dist.name if entry.dist else 'a package'}"
        try:
            loaded = entry.load()
        except (ImportError, AttributeError) as error:
            raise InputRejected(f"{named} cannot be loaded: {error}; update the package or remove it") from error
        if not isinstance(loaded, Format):
            raise InputRejected(f"{named} is {type(loaded).__name__}, not Format; update the package or remove it")
        found.append(loaded)
    return tuple(found)


def suffixes() -> tuple[str, ...]:
    """Every suffix that some format reads."""
    return tuple(dict.fromkeys(suffix for format_ in formats() for suffix in format_.suffixes))


def shipped_dispatch() -> Dispatch:
    """The dispatch that ships with the package."""
    from dispatch_qa.readers import text

    data = files("dispatch_qa").joinpath("data/dispatch.fr.txt").read_bytes()
    return text.read("dispatch.fr", data)


def read_paths(paths: Iterable[Path]) -> list[Dispatch]:
    """The dispatches of files and of folders (searched whole, in name order, for known suffixes).

    Raises:
        InputRejected: a path is missing, unreadable, empty, too large, of no known format or broken.
    """
    found: list[Dispatch] = []
    for _, result in read_each(paths):
        if isinstance(result, InputRejected):
            raise result
        found += result
    if not found:
        raise InputRejected("no file to read was given")
    return found


def read_each(paths: Iterable[Path]) -> Iterator[tuple[Path, list[Dispatch] | InputRejected]]:
    """Each file under `paths`, in order and one at a time, with its dispatches or with why it has none.

    A file is all or nothing: one that breaks in its middle gives no dispatch. No two dispatches of one call
    have the same id, and each has its file as `source`. A folder without a file to read is one such failure.
    """
    taken: set[str] = set()
    for path in paths:
        for file, name in _files(path):
            try:
                if isinstance(name, InputRejected):
                    raise name
                dispatches = []
                for dispatch in read_file(file, name):
                    free = _free_id(dispatch.id, taken)
                    taken.add(free)
                    dispatches.append(replace(dispatch, id=free))
            except InputRejected as error:
                yield file, error
            else:
                yield file, dispatches


def read_file(file: Path, name: str | None = None) -> list[Dispatch]:
    """The dispatches of one file; `name` is the id of one that brings none, by default the file's stem.

    Raises:
        InputRejected: as `read_paths`. Nothing of a file is given where a part of it cannot be used.
    """
    name = _nameable(file.stem if name is None else name)
    _nameable(str(file))
    try:
        data = _bytes(file)
        format_ = format_of(file.suffix, data)
        # What other packages' formats raise is theirs to choose.
        with refusing(format_.name, *(() if format_ in _built_in() else _ERRORS_OF_OTHERS)):
            dispatches = list(format_.read(name, data))
        if not dispatches:
            raise InputRejected("holds no dispatch")
    except OSError as error:
        raise InputRejected(f"{shown(file)} cannot be read: {error.strerror or error}") from error
    except InputRejected as error:
        raise InputRejected(shown(f"{file} {error}")) from error
    return [replace(dispatch, source=str(file)) for dispatch in dispatches]


def format_of(suffix: str, data: bytes) -> Format:
    """The format of a file: the one of its suffix and its content, else of its content, else of its suffix.

    Raises:
        InputRejected: neither suffix nor content is known.
    """
    head = data[:4_096]
    by_suffix = [format_ for format_ in formats() if suffix.lower() in format_.suffixes]
    by_content = [format_ for format_ in formats() if format_.sniff(head)]
    both = [format_ for format_ in by_suffix if format_ in by_content]
    for candidates in (both, by_content, by_suffix):
        if candidates:
            return candidates[0]
    raise InputRejected(f"has the suffix {suffix!r}; known formats: {', '.join(suffixes())}")


def _bytes(file: Path) -> bytes:
    try:
        status = file.stat()
    except ValueError as error:
        raise InputRejected(f"is no path: {error}") from error
    if not stat.S_ISREG(status.st_mode):
        raise InputRejected("is no ordinary file")
    limits.at_most("bytes", status.st_size, limits.MAX_FILE_BYTES)
    with file.open("rb") as opened:
        # The file may grow while it is read.
        data = opened.read(limits.MAX_FILE_BYTES + 1)
    limits.at_most("bytes", len(data), limits.MAX_FILE_BYTES)
    return data


def _files(path: Path) -> Iterator[tuple[Path, str | InputRejected]]:
    """The files under `path`, each with the name that its id is made from."""
    if not path.is_dir():
        yield path, path.stem
        return
    empty = True
    for found in walk(path, suffixes()):
        empty = False
        yield found
    if empty:
        yield path, InputRejected(f"{shown(path)} holds no file to read; known formats: {', '.join(suffixes())}")


def _nameable(name: str) -> str:
    """`name` as a dispatch id that can be typed and shown. Raises `InputRejected` where it is not text."""
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InputRejected(f"the file name {shown(name)!r} is not UTF-8; rename the file") from error
    return shown(unicodedata.normalize("NFC", name))


def _free_id(name: str, taken: Container[str]) -> str:
    """`name`, with a number behind it where another dispatch has it already."""
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name}-{number}", number + 1
    return candidate
