"""What the reader adds to a question on this machine: `python training/speed.py`, interleaved with and without it.

Writes `training/results/speed.json`: medians in milliseconds, wall and processor time. Say what else was running.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

from dispatch_qa import DispatchQA, Settings

RESULTS = Path(__file__).parent / "results" / "speed.json"
QUESTIONS = Path(__file__).parent.parent / "eval" / "questions.jsonl"
WARM, COLD = 60, 9


def warm() -> dict[str, dict[str, float]]:
    """A question in a process that has answered before, over the shipped dispatch: the first passages are read."""
    asked = [json.loads(line)["text"] for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    lanes = {name: DispatchQA(replace(Settings.from_env(), reader=name)) for name in ("off", "auto")}
    for dispatches in lanes.values():
        dispatches.ask("Who spoke?")
    walls: dict[str, list[float]] = {name: [] for name in lanes}
    used: dict[str, list[float]] = {name: [] for name in lanes}
    for number, texts in enumerate(asked[:WARM]):
        question = list(texts.values())[number % len(texts)]
        for name, dispatches in lanes.items():
            wall, processor = time.perf_counter(), time.process_time()
            dispatches.ask(question)
            walls[name].append(time.perf_counter() - wall)
            used[name].append(time.process_time() - processor)
    return {name: _told(walls[name], used[name]) for name in lanes}


def cold() -> dict[str, dict[str, float]]:
    """A question in a fresh process."""
    walls: dict[str, list[float]] = {"off": [], "auto": []}
    used: dict[str, list[float]] = {"off": [], "auto": []}
    for _ in range(COLD):
        for name in walls:
            command = [sys.executable, "-m", "dispatch_qa", "ask", "Which British firms attended?"]
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            wall = time.perf_counter()
            subprocess.run(command, env=os.environ | {"DISPATCH_QA_READER": name}, capture_output=True, check=True)  # noqa: S603
            walls[name].append(time.perf_counter() - wall)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used[name].append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return {name: _told(walls[name], used[name]) for name in walls}


def _told(walls: list[float], used: list[float]) -> dict[str, float]:
    return {"wall ms": round(1000 * median(walls), 1), "processor ms": round(1000 * median(used), 1)}


def main() -> None:
    """Measure and write."""
    told = {"load before": os.getloadavg()[0], "cores": os.cpu_count(), "warm": warm(), "cold": cold()}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
