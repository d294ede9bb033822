"""Runs that are kept: figures, what became of each question, plots, and what it was all made with."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dispatch_qa import __version__
from dispatch_qa.errors import InputRejected
from dispatch_qa.evaluate.measure import Record
from dispatch_qa.settings import Settings

FIGURES, RECORDS = "figures.json", "records.jsonl"


def keep(folder: Path, figures: dict[str, Any], records: Sequence[Record], settings: Settings) -> Path:
    """Write a run, its plots too, into a new folder under `folder`, named for the set and the time; that folder."""
    from dispatch_qa.evaluate.plots import draw

    now = datetime.now(UTC)
    place = folder / f"{figures['dataset']}-{now:%Y%m%dT%H%M%S%f}"
    place.mkdir(parents=True)
    made_with = {
        **figures["made_with"],
        "date": now.isoformat(timespec="seconds"),
        "version": __version__,
        "commit": commit(),
        "settings": {name: str(value) for name, value in asdict(settings).items()},
    }
    text = json.dumps({**figures, "made_with": made_with}, indent=2)
    (place / FIGURES).write_text(text + "\n", encoding="utf-8")
    write_records(records, place / RECORDS)
    draw(records, place)
    return place


def write_records(records: Sequence[Record], file: Path) -> None:
    """One question a line, for reading what failed."""
    lines = [json.dumps(asdict(record), ensure_ascii=False) for record in records]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_records(path: Path) -> list[Record]:
    """The records of a run, by its folder or its file. Raises `InputRejected` where there are none."""
    file = path / RECORDS if path.is_dir() else path
    try:
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        return [Record(**{**row, "found": tuple(row["found"])}) for row in rows]
    except OSError as error:
        raise InputRejected(f"{file} cannot be read: {error.strerror}; name a run's folder or its {RECORDS}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputRejected(f"{file} does not hold a run's records: {type(error).__name__} {error}") from error


def commit() -> str | None:
    """The commit of the source tree that is running, with a + where it was changed; `None` outside of one."""
    here = Path(__file__)
    try:
        # An installed package may lie inside some other project's tree: only one that holds this very file counts.
        _git(here.parent, "ls-files", "--error-unmatch", here.name)
        return _git(here.parent, "describe", "--always", "--dirty=+", "--exclude=*")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
