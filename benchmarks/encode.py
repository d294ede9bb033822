"""Figure of encoding throughput: passages a second, of about 186 and about 30 tokens."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.common import CACHE, read_json
from benchmarks.environments import OURS as OUR_ENVIRONMENT
from benchmarks.environments import module
from benchmarks.figures import OURS, against, figure, measure
from benchmarks.inputs import Inputs
from benchmarks.measure import Worker, interleaved, run
from benchmarks.options import Options

TORCH = "sentence-transformers"
PAUSE_S = 0.5
"""Between turns: threads of the one library still spin for a moment after its work."""


def encoding(options: Options, inputs: Inputs) -> dict[str, Any]:
    """What `load_embedder` gives for the default model against sentence-transformers' torch fp32, batches of 32."""
    out = CACHE / "encoded"
    out.mkdir(parents=True, exist_ok=True)
    measures: dict[str, dict[str, Any]] = {}
    facts: dict[str, object] = {"mean_tokens": inputs.mean_tokens, "texts": options.encode_texts}
    with (
        Worker(module(OUR_ENVIRONMENT, "ours", "serve-encode")) as ours,
        Worker(module("sentence_transformers", "peers.plain", "serve-encode", inputs.model)) as torch,
    ):
        workers = {OURS: ours, TORCH: torch}
        baselines = against(TORCH, list(workers))
        for kind in ("long", "short"):
            texts = inputs.folder / f"{kind}.json"
            count = len(read_json(texts))

            def turn(name: str, texts: str = str(texts), kind: str = kind, count: int = count) -> float:
                time.sleep(PAUSE_S)
                save = str(out / f"{kind}-{name.casefold().replace(' ', '-')}.npy")
                return count / float(workers[name].ask({"texts": texts, "save": save}))

            jobs = {name: lambda name=name, turn=turn: turn(name) for name in workers}
            rounds = interleaved(jobs, options.rounds, warm_up=1)
            tokens = round(inputs.mean_tokens[kind])
            measures[f"{kind}_per_s"] = measure(f"texts of {tokens} tokens, per s", rounds, baselines)
            files = [out / f"{kind}-{name.casefold().replace(' ', '-')}.npy" for name in workers]
            facts[f"{kind}_cosine"] = run(module(OUR_ENVIRONMENT, "ours", "compare", *files)).result
    measures["peak_mb"] = measure("peak memory, MB", {n: [w.peak_mb] for n, w in workers.items()})
    return figure("Encoding passages, the more a second the better", measures, **facts)
