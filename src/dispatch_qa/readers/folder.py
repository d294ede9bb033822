"""The files that a path stands for."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from unicodedata import category

from dispatch_qa.errors import InputRejected

Found = tuple[Path, str | InputRejected]
"""A file, and the name that its id is made from or why it is not read."""


def walk(folder: Path, suffixes: Collection[str]) -> Iterator[Found]:
    """The files of a folder with one of `suffixes`, searched whole, in name order.

    Hidden files and folders are passed over. A link that leaves the folder, and a folder that cannot be opened, is
    given with the reason. A link to a folder inside is passed over too, so that no file is met twice.
    """
    root = folder.resolve()
    found: list[Path] = []
    closed: list[OSError] = []
    for place, folders, names in os.walk(folder, onerror=closed.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        links = [name for name in folders if Path(place, name).is_symlink()]
        found += [Path(place, name) for name in (*names, *links) if not name.startswith(".")]
    for error in closed:
        yield Path(str(error.filename)), InputRejected(f"{shown(str(error.filename))} cannot be read: {error.strerror}")
    for path in sorted(found):
        if path.suffix.lower() not in suffixes and not path.is_dir():
            continue
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            yield path, InputRejected(f"{shown(path)} is a link that leaves {shown(folder)}; name its target instead")
        elif path.is_file():
            yield path, path.relative_to(folder).with_suffix("").as_posix()


def shown(text: Path | str) -> str:
    """A path or a message as it can be shown on any terminal: controls, marks of direction and no-text are escaped."""
    return "".join(
        char
        if char.isprintable() or category(char) == "Zs"
        else char.encode("unicode_escape", "backslashreplace").decode("ascii")
        for char in str(text)
    )
