"""Figure of the warm query: one process that stays loaded finds the best passages for many questions."""

from __future__ import annotations

import shutil
from typing import Any

from benchmarks.common import CACHE, read_json, say
from benchmarks.environments import OURS as OUR_ENVIRONMENT
from benchmarks.environments import module
from benchmarks.figures import OURS, against, figure, measure, percentile
from benchmarks.inputs import Inputs
from benchmarks.measure import Worker, interleaved, run
from benchmarks.options import Options

PLAIN = "plain script"
BATCH = 10
"""Questions a worker answers before the other one has its turn."""


def warm_query(options: Options, inputs: Inputs) -> dict[str, Any]:
    """Encode, search and rescore sentences (ours) against encode and search (the plain script, which does less)."""
    stores = {OURS: CACHE / "warm" / "ours", PLAIN: CACHE / "warm" / "plain"}
    texts = inputs.folder / "warm.json"
    say(f"  building both indexes of {options.warm_passages:,} passages")
    for folder in stores.values():
        shutil.rmtree(folder, ignore_errors=True)
    built = run(module(OUR_ENVIRONMENT, "ours", "prepare", stores[OURS], texts)).result
    run(module("sentence_transformers", "peers.plain", "prepare", inputs.model, stores[PLAIN], texts))
    questions = read_json(inputs.folder / "questions.json")
    batches = [questions[at : at + BATCH] for at in range(0, len(questions), BATCH)]
    with (
        Worker(module(OUR_ENVIRONMENT, "ours", "serve-queries", stores[OURS])) as ours,
        Worker(module("sentence_transformers", "peers.plain", "serve-queries", inputs.model, stores[PLAIN])) as plain,
    ):
        workers = {OURS: ours, PLAIN: plain}

        def round_of_all() -> dict[str, list[float]]:
            took: dict[str, list[float]] = {name: [] for name in workers}
            for batch in batches:
                for name, worker in workers.items():
                    took[name] += worker.ask(batch)
            return took

        rounds = interleaved({"all": round_of_all}, options.rounds, warm_up=1)["all"]
    p50 = {name: [percentile(took[name], 50) for took in rounds] for name in workers}
    p99 = {name: [percentile(took[name], 99) for took in rounds] for name in workers}
    peaks = {name: [worker.peak_mb] for name, worker in workers.items()}
    baselines = against(PLAIN, list(workers))
    return figure(
        f"Warm query over {options.warm_passages:,} passages: encode, search and rescore in a loaded process",
        {
            "p50_ms": measure("p50, ms", p50, baselines),
            "p99_ms": measure("p99, ms", p99),
            "peak_mb": measure("peak memory, MB", peaks),
        },
        passages_in_our_store=built["passages"],
        questions=len(questions),
        plain_script="encodes and searches; it rescores no sentences",
        texts=options.texts or "made from the shipped dispatch's sentences",
    )
