"""The built wheel works by itself, away from the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parent.parent


@pytest.mark.model
def test_the_wheel_answers_from_another_folder(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)], cwd=REPO, check=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(site),
        str(wheel),
    ]
    subprocess.run(pip, check=True)

    def run(*arguments: str) -> dict[str, object]:
        command = [sys.executable, "-m", "dispatch_qa", *arguments, "--json"]
        environment = os.environ | {"PYTHONPATH": str(site)}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
        shown: dict[str, object] = json.loads(done.stdout)
        return shown

    assert run("info")["index"] == str(site / "dispatch_qa" / "index")
    assert str(run("info")["reader"]).startswith("reader-")
    assert "Babcock International Group" in str(run("ask", "Which British firms attended?")["answer"])


def test_nothing_large_is_in_the_wheel() -> None:
    files = [path for top in ("src", "index") for path in (REPO / top).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files if path.suffix != ".pyc") < 5_000_000
