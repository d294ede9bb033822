"""The trials: each gives its counts, with `failures`, the first of them in words."""

from __future__ import annotations

import ctypes
import json
import os
import random
import shutil
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from dispatch_qa.errors import DispatchQAError
from dispatch_qa.qa import DispatchQA, build
from dispatch_qa.records import Dispatch
from dispatch_qa.settings import Settings
from dispatch_qa.store import Store, upkeep
from dispatch_qa.store.files import INDEX, INDEX_CARD
from faults import work

Counts = dict[str, Any]

KILLED, TORN, ENOSPC, EIO, FULL, BROKEN = range(1, 7)
MODES = {
    "killed before the call": KILLED,
    "killed after half of a write": TORN,
    "ENOSPC once": ENOSPC,
    "EIO once": EIO,
    "ENOSPC from then on": FULL,
    "EIO from then on": BROKEN,
}

DONE, REFUSED, CRASHED = 0, 3, 4


def child(do: Callable[[], None], ready: Callable[[], None] = lambda: None) -> int:
    """Start a process that does something; its id. It ends with `DONE`, `REFUSED` (an error of ours) or `CRASHED`."""
    pid = os.fork()
    if pid:
        return pid
    code = CRASHED
    try:
        ready()
        do()
        code = DONE
    except DispatchQAError:
        code = REFUSED
    except BaseException:  # noqa: BLE001 - the child must end here whatever happens
        traceback.print_exc()
    finally:
        os._exit(code)


def ended(pid: int) -> int:
    """How a process ended: its code, or minus the signal."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def random_kills(folder: Path, trials: int, seed: int) -> Counts:
    """Kill a process that goes on changing one store, again and again, at random moments.

    After each kill the store must hold what was acknowledged last, or what was under way.
    """
    drawn = random.Random(seed)
    (folder / "kills").mkdir()
    store = folder / "kills" / "store"
    work.start(store)
    counts: Counter[str] = Counter()
    failures: list[str] = []
    done = 0
    for trial in range(trials):
        read, write = os.pipe()

        def go(first: int = done, end: int = write) -> None:
            for step in range(first, first + 10_000):
                change(store, step)
                os.write(end, f"{step}\n".encode())

        pid = child(go)
        os.close(write)
        time.sleep(drawn.uniform(0.001, 0.3))
        os.kill(pid, signal.SIGKILL)
        assert ended(pid) == -signal.SIGKILL
        with os.fdopen(read) as pipe:
            acknowledged = [int(line) for line in pipe.read().split()]
        counts["acknowledged changes"] += len(acknowledged)
        done = acknowledged[-1] + 1 if acknowledged else done
        try:
            held = work.state_of(store)
            if held == expected(done + 1):
                counts["the change under way stood"] += 1
                done += 1
            elif held == expected(done):
                counts["the change under way left no trace"] += 1
            else:
                failures.append(f"trial {trial}: after change {done} the store holds neither it nor the next")
                done = resume(store)
        except (AssertionError, DispatchQAError) as error:
            failures.append(f"trial {trial}: {error}")
            done = resume(store)
    return {"kills": trials, **counts, **failed(failures)}


@lru_cache(maxsize=4)
def expected(steps: int) -> work.State:
    """What the store of `random_kills` holds after so many changes."""
    held = work.texts(work.editions(0, range(12))) | {f"f{n}": work.dispatch(f"f{n}", 0).text for n in range(4)}
    for step in range(steps):
        new, gone = changed(step)
        held = {name: text for name, text in held.items() if name != gone} | work.texts(new)
    return held


def changed(step: int) -> tuple[list[Dispatch], str]:
    """What a change brings, some of it new and some in the place of what was there, and what it removes."""
    return work.editions(step + 1, range(step % 13, step % 13 + 2)), f"d{(step * 5 + 7) % 13:03}"


def change(store: Path, step: int) -> None:
    """From the state after `step` changes to the next, in one commit; now and then by building the store anew."""
    if step % 11 == 10:
        held = expected(step + 1)
        whole = [Dispatch(name, text, "fr", slug=name) for name, text in held.items()]
        build(replace(Settings(), index=store), dispatches=whole, embedder=work.EMBEDDER, force=True)
        return
    new, gone = changed(step)
    work.put(store, new, (gone,))


def resume(store: Path) -> int:
    """Begin anew after a failure, so that the trials after it count."""
    shutil.rmtree(store.parent)
    store.parent.mkdir()
    work.start(store)
    return 0


def every_step(folder: Path, kill_every: int, every: int, shim: str) -> Counts:
    """Cut each kind of change off, or let it fail, at each call that touches its files."""
    faults = ctypes.CDLL(shim)
    faults.fault_count.restype = ctypes.c_long
    (folder / "steps").mkdir()
    place = folder / "trial"
    kept, store, old = work.prepare(folder / "steps", place)
    counts: Counter[str] = Counter()
    steps: dict[str, int] = {}
    failures: list[str] = []
    for name, (do, allowed) in work.scenarios(kept).items():
        source = old if name == "migrate" else store

        def begin(source: Path = source, name: str = name) -> Path:
            target = work.fresh(source, place)
            if name == "first add":
                shutil.rmtree(target)
            return target

        def run(at: int, mode: int, do: work.Change = do, begin: Callable[[], Path] = begin) -> tuple[int, int, Path]:
            target = begin()
            read, write = os.pipe()

            def counted() -> None:
                try:
                    do(target)
                finally:
                    os.write(write, str(faults.fault_count()).encode())

            pid = child(counted, lambda: faults.fault_arm(str(target).encode(), ctypes.c_long(at), mode))
            os.close(write)
            code = ended(pid)
            with os.fdopen(read) as pipe:
                told = pipe.read()
            return code, int(told or 0), target

        code, total, target = run(0, 0)
        assert (code, work.state_of(target)) == (DONE, allowed[-1]), name
        steps[name] = total
        for mode, number in MODES.items():
            for at in range(1, total + 1, kill_every if number == KILLED else every):
                code, _, target = run(at, number)
                counts[mode] += 1
                problem = judged(name, code, number, target, allowed)
                if problem:
                    failures.append(f"{name}, {mode}, step {at} of {total}: {problem}")
    return {
        "steps": steps,
        "killed at every": kill_every,
        "failed at every": every,
        "runs": sum(counts.values()),
        **counts,
        **failed(failures),
    }


def judged(name: str, code: int, mode: int, target: Path, allowed: list[work.State | None]) -> str | None:
    """What is wrong with what a change left behind, if anything."""
    if code == CRASHED or (code < 0 and mode not in (KILLED, TORN)):
        return f"the process ended with {code}"
    try:
        if name == "migrate" and upkeep.migrate(target) is not None and code == DONE:
            return "it was told as done, but was not"
        held = work.state_of(target)
    except (AssertionError, DispatchQAError) as error:
        return str(error)
    if code == DONE and held != allowed[-1]:
        return "it was told as done, but does not stand"
    return None if held in allowed else "neither the old content stands nor the new"


def readers(folder: Path, number: int, commits: int) -> Counts:
    """Ask in several processes while another replaces every dispatch, edition by edition.

    An answer that cites two editions mixes two states.
    """
    store = folder / "readers"
    settings = replace(Settings(), index=store)
    build(settings, dispatches=work.editions(0, range(10)), embedder=work.EMBEDDER)
    stop = folder / "stop"
    pipes = []
    for reader in range(number):
        read, write = os.pipe()

        def ask(end: int = write, seed: int = reader) -> None:
            told = {"answers": 0, "mixed": 0, "errors": 0, "editions": 0}
            seen = set()
            asked = DispatchQA(settings, work.EMBEDDER)
            while not stop.exists():
                try:
                    answer = asked.ask(f"Édition de la dépêche d00{seed % 10}", k=8)
                    found = {one.quote.split()[1] for one in answer.citations if one.quote.startswith("Édition")}
                    told["mixed"] += len(found) != 1
                    seen |= found
                except DispatchQAError:
                    traceback.print_exc()
                    told["errors"] += 1
                told["answers"] += 1
            os.write(end, json.dumps(told | {"editions": len(seen)}).encode())

        pid = child(ask)
        os.close(write)
        pipes.append((pid, read))
    for edition in range(1, commits + 1):
        work.put(store, work.editions(edition, range(10)))
    stop.touch()
    total: Counter[str] = Counter()
    failures = []
    for pid, read in pipes:
        with os.fdopen(read) as pipe:
            text = pipe.read()
        if ended(pid) != DONE or not text:
            failures.append("a reader ended with an error")
            continue
        total.update(json.loads(text))
    failures += [f"{total[kind]} answers: {kind}" for kind in ("mixed", "errors") if total[kind]]
    return {"readers": number, "commits": commits, **total, **failed(failures)}


def mutants(folder: Path, number: int, seed: int) -> Counts:
    """Mutate the search index or its card; whoever searches next must notice, and find what was found before."""
    drawn = random.Random(seed)
    store = folder / "mutants"
    build(replace(Settings(), index=store), dispatches=work.editions(0, range(10)), embedder=work.EMBEDDER)
    good = {name: (store / name).read_bytes() for name in (INDEX, INDEX_CARD)}
    query = work.EMBEDDER.queries(["Édition de la dépêche d003"])[0]

    def search() -> tuple[list[tuple[int, float]], int]:
        told: list[str] = []
        with closing(Store(store, told.append)) as opened:
            return opened.nearest(query, 30), len(told)

    right, _ = search()
    counts: Counter[str] = Counter()
    failures: list[str] = []
    for _ in range(number):
        name = INDEX_CARD if drawn.random() < 0.2 else INDEX
        data = good[name]
        while data == good[name] or (name == INDEX_CARD and _same_json(data, good[name])):
            kind, mutate = drawn.choice(list(MUTATIONS.items()))
            data = mutate(drawn, good[name])
        (store / name).write_bytes(data)
        found, told = search()
        counts[kind] += 1
        if told != 1 or found != right:
            failures.append(f"{kind} of {name}: {'accepted' if not told else 'found something else'}")
        if {each: (store / each).read_bytes() for each in good} != good:
            failures.append(f"{kind} of {name}: not made again as it was")
    return {"mutants": number, "rebuilt": number - len(failures), **counts, **failed(failures)}


def _flip(drawn: random.Random, data: bytes) -> bytes:
    at = drawn.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << drawn.randrange(8)]) + data[at + 1 :]


def _cut(drawn: random.Random, data: bytes) -> bytes:
    return data[: drawn.randrange(len(data))]


def _swap(drawn: random.Random, data: bytes) -> bytes:
    a, b = sorted(drawn.sample(range(len(data)), 2))
    return data[:a] + data[b:] + data[a:b]


def _noise(drawn: random.Random, data: bytes) -> bytes:
    at = drawn.randrange(len(data))
    return data[:at] + drawn.randbytes(drawn.randint(1, 64)) + data[at + drawn.randrange(64) :]


def _zeros(drawn: random.Random, data: bytes) -> bytes:
    at = drawn.randrange(len(data))
    n = drawn.randint(1, len(data) - at)
    return data[:at] + bytes(n) + data[at + n :]


def _longer(drawn: random.Random, data: bytes) -> bytes:
    return data + drawn.randbytes(drawn.randint(1, 500))


MUTATIONS = {
    "bit flipped": _flip,
    "cut off": _cut,
    "parts swapped": _swap,
    "noise written over": _noise,
    "zeros written over": _zeros,
    "made longer": _longer,
}


def _same_json(one: bytes, other: bytes) -> bool:
    """Whether two cards say the same: white space is no damage."""
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


def failed(failures: list[str]) -> Counts:
    """Failures as they are told."""
    return {"failures": len(failures), "first failures": failures[:10]}
