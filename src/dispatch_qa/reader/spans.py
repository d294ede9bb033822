"""From a reader's logits to words: the best spans, with whole words, and numbers with what belongs to them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dispatch_qa.reader.protocol import Found
from dispatch_qa.records import Span

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

LONGEST = 40  # pieces of a span
BEST = 3
TRIED = 60  # best pairs of pieces that are looked at

# A letter or digit of a script that puts spaces between words.
_LETTER = r"[^\W_\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]"
_WORD = re.compile(
    rf"{_LETTER}+(?:(?:[-‐‑](?={_LETTER})|(?<=\d)[.,](?=\d)|(?<=\d)[ \u00a0\u202f](?=\d{{3}}(?!\d))){_LETTER}+)*"
)
_ABOUT = re.compile(
    r"(?<!\w)(?:plus de|moins de|près de|au moins|environ|jusqu'à|quelque|more than|less than|fewer than|at least|up to"
    r"|over|under|about|around|nearly|almost|mehr als|weniger als|mindestens|rund|etwa|fast|über|bis zu|más de"
    r"|menos de|al menos|cerca de|unos|unas|casi|hasta|понад|більше ніж|більше|менше|близько|майже|более|менее|около"
    r"|свыше|почти|ponad|więcej niż|mniej niż|około|blisko|prawie|أكثر من|أقل من|نحو|حوالي) \Z"
    r"|(?:超过|大约|近|约)\Z",
    re.IGNORECASE,
)
_DOZENS = re.compile(
    r"(?:dizaine|douzaine|vingtaine|cinquantaine|centaine|millier|million|milliard)s?(?!\w)", re.IGNORECASE
)
_SOME = re.compile(r"(?<!\w)(?:des|une?|quelques|plusieurs) \Z", re.IGNORECASE)
_UNIT = re.compile(
    r"[ \u00a0\u202f]?(?:[%‰€$£¥]|°[CF]?)"
    r"|[ \u00a0\u202f](?:[mck]?m[²³]?|[mk]?g|t|ha|l|[kMG]Wh?|km/h|pour cent|per ?cent|Prozent|por ciento|процент\w*"
    r"|відсот\w*|hundred|thousand|tausend|mille|mil|millions?|Million(?:en)?|millón|millones|milliards?|Milliarden?"
    r"|billions?|тыс\w*|тис\w*|млн|млрд|миллион\w*|миллиард\w*|мільйон\w*|мільярд\w*|mln|mld|tysi\w*|milion\w*"
    r"|miliard\w*|tonnes?|tons?|Tonnen|toneladas|тонн\w*|mètres|met(?:er|re)s|Meter|metros|kilom[eèé]t\w+|километр\w*"
    r"|кілометр\w*|(?:d'|de )?(?:euros?|dollars?|dólares)|Euro|Dollar|долл?ар\w*|евро|євро|рубл\w*|гривень"
    r"|pounds?)(?!\w)"
    r"|[万亿]?(?:美元|欧元|元|公里|米|吨)|[万亿]"
)
_NEXT, _PREVIOUS = re.compile(r" (\w[\w'’-]*)"), re.compile(r"(\w[\w'’-]*) \Z")
_PAIRS = ("()", "[]", "«»", "“”", '""')
_EDGES = ",;:.!?…–—-"


def best_spans(text: str, places: Sequence[tuple[int, int]], logits: npt.NDArray[np.float32]) -> tuple[Found, ...]:
    """At most `BEST` spans of a passage, best first; a span that overlaps a better one is left out.

    Args:
        text: the passage.
        places: each piece's (start, end) in it.
        logits: (pieces, 2), of each piece being the first and the last of the answer.
    """
    import numpy as np

    if not places:
        return ()
    first, last = logits.astype(np.float64).T
    share = np.exp(first - first.max())[:, None] * np.exp(last - last.max())
    share = np.triu(np.tril(share, LONGEST - 1))  # not backwards, not too long
    share /= share.sum()
    # "250" and "plus de 250" are the same words once widened: what speaks for the one speaks for both.
    shares: dict[Span, float] = {}
    for flat in np.argsort(-share, axis=None, kind="stable")[:TRIED]:
        start, end = divmod(int(flat), len(places))
        span = widened(text, places[start][0], places[end][1]) if start <= end else None
        if span:
            shares[span] = shares.get(span, 0.0) + float(share[start, end])
    found: list[Span] = []
    for span in sorted(shares, key=lambda span: -shares[span]):
        if not any(span.start < other.end and other.start < span.end for other in found):
            found.append(span)
    return tuple(Found(span, _nested(span, shares)) for span in found[:BEST])


def _nested(span: Span, shares: Mapping[Span, float]) -> float:
    """The share of the span and of those within it or around it: "plus de 250", "plus de 250 producteurs"."""
    inside = [share for one, share in shares.items() if span.start <= one.start and one.end <= span.end]
    around = [share for one, share in shares.items() if one.start <= span.start and span.end <= one.end]
    return min(1.0, sum(inside) + sum(around) - shares[span])  # it is in both; rounding may lead past 1


def widened(text: str, start: int, end: int) -> Span | None:
    """The span with whole words and names, a number with its unit and its "more than"; `None` without a word in it."""
    touched = [word.span() for word in _WORD.finditer(text) if word.start() < end and word.end() > start]
    start, end = min([start, *(a for a, _ in touched)]), max([end, *(b for _, b in touched)])
    start, end = _bare(text, start, end)
    if start >= end or not any(char.isalnum() for char in text[start:end]):
        return None
    start, end = _whole_name(text, start, end)
    last = text.rfind(" ", start, end)
    if text[end - 1].isdecimal() or (text[start].isdecimal() and last > 0 and _UNIT.fullmatch(text, last, end)):
        while unit := _UNIT.match(text, end):
            end = unit.end()
    if _DOZENS.match(text, start) and (some := _SOME.search(text, max(0, start - 10), start)):
        start = some.start()
    if (text[start].isdecimal() or _DOZENS.search(text, start, end)) and (
        about := _ABOUT.search(text, max(0, start - 20), start)
    ):
        start = about.start()
    return Span(start, end)


def _whole_name(text: str, start: int, end: int) -> tuple[int, int]:
    """With the capitalised neighbours of a capitalised word; a sentence's first word is capitalised in any case."""
    first, last = text[start], text[text.rfind(" ", start, end) + 1 if " " in text[start:end] else start]
    while last.isupper() and (word := _NEXT.match(text, end)) and word[1][0].isupper():
        end = word.end()
    while first.isupper() and (word := _PREVIOUS.search(text, max(0, start - 40), start)) and word[1][0].isupper():
        before = text[: word.start()].rstrip()
        if not before or before[-1] in '.!?…:"«“»”':
            break
        start = word.start()
    return start, end


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    """Without white space and punctuation at the edges; nor brackets and quotation marks whose other half is not in."""
    while start < end:
        words = text[start:end]
        alone = {char for pair in _PAIRS for char in pair if _alone(words, pair)}
        if words[0] in _EDGES or words[0].isspace() or words[0] in alone:
            start += 1
        elif words[-1] in _EDGES or words[-1].isspace() or words[-1] in alone:
            end -= 1
        else:
            break
    return start, end


def _alone(words: str, pair: str) -> bool:
    return words.count(pair[0]) != words.count(pair[1]) if pair[0] != pair[1] else words.count(pair[0]) % 2 == 1
