"""Makes the texts that all are measured with, from the shipped dispatch alone unless other texts are named.

`make` runs this file in a process of its own: `python -m benchmarks.inputs FOLDER OPTIONS-AS-JSON`. The same
options always give the same files.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.common import CACHE, ROOT, BenchError, say, tell, write_json
from benchmarks.environments import OURS, module
from benchmarks.measure import run
from benchmarks.options import Options

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SEED = 20240112
LONG, SHORT = 186, 30
"""Tokens of the two kinds of texts that encoding is measured with: a passage and a sentence."""
SPREAD = 0.25
"""Lengths vary by this share around those means, as those of real texts do."""
PASSAGES_PER_DISPATCH = 10
LANGUAGES = ("en", "fr", "de", "es", "uk", "ar", "zh", "pl")


@dataclass(frozen=True, slots=True)
class Inputs:
    """Where the texts are (passages.json, questions.json, …) and the model's folder."""

    folder: Path
    model: Path
    mean_tokens: dict[str, float]
    shipped_passages: int


def make(options: Options) -> Inputs:
    """Make what a run with these options needs, and the default model where it is not there yet."""
    wires = sorted({*options.grow, *([options.grow_real] if options.grow_real else [])})
    wanted = json.dumps(
        {
            "questions": options.questions,
            "texts": options.texts and str(Path(options.texts).resolve()),
            "warm_passages": options.warm_passages,
            "encode_texts": options.encode_texts,
            "wires": wires,
        }
    )
    key = hashlib.sha256(wanted.encode() + Path(__file__).read_bytes()).hexdigest()[:12]
    folder = CACHE / f"inputs-{key}"
    told = run(module(OURS, "inputs", folder, wanted)).result
    return Inputs(folder, Path(told["model"]), told["mean_tokens"], told["shipped_passages"])


def main() -> None:
    """Write all inputs into a folder; tell where the model's folder is."""
    folder, options = Path(sys.argv[1]), json.loads(sys.argv[2])
    from tokenizers import Tokenizer

    from dispatch_qa import Settings
    from dispatch_qa.models import prepare_default_model
    from dispatch_qa.readers import shipped_dispatch
    from dispatch_qa.split import split

    settings = Settings.from_env()
    model = prepare_default_model(settings.cache, say)
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))

    def count(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False).ids)

    dispatch = shipped_dispatch()
    passages = split(dispatch, count, settings.passage_tokens)
    sentences = [span.of(dispatch.text) for passage in passages for span in passage.sentences]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dispatch.txt").write_text(dispatch.text, encoding="utf-8")
    write_json(folder / "passages.json", [passage.span.of(dispatch.text) for passage in passages])
    write_json(folder / "questions.json", questions(options["questions"]))
    warm = given(options["texts"], options["warm_passages"]) or permuted(sentences, options["warm_passages"])
    write_json(folder / "warm.json", warm)
    lengths: dict[str, float] = {}
    for name, mean in (("long", LONG), ("short", SHORT)):
        texts = of_length(sentences, mean, options["encode_texts"], tokenizer)
        write_json(folder / f"{name}.json", texts)
        lengths[name] = sum(map(count, texts)) / len(texts)
    for passages_wanted in options["wires"]:
        wire(folder / f"wire-{passages_wanted}", sentences, passages_wanted)
    tell({"model": str(model), "mean_tokens": lengths, "shipped_passages": len(passages)})


def questions(n: int) -> list[str]:
    """The first `n` questions of the shipped question set, in turn in its eight languages."""
    lines = (ROOT / "eval" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line)["text"] for line in lines]
    return [rows[i % len(rows)][LANGUAGES[(i + i // len(rows)) % len(LANGUAGES)]] for i in range(n)]


def given(file: str | None, n: int) -> list[str]:
    """The first `n` texts of a file of JSON lines with a field "text"; none where no file is named."""
    if file is None:
        return []
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    texts = [" ".join(str(json.loads(line)["text"]).split()) for line in lines if line.strip()][:n]
    if len(texts) < n:
        raise BenchError(f"{file} has {len(texts)} texts, {n} are needed; type: --warm-passages {len(texts)}")
    return texts


def permuted(sentences: Sequence[str], n: int) -> list[str]:
    """`n` different texts of two to four of the sentences."""
    if n > math.perm(len(sentences), 4) // 2:
        raise BenchError(f"the dispatch's sentences do not give {n} different texts; type: --texts FILE")
    rng = random.Random(SEED)  # noqa: S311
    texts: dict[str, None] = {}
    while len(texts) < n:
        texts[" ".join(rng.sample(sentences, rng.choice((2, 3, 4))))] = None
    return list(texts)


def of_length(sentences: Sequence[str], mean: int, n: int, tokenizer: Tokenizer) -> list[str]:
    """`n` texts of about `mean` tokens: sentences in changing order, begun and cut off at a word."""
    rng = random.Random(SEED + mean)  # noqa: S311
    texts = []
    for _ in range(n):
        words = " ".join(rng.sample(sentences, len(sentences))).split(" ")
        start = rng.randrange(len(words) // 3)
        text = " ".join(words[start:])
        wanted = round(mean * rng.uniform(1 - SPREAD, 1 + SPREAD))
        offsets = tokenizer.encode(text, add_special_tokens=False).offsets
        end = offsets[min(wanted, len(offsets) - 1)][1]
        texts.append(text[: text.rfind(" ", 0, end)])
    return texts


def wire(folder: Path, sentences: Sequence[str], passages: int) -> None:
    """A folder of dispatches of ten paragraphs each, one text file a dispatch; kept where it is complete."""
    done = folder / ".complete"
    if done.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    paragraphs = _paragraphs(sentences)
    for number in range(passages // PASSAGES_PER_DISPATCH):
        text = "\n\n".join(next(paragraphs) for _ in range(PASSAGES_PER_DISPATCH))
        (folder / f"wire-{number:06}.txt").write_text(text + "\n", encoding="utf-8")
    done.touch()


def _paragraphs(sentences: Sequence[str]) -> Iterator[str]:
    rng = random.Random(SEED)  # noqa: S311
    while True:
        yield " ".join(rng.sample(sentences, rng.choice((1, 2, 3))))


if __name__ == "__main__":
    main()
