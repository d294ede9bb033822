"""Questions and passages between English and French, by OPUS-MT, and where an answer comes to stand.

The shipped dispatch is French, and one set of five has French passages. Here the English ones get a French
counterpart and the other way round, and what they are asked does, too. Which words of a translation an answer became
is told by the translator's attention: what does not hold together there is left out.

The two models are Helsinki-NLP's `opus-mt-en-fr` and `opus-mt-fr-en` (Apache-2.0), converted for CTranslate2:

    ct2-transformers-converter --model opus-mt-en-fr --output_dir opus/en_fr --quantization int8 \
      --copy_files source.spm target.spm
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

from translated import Question, Versions

from dispatch_qa.split import sentences

WAYS = {"en": "fr", "fr": "en"}
BEAM = 2  # for questions; passages are many
BATCH = 4096  # tokens
LONGEST = 220  # tokens of a sentence; beyond, the translator loses its place
GROWN = 2.5  # a translation this many times as long as its sentence repeats itself
ASTRAY = 0.34  # of an answer's tokens, the share that may stand for words beside it
_EDGES = " \t\n,;:.!?«»\"“”'’()[]-–—"

Gold = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Link:
    """A token of a translation, and the one it stands for: characters of each, `end` behind the last."""

    start: int
    end: int
    of: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text in the other language, its tokens in order."""

    text: str
    links: tuple[Link, ...]

    def place(self, start: int, answer: str) -> Gold | None:
        """Where the `answer` that begins at `start` of the source stands here; `None` where that is not plain."""
        end = start + len(answer)
        held = [i for i, link in enumerate(self.links) if link.of[0] < end and link.of[1] > start]
        if not held:
            return None
        first, last = held[0], held[-1]
        inside = self.links[first : last + 1]
        if len(inside) - len(held) > ASTRAY * len(inside):
            return None
        begin, behind = inside[0].start, inside[-1].end
        while begin and self.text[begin - 1].isalnum() and self.text[begin].isalnum():
            begin -= 1
        while behind < len(self.text) and self.text[behind - 1].isalnum() and self.text[behind].isalnum():
            behind += 1
        found = self.text[begin:behind]
        begin += len(found) - len(found.lstrip(_EDGES))
        found = found.strip(_EDGES)
        found += ")" * (found.count("(") > found.count(")") and self.text.startswith(")", begin + len(found)))
        return (begin, found) if found and _digits(answer) == _digits(found) else None


@dataclass(frozen=True, slots=True)
class Counterpart:
    """A passage in another language; `golds` are (start, answer) there, by `_key` of those of the original."""

    language: str
    text: str
    golds: dict[str, Gold]

    def place_of(self, gold: Gold) -> Gold | None:
        """Where an answer of the original stands here, as far as it is known."""
        found = self.golds.get(_key(gold))
        return (found[0], found[1]) if found else None


class Translator:
    """From one language into another; `folder` holds the converted model.

    Raises:
        SystemExit: there is no such model.
    """

    def __init__(self, folder: Path) -> None:
        if not (folder / "model.bin").is_file():
            raise SystemExit(f"{folder} holds no converted translator: training/opus.py says how to make one.")
        import ctranslate2
        import sentencepiece

        self._pieces = sentencepiece.SentencePieceProcessor(str(folder / "source.spm"))
        self._model = ctranslate2.Translator(str(folder), compute_type="int8", inter_threads=2, intra_threads=1)

    def __call__(self, texts: Sequence[str], beam: int) -> list[Rendered | None]:
        """Each sentence, or `None` where it is too long or comes out longer than it can be."""
        cut = [self._pieces.encode(text, return_type="proto").pieces[:LONGEST] for text in texts]
        results = self._model.translate_batch(
            [[*(piece.piece for piece in pieces), "</s>"] for pieces in cut],
            beam_size=beam,
            max_batch_size=BATCH,
            batch_type="tokens",
            return_attention=True,
        )
        found: list[Rendered | None] = []
        for text, pieces, result in zip(texts, cut, results, strict=True):
            # The tokenizer counts bytes.
            chars = {byte: i for i, byte in enumerate(accumulate((len(c.encode()) for c in text), initial=0))}
            places = [(chars.get(piece.begin, 0), chars.get(piece.end, len(text))) for piece in pieces]
            rendered = _rendered(result.hypotheses[0], result.attention[0], [*places, (len(text), len(text))])
            sound = len(pieces) < LONGEST and len(rendered.text) < GROWN * len(text) + 20
            found.append(rendered if sound else None)
        return found


def counterparts(
    passages: Sequence[tuple[str, str, str]], golds: dict[str, set[Gold]], models: Path
) -> dict[str, Counterpart]:
    """Of passages (id, language, text), those in the other language of `WAYS`, with their `golds`."""
    found: dict[str, Counterpart] = {}
    for language, target in WAYS.items():
        those = [(key, text) for key, spoken, text in passages if spoken == language]
        if not those:
            continue
        parts = [(key, span) for key, text in those for span in sentences(text, language)]
        texts = dict(those)
        rendered = Translator(models / f"{language}_{target}")(
            [texts[key][span.start : span.end] for key, span in parts], beam=1
        )
        of: dict[str, list[tuple[int, Rendered | None]]] = {}
        for (key, span), one in zip(parts, rendered, strict=True):
            of.setdefault(key, []).append((span.start, one))
        for key, some in of.items():
            whole = [(at, one) for at, one in some if one]
            if len(whole) == len(some):
                found[key] = _joined(target, whole, golds.get(key, set()))
    return found


def questions(asked: Sequence[Question], models: Path) -> Versions:
    """Each question in the other language of `WAYS`."""
    found: Versions = {}
    for language, target in WAYS.items():
        those = [(key, " ".join(text.split())) for key, spoken, text in asked if spoken == language]
        rendered = Translator(models / f"{language}_{target}")([text for _, text in those], BEAM)
        found |= {key: {target: one.text} for (key, _), one in zip(those, rendered, strict=True) if one}
    return found


def _rendered(
    tokens: Sequence[str], attention: Sequence[Sequence[float]], places: Sequence[tuple[int, int]]
) -> Rendered:
    shown = [token.replace("▁", " ") for token in tokens]
    if shown and shown[0].startswith(" "):
        shown[0] = shown[0][1:]
    ends = list(accumulate((len(piece) for piece in shown), initial=0))
    links = []
    for (start, end), piece, row in zip(pairwise(ends), shown, attention, strict=True):
        best = max(range(len(places)), key=lambda i: row[i])
        if piece.strip():
            links.append(Link(start + len(piece) - len(piece.lstrip()), end, places[best]))
    return Rendered("".join(shown), tuple(links))


def _joined(language: str, parts: Sequence[tuple[int, Rendered]], golds: Iterable[Gold]) -> Counterpart:
    text, moved = "", {}
    for at, part in parts:
        begin = len(text) + 1 if text else 0
        text = f"{text} {part.text}" if text else part.text
        reach = max((link.of[1] for link in part.links), default=0)
        for start, answer in golds:
            if at <= start and start - at + len(answer) <= reach + 1 and (found := part.place(start - at, answer)):
                moved[_key((start, answer))] = (begin + found[0], found[1])
    return Counterpart(language, text, moved)


def _key(gold: Gold) -> str:
    return f"{gold[0]}+{len(gold[1])}"


def _digits(text: str) -> str:
    """The numbers of three digits and more, in order of their digits; shorter ones may be words or Roman elsewhere."""
    grouped = re.sub(r"(?<=\d)[\s.,](?=\d{3})", "", text)
    return " ".join(sorted(number for number in re.findall(r"\d+", grouped) if len(number) > 2))
