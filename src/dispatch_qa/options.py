"""What the commands share: options, and how they print."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from dispatch_qa.records import Filter
from dispatch_qa.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

index_option = click.option(
    "--index",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the store. Default: $DISPATCH_QA_INDEX, else the one that ships with the package.",
)
k_option = click.option("-k", type=click.IntRange(1, 100), metavar="N", help="At most N passages.  [default: 3]")
threshold_option = click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    metavar="P",
    help="Refuse where an answer is less likely than P. `info` tells what the shipped threshold does.",
)
reader_option = click.option("--no-reader", is_flag=True, help="Show sentences, not the words in them that answer.")
json_option = click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
color_option = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Mark the evidence by style. auto: on a terminal, unless NO_COLOR is set.",
)

_FILTERS = {
    "since": ("DAY", "Only copy filed on DAY (YYYY-MM-DD) or later."),
    "until": ("DAY", "Only copy filed on DAY or earlier."),
    "language": ("CODE", "Only copy in that language (fr, en, …)."),
    "agency": ("NAME", "Only copy of that agency."),
    "slug": ("SLUG", "Only the story of that slug."),
    "status": ("STATUS", "Only copy of that status (usable, corrected)."),
    "folder": ("DIR", "Only copy that came from files under that folder."),
}


def filter_options(command: Command) -> Command:
    """Add the options that say which dispatches may answer; `where` takes what they were given."""
    for name, (kind, told) in reversed(_FILTERS.items()):
        command = click.option(f"--{name}", metavar=kind, help=told)(command)
    return command


def where(wanted: Mapping[str, str | None]) -> Filter | None:
    """The filter that was asked for, if any. A day that is none is a usage error."""
    try:
        found = Filter(**{field.name: wanted.get(field.name) for field in fields(Filter)})
    except ValueError as error:
        raise click.UsageError(f"--since and --until take a day, as in 2025-01-12: {error}") from error
    return None if found == Filter() else found


def settings_of(index: Path | None, no_reader: bool = False, threshold: float | None = None) -> Settings:
    """The settings of the environment, but for what was given; without a reader where none is wanted."""
    settings = Settings.from_env()
    return replace(
        settings,
        index=index or settings.index,
        reader="off" if no_reader else settings.reader,
        threshold=settings.threshold if threshold is None else threshold,
    )


def colored(choice: str) -> bool:
    """Whether to mark by style, where `--color` was `choice`."""
    return choice == "always" or (choice == "auto" and sys.stdout.isatty() and not os.environ.get("NO_COLOR"))


def dumps(value: object) -> str:
    """JSON for a person or a program."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def put(text: str) -> None:
    """Print data."""
    # Bytes, so that the text comes out the same whatever the terminal's encoding and click's view of colour.
    sys.stdout.buffer.write(text.encode() + b"\n")
    sys.stdout.flush()


@contextmanager
def progress(label: str) -> Iterator[tuple[Callable[[int], None], Callable[[int], None]]]:
    """A bar with rate and time left, for a person who is watching: gives `total` and `step`."""
    start, done = time.monotonic(), 0
    shown: AbstractContextManager[Any] = click.progressbar(
        length=0,
        label=label,
        file=sys.stderr,
        hidden=not sys.stderr.isatty(),
        show_pos=True,
        item_show_func=lambda _: f"{done / max(time.monotonic() - start, 1e-3):,.1f}/s",
    )
    with shown as bar:

        def total(n: int) -> None:
            bar.length = n

        def step(n: int) -> None:
            nonlocal done
            done += n
            bar.update(n, n)

        yield total, step


def say(line: str) -> None:
    """A line about the work itself: only for a person who is watching."""
    if sys.stderr.isatty():
        click.echo(line, err=True)
