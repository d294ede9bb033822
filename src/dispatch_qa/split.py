"""A dispatch into passages: paragraphs, sentences inside them, passages of whole sentences.

Every span is exact: the splitters only ever say how long the next piece is, and the pieces of a paragraph
are checked to add up to it, letter for letter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from dispatch_qa.records import Dispatch, Passage, Span

if TYPE_CHECKING:
    from yasbd import BoundaryDetector

CountTokens = Callable[[str], int]

# Raise when the same text would be split otherwise: stores split another way are refused.
SPLITTING = 1

# The sentence detector takes time quadratic in a paragraph without sentence ends, so it reads this much at most.
WINDOW = 2_000

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
_LINE_AFTER_SENTENCE = re.compile(r"(?<=[.!?…。！？؟\"'”»)\]])\s*\n\s*")
_CREDIT_LINE = re.compile(r"\([^()\n]{3,400}\)\s*\Z")
_AT_END = re.compile(r"\s*\Z")

# Ranks, titles and streets that the detector takes for sentence ends. Words that also end sentences are left out:
# a cut too few makes evidence longer, a cut too many makes it wrong, but both are read by a person.
_TITLES = {
    "fr": "gén|cdt|lt|mgr|st|ste",
    "de": r"h\.\s?c|hc",
    "es": "tte|gral|almte|cnel",
    "it": r"(?<=')on|avv|ing",
    "pl": "gen|hab|inż|płk|ppłk|kpt|por",
    "uk": r"ім|вул|просп|бул|акад|проф|ген|(?<=\d )р",
    "ru": "ул|просп|бул|акад|проф|ген",
}
_INITIALS = r"\w\.-\w"  # "J.-P. Chirac"


def split(dispatch: Dispatch, count_tokens: CountTokens, limit: int) -> list[Passage]:
    """The passages of `dispatch`, in order.

    Args:
        count_tokens: length of a text in the embedding model's tokens.
        limit: the longest passage, in those tokens; no passage is longer.

    A passage is a paragraph, or, where that is too long, a run of its sentences; a sentence too long by
    itself is cut at spaces. The credit line that ends wire copy is a passage of its own: it says who wrote,
    which the paragraph before it does not. Together the passages hold every character but white space.
    """
    return [
        Passage(dispatch.id, number, Span(inside[0].start, inside[-1].end), tuple(inside))
        for number, paragraph in enumerate(paragraphs(dispatch.text), start=1)
        for block in _apart_from_credit(dispatch.text, paragraph)
        for inside in _pack(block, dispatch, count_tokens, limit)
    ]


def paragraphs(text: str) -> list[Span]:
    """Paragraphs as trimmed spans: parted by blank lines or, where there are none, by line ends after a sentence."""
    separator = _BLANK_LINE if _BLANK_LINE.search(text.strip()) else _LINE_AFTER_SENTENCE
    ends = [0, *(edge for match in separator.finditer(text) for edge in match.span()), len(text)]
    return [span for start, end in zip(ends[::2], ends[1::2], strict=True) if (span := _trimmed(text, start, end))]


def sentences(text: str, language: str) -> list[Span]:
    """Sentences of one paragraph as trimmed spans; together they hold every character but white space."""
    ends, at = [], 0
    while at < len(text):
        found = [at + end for end in _detector(language).detect(text[at : at + WINDOW])]
        if at + WINDOW < len(text):
            # The window cut its last sentence short: read that one again, whole, unless it fills the window.
            found = found[:-1] or [text.rfind(" ", at + 1, at + WINDOW) + 1 or at + WINDOW]
        ends += found
        at = found[-1] if found and at + WINDOW < len(text) else len(text)
    kept = [end for end in ends if end < len(text) and not _goes_on(text, end, language)]
    return [span for start, end in pairwise([0, *kept, len(text)]) if (span := _trimmed(text, start, end))]


@cache
def _detector(language: str) -> BoundaryDetector:
    from yasbd import BoundaryDetector, get_supported_langs

    return BoundaryDetector(lang=language if language in get_supported_langs() else "en")


def _goes_on(text: str, end: int, language: str) -> bool:
    """Whether the sentence goes on at `end`, though the detector found its end there."""
    if text[end : end + WINDOW].lstrip()[:1].islower():
        return True
    return _no_end(language).search(text[max(0, end - 20) : end].rstrip()) is not None


@cache
def _no_end(language: str) -> re.Pattern[str]:
    words = "|".join(filter(None, [_INITIALS, _TITLES.get(language)]))
    return re.compile(rf"(?:^|[\s(«„“\"'’-])(?:{words})\.\Z", re.IGNORECASE)


def _apart_from_credit(text: str, paragraph: Span) -> list[Span]:
    """The paragraph, its closing credit line apart: brackets that end the whole dispatch."""
    match = _CREDIT_LINE.search(paragraph.of(text)) if _AT_END.match(text, paragraph.end) else None
    if match is None:
        return [paragraph]
    credit = paragraph.start + match.start()
    body = _trimmed(text, paragraph.start, credit)
    return [span for span in (body, Span(credit, paragraph.end)) if span]


def _units(text: str, language: str, count_tokens: CountTokens, limit: int) -> Iterator[str]:
    """`text` in pieces that add up to it, each with the white space behind it: sentences, or parts of long ones."""
    starts = [span.start for span in sentences(text, language)]
    for start, end in pairwise([0, *starts[1:], len(text)]):
        unit = text[start:end]
        tokens = count_tokens(unit)
        yield from [unit] if tokens <= limit else _cut(unit, tokens, count_tokens, limit)


def _cut(unit: str, tokens: int, count_tokens: CountTokens, limit: int) -> Iterable[str]:
    """A sentence longer than the model reads, in parts that fit, at white space where there is any."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    # The splitter measures characters: measuring tokens would tokenise every word by itself.
    size = max(1, len(unit) * limit // tokens)
    splitter = RecursiveCharacterTextSplitter(
        ["\n", " ", ""],
        keep_separator="end",
        chunk_size=size,
        chunk_overlap=0,
        strip_whitespace=False,
    )
    for part in splitter.split_text(unit):
        tokens = count_tokens(part)
        # One character can be more tokens than the limit only where the limit is absurd; it cannot be cut.
        yield from [part] if tokens <= limit or len(part) == 1 else _cut(part, tokens + 1, count_tokens, limit)


def _pack(block: Span, dispatch: Dispatch, count_tokens: CountTokens, limit: int) -> Iterator[list[Span]]:
    """The block's passages, each as the trimmed spans of its sentences, as many as the limit allows."""
    from langchain_text_splitters import TextSplitter

    text = block.of(dispatch.text)
    units = list(_units(text, dispatch.language, count_tokens, limit))

    class Packer(TextSplitter):
        """Sentences into passages: langchain's base class merges them up to the chunk size."""

        def split_text(self, text: str) -> list[str]:
            return self._merge_splits(units, separator="")

    def length(piece: str) -> int:
        # What costs nothing would be kept as overlap, and so told twice.
        return max(1, count_tokens(piece)) if piece else 0

    packer = Packer(chunk_size=limit, chunk_overlap=0, length_function=length, strip_whitespace=False)
    at = block.start
    rest = iter(units)
    for chunk in packer.split_text(text):
        if not dispatch.text.startswith(chunk, at):
            raise AssertionError(f"the text splitter changed the text at character {at}")
        end = at + len(chunk)
        spans = []
        while at < end:
            unit = next(rest)
            spans.append(_trimmed(dispatch.text, at, at + len(unit)))
            at += len(unit)
        inside = [span for span in spans if span]
        # The lengths that were added up are those of the parts; now and then the whole has a token more.
        too_long = inside and count_tokens(dispatch.text[inside[0].start : inside[-1].end]) > limit
        yield from [[span] for span in inside] if too_long else filter(None, [inside])
    if at != block.end:
        raise AssertionError(f"the text splitter lost the text from character {at} to {block.end}")


def _trimmed(text: str, start: int, end: int) -> Span | None:
    """The span without white space at its edges; `None` where nothing else is in it."""
    piece = text[start:end]
    bare = piece.strip()
    if not bare:
        return None
    start += len(piece) - len(piece.lstrip())
    return Span(start, start + len(bare))
