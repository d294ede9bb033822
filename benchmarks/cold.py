"""Figures of whole processes: one question asked from the shell, and the building of the shipped dispatch's store."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.common import CACHE, say
from benchmarks.environments import OURS as OUR_ENVIRONMENT
from benchmarks.environments import module, python_of
from benchmarks.figures import OURS, against, figure, measure
from benchmarks.inputs import Inputs
from benchmarks.measure import Run, interleaved, run
from benchmarks.options import QUESTION, Options

SCRIPTS = {
    "bare ONNX fp32": ("bare", "peers.bare"),
    "bare ONNX int8": ("bare", "peers.bare"),
    "plain script": ("sentence_transformers", "peers.plain"),
    "txtai": ("txtai", "peers.txtai_peer"),
    "semantra": ("semantra", "peers.semantra_peer"),
    "LangChain": ("langchain", "peers.langchain_peer"),
}
"""Peer → its environment and its script."""

INDEXES = CACHE / "indexes"
BASELINES = ("txtai", "bare ONNX int8", "bare ONNX fp32")


def cold_ask(options: Options, inputs: Inputs) -> dict[str, Any]:
    """A fresh process answers one question on the shipped dispatch; all files are in the page cache."""
    for name in options.peers:
        say(f"  preparing the index of {name}")
        _build(name, inputs, INDEXES / _slug(name))()
    ours = [python_of(OUR_ENVIRONMENT), "-m", "dispatch_qa", "ask", QUESTION]
    jobs: dict[str, Callable[[], Run]] = {OURS: lambda: run(ours)}
    for name in options.peers:
        command = _command(name, "ask", inputs, INDEXES / _slug(name), QUESTION)
        jobs[name] = lambda command=command: run(command)  # type: ignore[misc]
    runs = interleaved(jobs, options.repeats, warm_up=1)
    answers = {name: _answer(found[0]).split() for name, found in runs.items()}
    expected = answers.get("plain script", [])
    return figure(
        "Cold question: a fresh process answers one question on the shipped dispatch",
        _measures(runs, BASELINES),
        question=QUESTION,
        same_answer={name: _holds(answer, expected) for name, answer in answers.items()},
    )


def build_shipped(options: Options, inputs: Inputs) -> dict[str, Any]:
    """A fresh process reads, embeds and saves the shipped dispatch. Ours embeds every sentence as well."""
    jobs = {name: _build(name, inputs, CACHE / "built" / _slug(name)) for name in (OURS, *options.peers)}
    return figure(
        "Build: a fresh process embeds the shipped dispatch and saves it",
        _measures(interleaved(jobs, options.repeats, warm_up=1), ("txtai", "plain script")),
    )


def bare_model(name: str) -> Path:
    """The folder of the ONNX file that a bare script loads."""
    return CACHE / "onnx" / name.rpartition(" ")[2]


def _build(name: str, inputs: Inputs, folder: Path) -> Callable[[], Run]:
    """A job that builds into a folder, which is emptied first; emptying is not timed."""
    if name == OURS:
        command = [python_of(OUR_ENVIRONMENT), "-m", "dispatch_qa", "build", "--index", str(folder)]
    else:
        texts = "dispatch.txt" if name == "semantra" else "passages.json"
        command = _command(name, "prepare", inputs, folder, inputs.folder / texts)

    def job() -> Run:
        shutil.rmtree(folder, ignore_errors=True)
        return run(command)

    return job


def _command(name: str, what: str, inputs: Inputs, index: Path, last: str | Path) -> list[str]:
    environment, script = SCRIPTS[name]
    model = bare_model(name) if environment == "bare" else inputs.model
    return module(environment, script, what, model, index, last)


def _measures(runs: dict[str, list[Run]], bases: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    bases_of = {
        "wall_s": {label: found for base in bases for label, found in against(base, list(runs)).items()},
        "peak_mb": against(bases[0], list(runs)),
    }
    values = {
        "wall_s": ("wall, s", {name: [one.wall_s for one in found] for name, found in runs.items()}),
        "user_s": ("processor, s", {name: [one.user_s for one in found] for name, found in runs.items()}),
        "peak_mb": ("peak memory, MB", {name: [one.peak_mb for one in found] for name, found in runs.items()}),
    }
    return {key: measure(label, found, bases_of.get(key)) for key, (label, found) in values.items()}


def _answer(one: Run) -> str:
    """The passage that a peer put first; for ours, the first citation as it is printed."""
    return str(one.result["text"]) if one.result else one.output.partition("\n")[0]


def _holds(answer: list[str], expected: list[str]) -> bool:
    """Whether an answer holds the expected passage; semantra's windows are wider than passages."""
    return " ".join(expected) in " ".join(answer)


def _slug(name: str) -> str:
    return name.casefold().replace(" ", "-")
