"""Time whole processes, and alternate them, so that noise of the machine hits all alike.

The harness itself stays small on purpose (no NumPy here): Linux counts the memory of the process that starts
a child towards that child's peak.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Self, TypeVar

from benchmarks.common import MARK, ROOT, BenchError, say

T = TypeVar("T")

SOURCE = str(ROOT / "src")

TIMEOUT_S = 3600.0
"""No process of the benchmarks takes longer."""


@dataclass(frozen=True, slots=True)
class Run:
    """One process from start to end, with its children: seconds, peak resident memory in MB (10^6).

    `result` is what it told the harness, `output` all that it printed.
    """

    wall_s: float
    user_s: float
    peak_mb: float
    result: Any
    output: str


def environment() -> dict[str, str]:
    """The variables that all measured processes get: offline, without what would redirect ours."""
    dropped = {"PYTHONPATH", "DISPATCH_QA_INDEX", "PYTHONDONTWRITEBYTECODE"}
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    # What is measured is the source beside this file, wherever another copy may be installed.
    return {key: value for key, value in os.environ.items() if key not in dropped} | offline | {"PYTHONPATH": SOURCE}


def run(command: Sequence[str], timeout_s: float = TIMEOUT_S) -> Run:
    """Run a command to its end. Raises `BenchError` where it fails."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        start = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603
            command, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=err
        )
        killer = threading.Timer(timeout_s, process.kill)
        killer.start()
        try:
            usage = _wait(process)
        except BaseException:
            process.kill()
            raise
        finally:
            killer.cancel()
        wall = time.perf_counter() - start
        if process.returncode != 0:
            raise _failure(command, process.returncode, err)
        out.seek(0)
        output = out.read()
    told = [line[len(MARK) :] for line in output.splitlines() if line.startswith(MARK)]
    return Run(wall, usage.ru_utime, usage.ru_maxrss * 1024 / 1e6, json.loads(told[-1]) if told else None, output)


class Worker:
    """A process that loads once and then answers requests, one at a time; a context manager."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._err = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(  # noqa: S603
            command,
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._err,
            text=True,
        )
        self.peak_mb = 0.0
        """Known when the worker is closed."""
        self._told()

    def ask(self, request: object) -> Any:
        """What the worker tells to a request."""
        if self._process.stdin is None:
            raise AssertionError
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._told()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.returncode is None:
            if self._process.stdin:
                self._process.stdin.close()
            self.peak_mb = _wait(self._process).ru_maxrss * 1024 / 1e6
        if self._process.stdout:
            self._process.stdout.close()
        self._err.close()

    def _told(self) -> Any:
        for line in self._process.stdout or ():
            if line.startswith(MARK):
                return json.loads(line[len(MARK) :])
        _wait(self._process)
        raise _failure(self._command, self._process.returncode, self._err)


def interleaved(jobs: Mapping[str, Callable[[], T]], repeats: int, warm_up: int = 0) -> dict[str, list[T]]:
    """Run all jobs in turn, `repeats` times: A, B, C, A, B, C. The first `warm_up` rounds are not kept."""
    kept: dict[str, list[T]] = {name: [] for name in jobs}
    for turn in range(warm_up + repeats):
        for name, job in jobs.items():
            done = job()
            if turn >= warm_up:
                kept[name].append(done)
        say(f"  round {turn + 1} of {warm_up + repeats}")
    return kept


def _wait(process: subprocess.Popen[Any]) -> Any:
    """Wait for the end of a process; the resources that it used."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage


def _failure(command: Sequence[str], code: int, err: IO[str]) -> BenchError:
    err.seek(0)
    lines = [line.strip() for line in err if line.strip()]
    why = lines[-1] if lines else "it said nothing"
    return BenchError(f"a measured process left with {code} ({why}); to see all of it, type: {shlex.join(command)}")
