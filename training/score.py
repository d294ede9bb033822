"""Score the shipped reader on paragraphs that it was not trained on: `python training/score.py --data DIR`.

Writes `training/results/reader.json`: F1 and exact match of the spans by pair of languages, and how well "it is
here" tells answerable from unanswerable pairs.
"""

from __future__ import annotations

import argparse
import json
import re
import string
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from data import Asked, Pool, load
from sklearn.metrics import roc_auc_score
from written import Written, read

from dispatch_qa.models import FINGERPRINT
from dispatch_qa.reader import Reader, load_reader
from dispatch_qa.settings import default_cache

RESULTS = Path(__file__).parent / "results" / "reader.json"
# As in the evaluation of MLQA: articles tell nothing.
ARTICLES = {
    "en": "a|an|the",
    "fr": "le|la|les|l|un|une|des|du|au|aux",
    "es": "un|una|unos|unas|el|la|los|las",
    "de": "ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des",
}


def words(text: str, language: str) -> list[str]:
    """What counts of an answer: its words without case, punctuation and articles; in Chinese its characters."""
    text = "".join(" " if unicodedata.category(c)[0] in "PS" or c in string.punctuation else c for c in text.casefold())
    if language in ARTICLES:
        text = re.sub(rf"\b({ARTICLES[language]})\b", " ", text)
    if language == "zh":
        text = re.sub(r"([\u3400-\u9fff])", r" \1 ", text)
    return text.split()


def f1(found: str, gold: str, language: str) -> float:
    """The harmonic mean of the precision and recall of words."""
    a, b = Counter(words(found, language)), Counter(words(gold, language))
    same = sum((a & b).values())
    return float(a == b) if not same else 2 * same / (a.total() + b.total())


def spans(pool: Pool, asked: Sequence[Asked], reader: Reader) -> dict[str, dict[str, float]]:
    """F1 and exact match, in percent, by pair of languages, question → passage; several right answers: the best."""
    scores = defaultdict(list)
    for question in asked:
        for passage_id, golds in sorted(question.golds.items()):
            passage = pool.passages[passage_id]
            (reading,) = reader.read(question.text, [passage.text])
            found = reading.found[0].span.of(passage.text) if reading.found else ""
            each = [(f1(found, gold, passage.language), words(found, passage.language)) for _, gold in golds]
            exact = any(
                found_words == words(gold, passage.language)
                for (_, found_words), (_, gold) in zip(each, golds, strict=True)
            )
            scores[f"{question.language}→{passage.language}"].append((max(score for score, _ in each), exact))
    return {
        pair: {
            "n": len(rows),
            "f1": round(100 * sum(a for a, _ in rows) / len(rows), 1),
            "exact": round(100 * sum(b for _, b in rows) / len(rows), 1),
        }
        for pair, rows in sorted(scores.items())
    }


def auroc(pool: Pool, asked: Sequence[Asked], reader: Reader) -> float:
    """Answerable questions against those that are only about the passage's topic, each with its passage."""
    labels, logits = [], []
    for question in asked:
        passage = pool.passages[question.beside or min(question.golds)]
        labels.append(not question.beside)
        logits.append(reader.read(question.text, [passage.text])[0].here)
    return round(float(roc_auc_score(labels, logits)), 3)


def written_figures(dispatches: Sequence[Written], reader: Reader) -> dict[str, dict[str, float]]:
    """Of the dispatches written for the training, by language: each question with its own paragraph.

    `auroc` is of answerable questions against near misses.
    """
    found: dict[str, list[tuple[float | None, float]]] = defaultdict(list)
    for one in dispatches:
        for put in one.questions:
            text = one.paragraphs[put.paragraph]
            (reading,) = reader.read(put.text, [text])
            words = reading.found[0].span.of(text) if reading.found else ""
            found[one.language].append((f1(words, put.words, one.language) if put.words else None, reading.here))
    found["all"] = [row for rows in found.values() for row in rows]
    told = {}
    for language, rows in sorted(found.items()):
        scores = [score for score, _ in rows if score is not None]
        labels, logits = [score is not None for score, _ in rows], [here for _, here in rows]
        told[language] = {
            "n": len(rows),
            "answerable": len(scores),
            "f1": round(100 * sum(scores) / max(1, len(scores)), 1),
            "auroc": round(float(roc_auc_score(labels, logits)), 3) if len(set(labels)) == 2 else 0.0,
        }
    return told


def figures(pool: Pool, reader: Reader, part: str, limit: int | None = None) -> dict[str, Any]:
    """All figures of a part; with `limit`, on so many questions of each set."""
    of = {name: [q for q in pool.of_part(part) if q.dataset == name] for name in ("xquad-r", "piaf-fr")}
    squad = {n: [q for q in pool.of_part(part) if q.dataset == n] for n in ("squad2-en", "squad2-es")}
    africa = [q for q in pool.of_part(part) if q.dataset == "afriqa-en"]
    told: dict[str, Any] = {name: spans(pool, asked[:limit], reader) for name, asked in of.items()}
    told |= {name: spans(pool, [q for q in asked if q.golds][:limit], reader) for name, asked in squad.items()}
    told["afriqa-en"] = spans(pool, africa[:limit], reader)
    across = [row["f1"] for pair, row in told["xquad-r"].items() if len(set(pair.split("→"))) == 2]
    told["xquad-r across, f1"] = round(sum(across) / len(across), 1)
    told["written"] = written_figures(pool.written_of(part)[:limit], reader)
    told["beside, auroc"] = {name: auroc(pool, asked[:limit], reader) for name, asked in squad.items()}
    return told


def write(told: dict[str, Any], reader: str) -> None:
    """Write the figures and print them."""
    RESULTS.parent.mkdir(exist_ok=True)
    text = json.dumps({"reader": reader, "part": "test", **told}, ensure_ascii=False, indent=1)
    RESULTS.write_text(text + "\n", encoding="utf-8")
    print(text)


def main() -> None:
    """Score the shipped weights, or with `--checkpoint` those of a training in float32: what shrinking costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--part", choices=["test", "tune"], default="test", help="tune is for choosing: nothing is written"
    )
    parser.add_argument("--limit", type=int, help="so many questions of each set; nothing is written")
    parser.add_argument("--torch", action="store_true", help="the shipped weights by torch, in float32")
    parser.add_argument("--checkpoint", type=Path, help="a training's weights by torch, in float32")
    arguments = parser.parse_args()
    if arguments.torch or arguments.checkpoint:
        from model import torch_reader

        reader: Reader | None = torch_reader(arguments.checkpoint)
    else:
        reader = load_reader(FINGERPRINT, default_cache(), print)
    if reader is None:
        raise SystemExit("the reader is off on this machine")
    told = figures(load(arguments.data, read()), reader, arguments.part, arguments.limit)
    if arguments.limit or arguments.part != "test":
        print(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        write(told, reader.name)


if __name__ == "__main__":
    main()
