"""The README is run: what it shows is what happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parent.parent
README = (REPO / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def shell(command: str, folder: Path) -> str:
    """What a command prints, on both of its channels, in a shell where the environment's commands are found."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/bash", "-c", command],
        cwd=folder,
        env=os.environ | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return done.stdout


def matches(expected: str, got: str) -> bool:
    """Whether `got` is `expected`, in which … stands for anything."""
    return re.fullmatch(".*".join(map(re.escape, expected.split("…"))), got, re.DOTALL) is not None


@pytest.mark.model
def test_the_sessions_shown_are_what_happens(tmp_path: Path) -> None:
    sessions = [block for language, block in BLOCKS if language == "console"]
    assert len(sessions) >= 4
    # They are typed in a clone.
    (tmp_path / "tests").symlink_to(REPO / "tests")
    for session in sessions:
        for step in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
            command, _, expected = step.partition("\n")
            got = shell(command, tmp_path)
            assert matches(expected, got), f"$ {command}\n{got}"


@pytest.mark.model
def test_the_python_shown_runs(tmp_path: Path) -> None:
    (snippet,) = [block for language, block in BLOCKS if language == "python"]
    done = subprocess.run([sys.executable, "-c", snippet], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_set_up_commands_are_targets_of_the_makefile() -> None:
    (commands,) = [block for language, block in BLOCKS if language == "sh"]
    targets = set(re.findall(r"^(\w+):", (REPO / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert [line.split()[:1] for line in commands.splitlines()] == [["make"], ["make"]]
    assert {line.split()[1] for line in commands.splitlines()} <= targets


def test_every_file_that_the_readme_links_to_exists() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert [link for link in links if not (REPO / link).exists()] == []


def test_every_dependency_is_explained() -> None:
    declared = re.findall(r'^    "([\w-]+)[>=]', (REPO / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    runtime = declared[: declared.index("yasbd-lib") + 1]
    table = README[README.index("### What it stands on") : README.index("`constraints.txt` pins")]
    assert [name for name in runtime if name not in table] == []


@pytest.mark.parametrize("script", ["eval/report.py", "benchmarks/report.py", "training/card.py"])
def test_the_tables_are_what_the_committed_results_give(script: str) -> None:
    done = subprocess.run([sys.executable, str(REPO / script), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"type: python {script}\n{done.stdout}{done.stderr}"
