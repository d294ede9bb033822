"""A short run of `python tests/faults`, which says what is tried; its full counts are in tests/faults/results.json."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "faults"
FEW = "--kills 8 --every 47 --kill-every 29 --commits 5 --readers 2 --mutants 40 --seed 5"


@pytest.mark.skipif(not sys.platform.startswith("linux") or not shutil.which("cc"), reason="needs Linux and cc")
def test_nothing_is_lost_where_a_change_is_cut_off_or_starved(tmp_path: Path) -> None:
    out = tmp_path / "counts.json"
    command = [sys.executable, str(HERE), *FEW.split(), "--json", str(out)]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = json.loads(out.read_text(encoding="utf-8"))
    assert counts["random kills"]["kills"] == 8
    assert min(counts["every step"]["steps"].values()) > 50  # The shim sees what SQLite, Python and FAISS write.
    assert counts["every step"]["runs"] >= 8 * 6 * 2
    assert counts["readers"]["answers"] > 0
    assert counts["mutants"]["rebuilt"] == 40


def test_the_full_counts_are_those_that_were_asked_for() -> None:
    told = json.loads((HERE / "results.json").read_text(encoding="utf-8"))
    assert told["random kills"]["kills"] >= 500
    assert (told["readers"]["readers"], told["readers"]["commits"]) == (8, 100)
    assert told["mutants"]["mutants"] >= 5_000
    assert (told["every step"]["killed at every"], told["every step"]["failed at every"]) == (1, 1)
    assert [name for name, part in told.items() if isinstance(part, dict) and part["failures"]] == []
