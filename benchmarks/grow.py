"""Figure of growth: how long a store takes to build, per passage, at three sizes."""

from __future__ import annotations

from typing import Any

from benchmarks.common import CACHE
from benchmarks.environments import OURS as OUR_ENVIRONMENT
from benchmarks.environments import module
from benchmarks.figures import figure, measure
from benchmarks.inputs import Inputs
from benchmarks.measure import interleaved, run
from benchmarks.options import Options


def growth(options: Options, inputs: Inputs) -> dict[str, Any]:
    """The whole build (read, split, store, index) with a stand-in for the encoder, and once with the real one."""
    sizes = {f"stand-in encoder, {n:,} passages": ("stand-in", n) for n in options.grow}
    smallest = next(iter(sizes))
    if options.grow_real:
        sizes[f"real encoder, {options.grow_real:,} passages"] = ("real", options.grow_real)
    store = CACHE / "grown"
    commands = {
        name: module(OUR_ENVIRONMENT, "ours", "grow", encoder, inputs.folder / f"wire-{n}", store)
        for name, (encoder, n) in sizes.items()
    }
    jobs = {name: lambda command=command: run(command) for name, command in commands.items()}
    runs = interleaved(jobs, options.grow_repeats)
    baselines = {smallest: dict.fromkeys([name for name in sizes if name.startswith("stand-in")], smallest)}
    each = {name: [one.result["build_s"] * 1000 / one.result["passages"] for one in r] for name, r in runs.items()}
    disk = {name: [one.result["disk_bytes"] / one.result["passages"] for one in r] for name, r in runs.items()}
    return figure(
        "Growth: building a store, per passage",
        {
            "ms": measure("ms a passage", each, baselines),
            "disk_bytes": measure("disk, bytes a passage", disk),
            "peak_mb": measure("peak memory, MB", {name: [one.peak_mb for one in r] for name, r in runs.items()}),
        },
        passages={name: found[0].result["passages"] for name, found in runs.items()},
        stand_in="gives made unit vectors at once, so that all but the encoder is measured",
    )
