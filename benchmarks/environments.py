"""One virtual environment a peer, made on demand from the pinned versions in benchmarks/peers/NAME.txt."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.common import HERE, ROOT, BenchError, say

VENVS = HERE / ".venvs"
OURS = "project"
"""The environment that the harness itself runs in, where Dispatch QA is installed."""


def python_of(name: str) -> str:
    """The interpreter of an environment, which is made where it is missing or its pinned versions have changed."""
    if name == OURS:
        if importlib.util.find_spec("dispatch_qa") is None:
            raise BenchError(f"dispatch_qa is not installed for {sys.executable}; type: make bench")
        return sys.executable
    pins = HERE / "peers" / f"{name}.txt"
    venv = VENVS / name
    python, done = venv / "bin" / "python", venv / ".pins"
    digest = hashlib.sha256(pins.read_bytes()).hexdigest()
    if not (python.exists() and done.exists() and done.read_text(encoding="utf-8") == digest):
        say(f"Installing {pins.relative_to(ROOT)} into {venv.relative_to(ROOT)} (once) …")
        shutil.rmtree(venv, ignore_errors=True)
        _call([sys.executable, "-m", "venv", str(venv)], name)
        _call([str(python), "-m", "pip", "install", "--quiet", "--requirement", str(pins)], name)
        done.write_text(digest, encoding="utf-8")
    return str(python)


def versions_of(name: str) -> dict[str, str]:
    """All that is installed in an environment, with its version."""
    command = [python_of(name), "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)  # noqa: S603
    return {row["name"]: row["version"] for row in json.loads(done.stdout)}


def module(name: str, of: str, *arguments: str | Path | int) -> list[str]:
    """The command that runs one of our modules in an environment."""
    return [python_of(name), "-m", f"benchmarks.{of}", *map(str, arguments)]


def _call(command: list[str], name: str) -> None:
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)  # noqa: S603
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise BenchError(
            f"the environment {name!r} could not be made ({last}); mend it, or leave it out: "
            "python benchmarks/run.py --peers NAME,…"
        )
