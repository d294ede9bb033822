"""Where the time goes: `python benchmarks/profiled.py`, on a machine that does nothing else, to results/profile.json.

Three views: the encoder by operator, as onnxruntime's own profile tells it; a warm question by function; and a cold
one, what it imports included. The two latter are sampled by pyinstrument, which stops the clock for no one: shares
are to be believed, not absolute times.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import machine
from benchmarks.common import RESULTS, BenchError, read_json, say, tell, write_json
from benchmarks.environments import OURS, module
from benchmarks.inputs import make
from benchmarks.measure import run
from benchmarks.options import FULL, QUESTION

RUNS = 60  # of the encoder for each length
COLD = 15  # processes
WARM = 400  # questions
EVERY_S = 0.0005  # between two samples
LEAST = 0.02  # of the whole: what takes less is not told
PACKAGE = "dispatch_qa"


@dataclass
class Node:
    """A function of ours, or an import, with the seconds in it and in what it calls."""

    seconds: float = 0.0
    inside: dict[str, Node] = field(default_factory=lambda: defaultdict(Node))

    def add(self, frame: Any, path: tuple[str, ...] = ()) -> None:
        """Count a sampled frame in, reached by `path`; frames of others count towards ours that called them."""
        for child in frame.children:
            name = _name(child)
            if name is None or name in path:
                self.add(child, path)
            else:
                self.inside[name].seconds += child.time
                self.inside[name].add(child, (*path, name))

    def rows(self, whole: float, depth: int = 0) -> Iterator[dict[str, object]]:
        """What takes `LEAST` of the whole, the longest first, each followed by what is inside."""
        for name, node in sorted(self.inside.items(), key=lambda pair: -pair[1].seconds):
            if node.seconds >= LEAST * whole:
                yield {"depth": depth, "name": name, "share": round(node.seconds / whole, 3)}
                yield from node.rows(whole, depth + 1)


def main() -> int:
    """Measure all three, or in a process of its own what the first argument names."""
    if sys.argv[1:]:
        of: dict[str, Callable[..., None]] = {"warm": _warm, "cold": _cold}
        of[sys.argv[1]](*sys.argv[2:])
        return 0
    try:
        busy, inputs = machine.load(), make(FULL)
        say("encoder …")
        encoder = [_operators(inputs.model, tokens) for tokens in (186, 12)]
        say("warm question …")
        store = str(inputs.folder / "profiled")
        run(module(OURS, "ours", "prepare", store, inputs.folder / "warm.json"))
        warm = run(module(OURS, "profiled", "warm", store, inputs.folder / "questions.json")).result
        say("cold question …")
        cold = _mean([run(module(OURS, "profiled", "cold")) for _ in range(COLD)])
    except BenchError as error:
        say(f"error: {error}")
        return 1
    found = {"commit": machine.commit(), "machine": machine.machine() | {"load_before": busy}}
    write_json(RESULTS / "profile.json", found | {"encoder": encoder, "warm": warm, "cold": cold})
    return 0


def _operators(model: Path, tokens: int) -> dict[str, Any]:
    """A run of the encoder's graph on one thread, by operator."""
    import numpy as np
    import onnxruntime

    from dispatch_qa.embed.onnx_lane import GRAPH, LANE

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.enable_profiling = True
    ids = np.random.default_rng(0).integers(5, 200_000, (1, tokens))
    took: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "ort")
        session = onnxruntime.InferenceSession(str(model / LANE.replace("/", "-") / GRAPH), options)
        for _ in range(RUNS):
            session.run(None, {"input_ids": ids})
        for event in read_json(session.end_profiling()):
            if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
                took[event["args"]["op_name"]] += event["dur"]
    whole = took.total()
    shares = {name: round(us / whole, 3) for name, us in took.most_common()}
    rows = [{"depth": 0, "name": name, "share": share} for name, share in shares.items() if share >= LEAST]
    return {"tokens": tokens, "ms": round(whole / RUNS / 1000, 2), "rows": rows}


def _warm(store: str, questions: str) -> None:
    from pyinstrument import Profiler

    from dispatch_qa import DispatchQA, Settings

    dispatches = DispatchQA(replace(Settings.from_env(), index=Path(store), reader="off"))
    asked = read_json(questions)
    for question in asked[:20]:
        dispatches.search(question, 3)
    start = time.perf_counter()
    for number in range(WARM):
        dispatches.search(asked[number % len(asked)], 3)
    took = time.perf_counter() - start
    profiler = Profiler(interval=EVERY_S)
    with profiler:
        for number in range(WARM):
            dispatches.search(asked[number % len(asked)], 3)
    tell({"ms": round(took / WARM * 1000, 2), "rows": _rows(profiler)})


def _cold() -> None:
    from pyinstrument import Profiler

    sys.argv = [PACKAGE, "ask", QUESTION]
    profiler = Profiler(interval=EVERY_S)
    with profiler:
        from dispatch_qa.cli import main as ask

        ask()
    if profiler.last_session:
        tell(profiler.last_session.to_json())


def _rows(profiler: Any) -> list[dict[str, object]]:
    node, root = Node(), profiler.last_session.root_frame(trim_stem=False)
    node.add(root)
    return list(node.rows(root.time))


def _mean(runs: list[Any]) -> dict[str, Any]:
    """All cold processes together."""
    from pyinstrument.session import Session

    node, whole = Node(), 0.0
    for one in runs:
        root = Session.from_json(one.result).root_frame(trim_stem=False)
        node.add(root)
        whole += root.time
    return {"ms": round(1000 * whole / len(runs)), "rows": list(node.rows(whole))}


def _name(frame: Any) -> str | None:
    """What a frame is called: ours by file and function, others' as an import, where it is one."""
    place = Path(frame.file_path or "")
    if PACKAGE in place.parts:
        inner = place.with_suffix("").parts[len(place.parts) - place.parts[::-1].index(PACKAGE) :]
        if frame.function.startswith("<"):  # a comprehension, or a module, whose imports are told by themselves
            return None
        return f"{'.'.join(inner)}.{frame.function}"
    if frame.function == "<module>" and "site-packages" in place.parts:
        return f"import {place.parts[place.parts.index('site-packages') + 1]}"
    return None


if __name__ == "__main__":
    raise SystemExit(main())
