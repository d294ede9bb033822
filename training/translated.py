"""Questions in other languages, by Apertium's rules: how a question is put changes, its matter and its names stay.

The sets ask of French passages in French alone, and of English and Spanish ones in few other languages. What a
rule-based translator makes of a question is clumsy, and enough to learn that the languages of question and passage
need not agree. Apertium and its language pairs are packages of Debian: `PACKAGES`.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

PACKAGES = "apertium apertium-fra-cat apertium-eng-cat apertium-fr-es apertium-eng-spa apertium-spa-ita"

# From a language into others: the steps between, each a mode of Apertium.
WAYS: dict[str, dict[str, tuple[str, ...]]] = {
    "fr": {"en": ("fra-cat", "cat-eng"), "es": ("fr-es",), "it": ("fr-es", "spa-ita")},
    "en": {"fr": ("eng-cat", "cat-fra"), "es": ("eng-spa",)},
    "es": {"fr": ("es-fr",), "en": ("spa-eng",), "it": ("spa-ita",)},
}
Versions = dict[str, dict[str, str]]
"""Of a question, by its id: its text in other languages."""


class Question(NamedTuple):
    """A question to be put in other languages."""

    query_id: str
    language: str
    text: str


def translated(questions: Iterable[Question]) -> Versions:
    """Each question in the languages that `WAYS` leads to.

    Raises:
        SystemExit: Apertium is not installed.
    """
    if not shutil.which("apertium"):
        raise SystemExit(f"Questions are put in other languages by Apertium: apt-get install {PACKAGES}")
    by_language: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for query_id, language, text in questions:
        by_language[language].append((query_id, " ".join(text.split())))
    found: Versions = defaultdict(dict)
    for language, ways in WAYS.items():
        asked = by_language[language]
        for target, modes in ways.items():
            texts = [text for _, text in asked]
            for mode in modes:
                texts = _through(mode, texts)
            for (query_id, text), new in zip(asked, texts, strict=True):
                if new and new != text:
                    found[query_id][target] = new
    return found


def _through(mode: str, texts: Sequence[str]) -> list[str]:
    # A question ends in a mark and an empty line, or words of the next one are moved into it.
    marked = (text if text.endswith(("?", ".", "!")) else f"{text}?" for text in texts)
    sent = "\n\n".join(marked) + "\n"
    got = subprocess.run(
        ["apertium", "-u", mode],
        input=sent,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        check=True,
    ).stdout
    lines = [" ".join(line.split()) for line in got.strip("\n").split("\n\n")]
    if len(lines) != len(texts):
        raise ValueError(f"apertium {mode}: {len(texts)} questions in, {len(lines)} out")
    return lines
