"""What takes minutes to make is made once and kept in a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def kept(file: Path, make: Callable[[], Any]) -> Any:
    """The JSON in `file`, made and written there where there is none; whole or not at all."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(".new")
        new.write_text(json.dumps(make(), ensure_ascii=False), encoding="utf-8")
        new.replace(file)
    return json.loads(file.read_text(encoding="utf-8"))
