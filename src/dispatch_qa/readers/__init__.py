"""Files to dispatches: one module a format, registered by suffix."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path

from dispatch_qa.errors import InputRejected
from dispatch_qa.readers import text
from dispatch_qa.records import Dispatch

MAX_FILE_BYTES = 50_000_000

Reader = Callable[[str, bytes], Dispatch]
"""Takes the dispatch's id and the file's bytes; raises `InputRejected` saying what is wrong with them."""

READERS: dict[str, Reader] = {".txt": text.read, ".text": text.read}


def shipped_dispatch() -> Dispatch:
    """The dispatch that ships with the package."""
    data = files("dispatch_qa").joinpath("data/dispatch.fr.txt").read_bytes()
    return text.read("dispatch.fr", data)


def read_paths(paths: Iterable[Path]) -> list[Dispatch]:
    """The dispatches of files and of folders (searched whole, in name order, for known suffixes).

    Raises:
        InputRejected: a path is missing, unreadable, empty, too large, of no known format or not text.
    """
    found: dict[str, Dispatch] = {}
    for path in paths:
        for file, name in _files(path):
            dispatch = _read(file, _free_id(name, found))
            found[dispatch.id] = dispatch
    if not found:
        raise InputRejected("no file to read was given")
    return list(found.values())


def _files(path: Path) -> list[tuple[Path, str]]:
    """The files under `path`, each with the name that its id is made from."""
    if path.is_dir():
        inside = sorted(file for file in path.rglob("*") if file.suffix.lower() in READERS and file.is_file())
        if not inside:
            raise InputRejected(f"{path} holds no file to read; known formats: {', '.join(READERS)}")
        return [(file, file.relative_to(path).with_suffix("").as_posix()) for file in inside]
    return [(path, path.stem)]


def _read(file: Path, dispatch_id: str) -> Dispatch:
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        raise InputRejected(f"{file} has the suffix {file.suffix!r}; known formats: {', '.join(READERS)}")
    try:
        if (size := file.stat().st_size) > MAX_FILE_BYTES:
            raise InputRejected(f"{file} has {size:,} bytes; at most {MAX_FILE_BYTES:,} are read")
        data = file.read_bytes()
    except OSError as error:
        raise InputRejected(f"{file} cannot be read: {error.strerror}") from error
    try:
        return reader(dispatch_id, data)
    except InputRejected as error:
        raise InputRejected(f"{file} {error}") from error


def _free_id(name: str, taken: Iterable[str]) -> str:
    """`name` as a dispatch id: NFC, and with a number behind it where another file has the name already."""
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InputRejected(f"the file name {name!r} is not UTF-8; rename the file") from error
    name = unicodedata.normalize("NFC", name)
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name}-{number}", number + 1
    return candidate
