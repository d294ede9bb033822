"""Many users at once: `python benchmarks/load.py`. Starts the server and asks it; writes results/load.json.

A user asks, waits for the answer, and asks the next question at once. The generator works on the same cores as the
server, so the figures are an upper bound; ratios to one user come from the same run. `server_cpu_ms` is the
server's processor time a question, which other work on the machine hardly changes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx

from benchmarks import machine
from benchmarks.common import RESULTS, ROOT, BenchError, say, write_json
from benchmarks.measure import environment

USERS = (1, 10, 50)
START_SECONDS = 120.0
Ask = Callable[[httpx.AsyncClient, str], Awaitable[int]]


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=5, help="how often the server is started and stopped first")
    parser.add_argument("--seconds", type=float, default=20, help="length of each measurement")
    parser.add_argument("--burst", type=int, default=200, help="questions at once")
    parser.add_argument("--questions", type=int, default=10_000, help="questions over which memory is watched")
    parser.add_argument("--output", type=Path, default=RESULTS / "load.json")
    arguments = parser.parse_args()
    try:
        write_json(arguments.output, asyncio.run(_measured(arguments)))
    except (BenchError, httpx.HTTPError) as error:
        say(f"error: {type(error).__name__} {error}")
        return 1
    say(f"Written: {arguments.output}")
    return 0


async def _measured(arguments: argparse.Namespace) -> dict[str, Any]:
    questions = cycle(_questions())
    results: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": machine.commit(),
        "source_sha256": machine.source_sha256(),
        "machine": machine.machine(),
        "seconds": arguments.seconds,
    }
    results["starts"] = [_start() for _ in range(arguments.starts)]
    with _server() as (url, process, _):
        # Connections are given up before the server does, which would cost a question.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=2)
        async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:
            await _users(client, process.pid, _ask_api, questions, 4, 5)  # not kept: caches fill
            for name, ask in (("api", _ask_api), ("gradio", _ask_gradio)):
                results[name] = {}
                for users in USERS:
                    results[name][str(users)] = await _users(
                        client, process.pid, ask, questions, users, arguments.seconds
                    )
                alone = results[name]["1"]["p99_ms"]
                for users in USERS:
                    results[name][str(users)]["p99_of_one_user"] = round(results[name][str(users)]["p99_ms"] / alone, 2)
            results["at_once"] = {
                name: await _burst(client, ask, questions, arguments.burst)
                for name, ask in (("api", _ask_api), ("gradio", _ask_gradio))
            }
            results["memory"] = {
                name: await _memory(client, ask, questions, process.pid, arguments.questions)
                for name, ask in (("api", _ask_api), ("gradio", _ask_gradio))
            }
        process.send_signal(signal.SIGTERM)
        results["stopped"] = {"code": process.wait(30)}
    return results


async def _users(
    client: httpx.AsyncClient, pid: int, ask: Ask, questions: Iterator[str], users: int, seconds: float
) -> dict[str, Any]:
    """`users` ask, each one question after another, for some seconds."""
    taken: list[float] = []
    statuses: Counter[int] = Counter()
    busy, end = machine.load(), time.perf_counter() + seconds

    async def user() -> None:
        while time.perf_counter() < end:
            began = time.perf_counter()
            statuses[await ask(client, next(questions))] += 1
            taken.append(1000 * (time.perf_counter() - began))

    began, worked = time.perf_counter(), _processor_s(pid)
    await asyncio.gather(*(user() for _ in range(users)))
    _sound(statuses)
    wall = time.perf_counter() - began
    told = {
        "questions": len(taken),
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "per_s": round(len(taken) / wall, 1),
        "p50_ms": round(statistics.median(taken), 1),
        "p99_ms": round(statistics.quantiles(taken, n=100)[98], 1),
        "max_ms": round(max(taken), 1),
        "server_cpu_ms": round(1000 * (_processor_s(pid) - worked) / len(taken), 2),
        "load": busy,
    }
    say(f"{ask.__name__} {users}: {told}")
    return told


async def _burst(client: httpx.AsyncClient, ask: Ask, questions: Iterator[str], n: int) -> dict[str, Any]:
    """So many questions in one instant: how each of them ended."""
    began = time.perf_counter()
    ends = await asyncio.gather(*(ask(client, next(questions)) for _ in range(n)))
    _sound(Counter(ends))
    told = {str(status): count for status, count in sorted(Counter(ends).items())}
    say(f"{ask.__name__} at once: {told}")
    return {"questions": n, "statuses": told, "last_ms": round(1000 * (time.perf_counter() - began), 1)}


def _sound(statuses: Counter[int]) -> None:
    """Raises `BenchError` where a question ended in neither an answer nor a "come back later"."""
    if failed := {status: count for status, count in statuses.items() if status not in (200, 503)}:
        raise BenchError(f"questions failed, by status: {failed}; the server's log says why")


async def _memory(client: httpx.AsyncClient, ask: Ask, questions: Iterator[str], pid: int, n: int) -> dict[str, Any]:
    """The server's resident memory before and after `n` questions of 10 users."""
    sizes = [_resident_mb(pid)]
    for part in range(10):
        left = iter(range(n // 10))

        async def user(left: Iterator[int] = left) -> None:
            for _ in left:
                if await ask(client, next(questions)) != 200:
                    raise BenchError("a question was refused while memory was watched")

        await asyncio.gather(*(user() for _ in range(10)))
        sizes.append(_resident_mb(pid))
        say(f"{ask.__name__} memory after {(part + 1) * n // 10:,}: {sizes[-1]} MB")
    return {"questions": n, "resident_mb": sizes, "growth": round(sizes[-1] / sizes[0] - 1, 4)}


async def _ask_api(client: httpx.AsyncClient, question: str) -> int:
    answer = await client.post("/api/v1/ask", json={"question": question})
    if answer.status_code == 503 and not (answer.headers.get("retry-after") and answer.json()["error"]["message"]):
        raise BenchError("a refusal does not say when to come back")
    return answer.status_code


async def _ask_gradio(client: httpx.AsyncClient, question: str) -> int:
    """A question by Gradio's own way: joined to its queue, then heard about in a stream of events."""
    joined = await client.post("/gradio_api/call/ask", json={"data": [question, 3, None]})
    if joined.status_code != 200:
        return joined.status_code
    async with client.stream("GET", f"/gradio_api/call/ask/{joined.json()['event_id']}") as stream:
        event = ""
        async for line in stream.aiter_lines():
            if line.startswith("event:"):
                event = line.removeprefix("event:").strip()
            elif event == "complete":
                return 200 if "schema_version" in line else 500
            elif event == "error":
                return 503 if "again" in line else 500
    return 500


def _start() -> dict[str, float]:
    """Start the server and stop it: seconds from the command to the page, and to where questions are answered.

    `cpu_s` is the processor time until then, of all cores.
    """
    with _server() as (_, process, told):
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    say(f"start: {told}")
    return told


@contextmanager
def _server() -> Iterator[tuple[str, subprocess.Popen[str], dict[str, float]]]:
    """The server in a process of its own, on a free port: address, process, seconds until it was there."""
    command = [sys.executable, "app.py", "--port", "0", "--no-feedback", "--json-logs"]
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as log:
        source = {"PYTHONPATH": str(ROOT / "src")}
        process = subprocess.Popen(command, cwd=ROOT, env=environment() | source, stderr=log, text=True)  # noqa: S603
        try:
            url = _address(log.fileno(), process)
            told = {}
            for name, path in (("page_s", "/"), ("ready_s", "/readyz")):
                while httpx.get(f"{url}{path}").status_code != 200:
                    if time.perf_counter() - began > START_SECONDS:
                        raise BenchError(f"the server is not ready: {os.pread(log.fileno(), 1 << 16, 0).decode()}")
                    time.sleep(0.02)
                told[name] = round(time.perf_counter() - began, 2)
            yield url, process, told | {"cpu_s": round(_processor_s(process.pid), 2)}
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def _address(log: int, process: subprocess.Popen[str]) -> str:
    end = time.perf_counter() + START_SECONDS
    while time.perf_counter() < end and process.poll() is None:
        if found := re.search(r"serving on (http://[^\"\s]+)", os.pread(log, 1 << 16, 0).decode()):
            return found[1]
        time.sleep(0.02)
    raise BenchError(f"the server did not start: {os.pread(log, 1 << 16, 0).decode()[-500:]}")


def _resident_mb(pid: int) -> float:
    fields = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return round(int(fields.partition("VmRSS:")[2].split()[0]) * 1024 / 1e6, 1)


def _processor_s(pid: int) -> float:
    """Processor seconds that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _questions() -> list[str]:
    """The shipped questions in eight languages, one of each in turn."""
    rows = [json.loads(line) for line in (ROOT / "eval" / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
    return [text for row in rows for text in row["text"].values()]


if __name__ == "__main__":
    sys.exit(main())
