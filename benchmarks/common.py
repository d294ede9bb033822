"""What every process of the benchmarks shares. Only the standard library: the peers' environments have no more."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "benchmarks"
CACHE = HERE / ".cache"
RESULTS = HERE / "results"

MARK = "@result "
"""Begins the one line of a measured process that is meant for the harness; libraries print what they like."""

_BARE = "@bare@"
"""Stands around what `write_json` writes without quotes."""


class BenchError(Exception):
    """Something is missing or went wrong; the message is one line and says what to type."""


def say(line: str) -> None:
    """Tell the person at the terminal how far it is."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def tell(result: object) -> None:
    """Hand a result to the harness."""
    print(MARK + json.dumps(result), flush=True)  # noqa: T201


def serve(handle: Callable[[Any], object]) -> None:
    """Say that all is loaded, then answer each JSON line of stdin, so that rounds of two workers can alternate."""
    tell("ready")
    for line in sys.stdin:
        tell(handle(json.loads(line)))


def read_json(path: Path | str) -> Any:
    """The content of a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_json(path: Path, content: object) -> None:
    """Write a JSON file for people and diffs: indented, lists of numbers on one line, one line end at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_numbers_inline(content), indent=1, ensure_ascii=False)
    path.write_text(text.replace(f'"{_BARE}', "").replace(f'{_BARE}"', "") + "\n", encoding="utf-8")


def _numbers_inline(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _numbers_inline(value) for key, value in content.items()}
    if isinstance(content, list):
        if content and all(isinstance(value, int | float) for value in content):
            return f"{_BARE}{json.dumps(content)}{_BARE}"
        return [_numbers_inline(value) for value in content]
    return content
