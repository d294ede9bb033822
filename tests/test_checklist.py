"""The list of what a reader finds names a test for each item, and each of them is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent / "browser"
LIST = TESTS.parents[1] / "docs" / "checklist.md"


def test_each_item_names_tests_that_exist_and_run() -> None:
    there = {
        f"{file.name}::{node.name}"
        for file in TESTS.glob("test_*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and not any("skip" in ast.unparse(one) for one in node.decorator_list)
    }
    rows = re.findall(r"^\| (\d+) \|.*\|(.*)\|$", LIST.read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 26))
    for number, tests in rows:
        named = re.findall(r"`([^`]+)`", tests)
        assert named, number
        assert set(named) <= there, number
