"""Measure speed against recall of the encoder's variants: `benchmarks/frontier.py --data DIR`, `--quick` to try it.

DIR holds the sets piaf-fr and xquad-r in BEIR layout. Writes benchmarks/results/frontier.json (a quick run, which means
nothing, benchmarks/.cache/frontier.json) and draws it beside where matplotlib is installed. Speed first; then each
variant embeds all texts, the fastest first. What would not be done in `--minutes` embeds every 25th text for its cosine
only, and its recall is null, unless its vectors are the reference's. On a busy machine give it more minutes.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks import machine
from benchmarks.common import CACHE, RESULTS, read_json, say, write_json
from benchmarks.measure import interleaved
from benchmarks.recall import FRENCH, MEAN_OF, Corpus, Vectors, cut, load_corpus, recall

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from benchmarks.variants import Variant

LONG, SHORT, SPREAD = 186, 30, 0.25  # mean tokens of the timed texts, and the share by which they vary
SAMPLE = 25  # of so many texts a variant embeds one where all would take too long
PAUSE_S = 0.3  # torch's threads still spin for a moment after its work
PACKAGES = ("torch", "sentence-transformers", "transformers", "onnx", "onnxruntime", "tokenizers", "numpy")

Speeds = dict[str, dict[str, dict[str, Any]]]  # kind of texts → variant → median, min, …


@dataclass(frozen=True, slots=True)
class Options:
    """Sizes of a run."""

    queries: int = 1000
    passages: int | None = None
    texts: tuple[int, int] = (48, 128)
    rounds: int = 5
    minutes: float = 11


QUICK = Options(queries=60, passages=40, texts=(6, 24), rounds=2)


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, metavar="DIR", help="with piaf-fr and xquad-r")
    parser.add_argument("--quick", action="store_true", help="few texts: proves that all of it runs")
    parser.add_argument("--queries", type=int, metavar="N", help=f"at most, a set (default {Options().queries})")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"of timing (default {Options().rounds})")
    parser.add_argument("--minutes", type=float, metavar="M", help=f"for all, {Options().minutes}; more embeds more")
    parser.add_argument("--output", type=Path, metavar="FILE", help="in place of benchmarks/results/frontier.json")
    parser.add_argument("--draw", type=Path, metavar="FILE", help="draw these results and measure nothing")
    given = parser.parse_args()
    if given.draw:
        plot(read_json(given.draw), given.draw.with_suffix(".svg"))
        return 0
    if not given.data or not all((given.data / name / "corpus.jsonl").is_file() for name in ("piaf-fr", "xquad-r")):
        say("error: the data is missing; type: --data DIR, a folder that holds piaf-fr and xquad-r in BEIR layout")
        return 1
    chosen = {name: value for name in ("queries", "rounds", "minutes") if (value := getattr(given, name)) is not None}
    output = given.output or (CACHE if given.quick else RESULTS) / "frontier.json"
    results = measured(given.data, replace(QUICK if given.quick else Options(), **chosen))
    write_json(output, results)
    say(f"Written: {output}")
    plot(results, output.with_suffix(".svg"))
    return 0


def measured(data: Path, options: Options) -> dict[str, Any]:
    """The results as they are written."""
    from tokenizers import Tokenizer

    from benchmarks.variants import BASELINE, REFERENCE, SHIPPED, load_variants
    from dispatch_qa import Settings
    from dispatch_qa.models import prepare_default_model

    start, busy = time.monotonic(), machine.load()
    folder = prepare_default_model(Settings.from_env().cache, say)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    corpus = load_corpus(data, options.queries, options.passages, tokenizer)
    with tempfile.TemporaryDirectory() as work:
        say("Building and loading the variants …")
        variants = load_variants(folder, Path(work), tokenizer, say)
        speeds: Speeds = {
            name: speed(variants, timed_texts(corpus, tokens, count, tokenizer), BASELINE, options.rounds)
            for name, tokens, count in zip(("passages_per_s", "texts_per_s"), (LONG, SHORT), options.texts, strict=True)
        }
        say(f"{REFERENCE}: all texts …")
        reference = embedded(variants[REFERENCE], corpus)
        facts = {REFERENCE: recall(reference, reference, corpus, 1)}
        for name, seconds in expected(speeds, corpus):
            left = 60 * options.minutes - (time.monotonic() - start)
            if name != REFERENCE:
                step = 1 if seconds < left or name == SHIPPED else SAMPLE
                say(f"{name}: {'all texts' if step == 1 else 'a sample of the texts'}, about {seconds / step:.0f} s …")
                facts[name] = recall(embedded(variants[name], corpus, step), reference, corpus, step)
    rows = [
        {
            "name": name,
            "shipped": name == SHIPPED,
            **{kind: found[name] for kind, found in speeds.items()},
            **facts[name],
            "bytes": variants[name].size,
        }
        for name in variants
    ]
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": machine.commit(),
        "source_sha256": machine.source_sha256(),
        "machine": machine.machine() | {"load_before": busy, "load_after": machine.load()},
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "minutes": round((time.monotonic() - start) / 60, 1),
        "baseline": BASELINE,
        "reference": REFERENCE,
        "embedded": {"passages": len(corpus.passages), "questions": len(corpus.questions)},
        "asked": {name: len(tasks[0].questions) * len(tasks) for name, tasks in corpus.tasks.items()},
        "points": [point(row) for row in rows if row["mrr_loss"]],
        "variants": rows,
    }


def timed_texts(corpus: Corpus, tokens: int, count: int, tokenizer: Tokenizer) -> list[str]:
    """Real passages, joined and cut off, of about as many tokens each."""
    rng = random.Random(tokens)  # noqa: S311
    passages = [corpus.passages[key] for key in corpus.tasks[FRENCH][0].passages]
    lengths = [round(tokens * rng.uniform(1 - SPREAD, 1 + SPREAD)) for _ in range(count)]
    return [cut(" ".join(rng.sample(passages, 4)), length, tokenizer) for length in lengths]


def speed(variants: dict[str, Variant], texts: list[str], baseline: str, rounds: int) -> dict[str, dict[str, Any]]:
    """Texts a second in interleaved rounds over the same texts; the first round warms and is not kept."""

    def turn(variant: Variant) -> float:
        time.sleep(PAUSE_S)
        start = time.perf_counter()
        variant.passages(texts)
        return len(texts) / (time.perf_counter() - start)

    jobs = {name: lambda variant=variant: turn(variant) for name, variant in variants.items()}
    found = interleaved(jobs, rounds, warm_up=1)
    of = statistics.median(found[baseline])
    return {
        name: {
            "median": round(statistics.median(values), 2),
            "min": round(min(values), 2),
            "max": round(max(values), 2),
            "ratio": round(statistics.median(values) / of, 3),
            "values": [round(value, 2) for value in values],
        }
        for name, values in found.items()
    }


def expected(speeds: Speeds, corpus: Corpus) -> list[tuple[str, float]]:
    """The variants with the seconds that embedding all will take about, the fastest first: it has the most to tell."""
    long, short = speeds["passages_per_s"], speeds["texts_per_s"]
    counts = len(corpus.passages), len(corpus.questions)
    seconds = {name: counts[0] / long[name]["median"] + counts[1] / short[name]["median"] for name in long}
    return sorted(seconds.items(), key=lambda item: item[1])


def embedded(variant: Variant, corpus: Corpus, step: int = 1) -> Vectors:
    """The vectors of every `step`-th passage and question."""
    passages, questions = ([*texts.values()][::step] for texts in (corpus.passages, corpus.questions))
    return variant.passages(passages), variant.queries(questions)


def point(row: dict[str, Any]) -> dict[str, Any]:
    """What tables and plots show of a variant."""
    return {
        "name": row["name"],
        "shipped": row["shipped"],
        "passages_per_s_ratio": row["passages_per_s"]["ratio"],
        "texts_per_s_ratio": row["texts_per_s"]["ratio"],
        "mrr_loss": row["mrr_loss_mean"]["points"],
        "mrr_loss_se": row["mrr_loss_mean"]["se"],
        "cosine": row["cosine_mean"],
        "cosine_least": row["cosine_least"],
        "mb": round(row["bytes"] / 1e6),
    }


def plot(results: dict[str, Any], path: Path) -> None:
    """Draw throughput against the mean loss of MRR@10, with a standard error each way."""
    if importlib.util.find_spec("matplotlib") is None:
        say(f"{path.name} is not drawn: type pip install matplotlib, then --draw {path.with_suffix('.json')}")
        return
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams |= {"svg.hashsalt": "dispatch-qa", "svg.fonttype": "none"}
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    middle = max(row["passages_per_s_ratio"] for row in results["points"]) / 2
    for row in results["points"]:
        x, y, color = row["passages_per_s_ratio"], row["mrr_loss"], "C3" if row["shipped"] else "C0"
        axes.errorbar(x, y, row["mrr_loss_se"], fmt="o", color=color, capsize=3)
        aside, side = (6, "left") if x < middle else (-6, "right")  # towards the middle, where there is room
        axes.annotate(row["name"], (x, y), xytext=(aside, 5), textcoords="offset points", ha=side, fontsize=8)
    axes.axhline(0, color="0.6", linewidth=0.8)
    axes.set_xlim(left=0)
    axes.set_xlabel(f"passages a second, of {results['baseline']}")
    axes.set_ylabel(f"points of MRR@10 lost, mean of {' and '.join(MEAN_OF)}")
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    raise SystemExit(main())
