"""What a training needs before its first step: wrong passages, questions and passages in other languages."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import asked
import opus
import written
from data import Pool, load
from kept import kept
from translated import Question, Versions, translated
from word_by_word import word_by_word

NEAREST = 8  # wrong passages of a question


def prepared(data: Path, work: Path, translators: Path | None) -> tuple[Pool, dict[str, list[str]], Versions]:
    """The sets, the wrong passages of questions, and the train part's questions in other languages.

    Args:
        data: a folder with the sets, each in BEIR layout.
        work: a folder in which all that is made is kept.
        translators: OPUS-MT between English and French: with it, passages get a counterpart in the other language.

    Raises:
        SystemExit: a translator or its dictionaries are not installed.
    """
    pool = load(data, written.read())
    nearest: dict[str, list[str]] = kept(work / "nearest.json", lambda: nearest_wrong(pool))
    questions = [Question(q.query_id, q.language, q.text) for q in (*pool.of_part("train"), *pool.off_of("train"))]
    versions: Versions = kept(work / "translated.json", lambda: translated(questions))
    if translators:
        fluent = kept(work / "opus-questions.json", lambda: opus.questions(questions, translators))
        versions = _beside(versions, fluent)
        pool.add(_counterparts(pool, translators, work / "opus-passages.json"))
    own = asked.questions(pool, asked.FOLDER)
    nearest |= asked.nearest(own, pool, nearest, NEAREST)
    pool.questions += own
    return pool, nearest, _beside(kept(work / "word_by_word.json", lambda: word_by_word(questions, versions)), versions)


def nearest_wrong(pool: Pool, count: int = NEAREST) -> dict[str, list[str]]:
    """For each train question that has no wrong passages of its own, the `count` that dense search ranks first."""
    import numpy as np

    from dispatch_qa.embed import load_embedder
    from dispatch_qa.settings import DEFAULT_MODEL, default_cache

    embedder = load_embedder(DEFAULT_MODEL, default_cache(), 32)
    texts = [text for text in pool.passages.values() if text.part == "train"]
    asked = [q for q in pool.of_part("train") if q.golds and (q.dataset != "afriqa-en" or q.language == "en")]
    asked += pool.off_of("train")
    vectors = embedder.passages([text.text[:600] for text in texts])
    found = {}
    for at in range(0, len(asked), 512):
        some = asked[at : at + 512]
        ranked = np.argsort(-(embedder.queries([q.text for q in some]) @ vectors.T), axis=1)[:, :60]
        for question, row in zip(some, ranked, strict=True):
            found[question.query_id] = pool.wrong_for(question, (texts[i].passage_id for i in row))[:count]
    return found


def _counterparts(pool: Pool, translators: Path, file: Path) -> dict[str, opus.Counterpart]:
    def made() -> dict[str, object]:
        golds = pool.asked_of("train")
        passages = [(key, pool.passages[key].language, pool.passages[key].text) for key in sorted(golds)]
        return {key: asdict(one) for key, one in opus.counterparts(passages, golds, translators).items()}

    return {key: opus.Counterpart(**one) for key, one in kept(file, made).items()}


def _beside(some: Versions, preferred: Versions) -> Versions:
    """The versions of both; where both have one in a language, the preferred one."""
    return {key: {**some.get(key, {}), **preferred.get(key, {})} for key in {**preferred, **some}}
