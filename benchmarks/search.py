"""Figures of index search: exact against what the store's engine chooses, over made vectors of three sizes."""

from __future__ import annotations

import shutil
from typing import Any

from benchmarks.common import CACHE, say
from benchmarks.environments import OURS as OUR_ENVIRONMENT
from benchmarks.environments import module
from benchmarks.figures import OURS, figure, measure
from benchmarks.measure import Run, interleaved, run
from benchmarks.options import Options

EXACT = "exact float32"
KINDS = {OURS: "ours", EXACT: "exact"}
MADE = "clustered random unit vectors, 384 dimensions, seeded (benchmarks/vectors.py); they are not text"


def search(options: Options, vectors: int) -> dict[str, Any]:
    """Build, open and search one size, each engine in processes of its own."""
    folder = CACHE / "vectors" / str(vectors)
    say(f"  making {vectors:,} vectors and their true neighbours")
    made = run(module(OUR_ENVIRONMENT, "vectors", folder, vectors, options.vector_queries)).result
    built: dict[str, Run] = {}
    for name, kind in KINDS.items():
        say(f"  building: {name}")
        shutil.rmtree(folder / kind, ignore_errors=True)
        built[name] = run(module(OUR_ENVIRONMENT, "engines", "build", kind, folder))
    commands = {name: module(OUR_ENVIRONMENT, "engines", "query", kind, folder) for name, kind in KINDS.items()}
    jobs = {name: lambda command=command: run(command) for name, command in commands.items()}
    runs = interleaved(jobs, options.vector_repeats)  # each process warms up by itself
    baselines = {EXACT: dict.fromkeys(KINDS, EXACT)}

    def queried(key: str) -> dict[str, list[float]]:
        return {name: [one.result[key] for one in found] for name, found in runs.items()}

    def at_build(key: str) -> dict[str, list[float]]:
        return {name: [one.result[key]] for name, one in built.items()}

    builds = {name: [one.peak_mb] for name, one in built.items()}
    return figure(
        f"Index search over {vectors:,} made vectors",
        {
            "recall": measure("recall@10", queried("recall")),
            "p50_ms": measure("p50, ms", queried("p50_ms"), baselines),
            "p99_ms": measure("p99, ms", queried("p99_ms")),
            "memory_bytes": measure("memory, bytes a vector", queried("memory_bytes"), baselines),
            "disk_bytes": measure("disk, bytes a vector", at_build("disk_bytes")),
            "open_s": measure("open, s", queried("open_s")),
            "build_s": measure("build, s", at_build("build_s")),
            "build_peak_mb": measure("peak memory of the build with its input, MB", builds),
        },
        vectors=MADE,
        queries=options.vector_queries,
        mean_cosine_of_the_tenth=made["tenth"],
        engine={name: found[0].result["engine"] for name, found in runs.items()},
    )
