"""Answers to text and JSON: pure functions from records."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from dispatch_qa.records import Answer, Change, Citation, Dispatch, Hit, Info, Refusing

SCHEMA_VERSION = 1

Json = dict[str, Any]

_DIM, _MARK, _RESET = "\x1b[2m", "\x1b[1;4m", "\x1b[0m"


def answer_json(answer: Answer) -> Json:
    """An answer as `data/answer.schema.json` describes it."""
    return {
        "schema_version": SCHEMA_VERSION,
        "question": answer.question,
        "supported": answer.supported,
        "confidence": answer.confidence,
        "answer": answer.text,
        "citations": [asdict(citation) for citation in answer.citations],
        "nearest": [asdict(citation) for citation in answer.nearest],
        "left_out": [asdict(one) for one in answer.left_out],
    }


def hits_json(question: str, hits: Sequence[Hit], citations: Sequence[Citation]) -> Json:
    """The hits of a search, each as a citation with the parts of its score."""
    return {
        "schema_version": SCHEMA_VERSION,
        "question": question,
        "hits": [
            asdict(citation)
            | {"parts": {name: getattr(hit, name) for name in ("dense", "sentence", "lexical", "here")}}
            for hit, citation in zip(hits, citations, strict=True)
        ],
    }


def dispatch_json(dispatch: Dispatch) -> Json:
    """A dispatch with all its fields; `text` is what every offset counts in."""
    return {"schema_version": SCHEMA_VERSION, **asdict(dispatch), "sha256": dispatch.sha256}


def info_json(info: Info) -> Json:
    """What a store holds."""
    return {"schema_version": SCHEMA_VERSION, **asdict(info), "index": str(info.index)}


def answer_text(answer: Answer, *, color: bool = False) -> str:
    """An answer to be read in a terminal: the words that answer, each passage with its evidence marked, its place."""
    lead = not answer.supported or answer.citations[0].answer
    blocks = [_styled(answer.text, _MARK, color)] if lead else []
    if answer.nearest:
        blocks.append("Nearest passages, which do not answer:")
    blocks += [_citation(citation, color) for citation in answer.citations or answer.nearest]
    blocks += [visible(f"Left out: {one.dispatch_id} ({one.reason}).") for one in answer.left_out]
    return "\n\n".join(blocks)


def answer_markdown(answer: Answer) -> str:
    """An answer as Markdown, each passage quoted with what names its source for good."""
    return saved_markdown(answer_json(answer))


def saved_markdown(saved: Json) -> str:
    """As `answer_markdown`, from the JSON of an answer."""
    blocks = [f"# {_plain(saved['question'])}"]
    if not saved["supported"]:
        blocks.append(f"{saved['answer']} Nearest passages, which do not answer:")
    for one in saved["citations"] or saved["nearest"]:
        quoted = "\n".join(f"> {line}" for line in _plain(one["quote"]).split("\n"))
        version = f", version {one['version']}" if one["version"] else ""
        place = _place(one.get("page"), one["paragraph"], one["start"], one["end"])
        notes = f", {one['note']}" if one["note"] else ""
        blocks.append(f"{quoted}\n\n[{one['number']}] {_plain(one['dispatch_id'])}{version}, {place}{_plain(notes)}  ")
        blocks[-1] += f"\nSHA-256 of the dispatch: `{one['sha256']}`"
    blocks += [f"Left out: {_plain(one['dispatch_id'])} ({_plain(one['reason'])})." for one in saved["left_out"]]
    return "\n\n".join(blocks) + "\n"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>#|~" else char for char in visible(text))


def hits_text(hits: Sequence[Hit], citations: Sequence[Citation], *, color: bool = False, explain: bool = False) -> str:
    """The hits of a search to be read in a terminal; `explain` adds the parts of each score."""
    blocks = []
    for hit, citation in zip(hits, citations, strict=True):
        blocks.append(_citation(citation, color) + (_parts(hit) if explain else ""))
    return "\n\n".join(blocks)


def _parts(hit: Hit) -> str:
    read = "no reader" if hit.here is None else f"reader {hit.here:+.1f}"
    return f"\n    score: passage {hit.dense:.3f}, best sentence {hit.sentence:.3f}, words {hit.lexical:.2f}, {read}"


def diff_json(old: Dispatch, new: Dispatch, changes: Sequence[Change]) -> Json:
    """What changed from one take to the next."""
    head = {"id": new.id, "previous": old.id, "advisory": new.advisory, "status": new.status}
    return head | {"changes": [asdict(change) for change in changes]}


def diff_text(old: Dispatch, new: Dispatch, changes: Sequence[Change]) -> str:
    """The same, to be read in a terminal, led by the advisory."""
    blocks = [f"{old.id} → {new.id}" + (f"\n{new.advisory}" if new.advisory else "")]
    blocks += [
        "\n".join([*(f"- {line}" for line in change.removed), *(f"+ {line}" for line in change.added)])
        for change in changes
    ]
    return visible("\n\n".join(blocks if changes else [*blocks, "No sentence changed."]))


def info_text(info: Info) -> str:
    """What a store holds, to be read in a terminal."""
    some = ", ".join(info.dispatches[:10]) + (", …" if len(info.dispatches) > 10 else "")
    rows = [
        ("index", str(info.index)),
        ("dispatches", f"{len(info.dispatches):,} ({some})"),
        ("passages", f"{info.passages:,}"),
        ("model", f"{info.model}, {info.dim} dimensions, embedded by {info.lane}"),
        ("fingerprint", info.fingerprint),
        ("reader", info.reader or "none: sentences are shown, not the words in them that answer"),
        ("refusal", _refusing(info.refusing) if info.refusing else "not calibrated for this model: never refuses"),
    ]
    return "\n".join(f"{name:<12}{visible(value)}" for name, value in rows)


def _refusing(point: Refusing) -> str:
    told = f"under a probability of {point.threshold:.2f}"
    if point.precision is None or point.recall is None or point.answered is None:
        return told
    return (
        f"{told}: of what is refused {point.precision:.0%} is not answered; "
        f"refused are {point.recall:.0%} of what is not answered and {1 - point.answered:.0%} of what is"
    )


def eval_text(figures: Json) -> str:
    """The figures of an evaluation as a table, in percent."""
    names = list(figures["overall"])
    rows = {"all": figures["overall"], **figures["by_language"], **figures["by_pair"]}
    lines = [f"{figures['dataset']}: {figures['n']:,} answerable questions", ""]
    lines.append(f"{'':<10}" + "".join(f"{name:>11}" for name in names))
    lines += [f"{row:<10}" + "".join(f"{100 * v[name]:>11.1f}" for name in names) for row, v in rows.items() if v]
    told = {name: value for name, value in figures["refusal"].items() if value is not None}
    lines += ["", "refusal    " + ", ".join(f"{name} {value:.3f}" for name, value in told.items())]
    rest = {"evidence": figures["evidence"], "citations exact": figures["citations_exact"]}
    lines += [f"{name:<15}  {100 * value:.1f} %" for name, value in rest.items() if value is not None]
    lines.append("latency    " + ", ".join(f"{name} {value} ms" for name, value in figures["latency_ms"].items()))
    return "\n".join(lines)


def compared_json(compared: Sequence[Json]) -> Json:
    """Two runs side by side."""
    return {"schema_version": SCHEMA_VERSION, "measures": list(compared)}


def compared_text(compared: Sequence[Json]) -> str:
    """Two runs side by side as a table, in percent; `better` and `worse` count the questions on which B is."""
    lines = [f"{'':<10}{'A':>8}{'B':>8}{'B - A':>8}{'better':>8}{'same':>8}{'worse':>8}{'p':>8}"]
    lines += [
        f"{one['measure']:<10}{100 * one['a']:>8.1f}{100 * one['b']:>8.1f}{100 * (one['b'] - one['a']):>+8.1f}"
        f"{one['wins']:>8,}{one['ties']:>8,}{one['losses']:>8,}{one['p']:>8.4f}"
        for one in compared
    ]
    return "\n".join(lines)


def fit(score: float) -> str:
    """How well a passage fits, in words. `score` is a hit's, in [-1, 1]."""
    words = [(0.5, "fits very well"), (0.47, "fits well"), (0.44, "fits loosely")]
    return next((word for least, word in words if score >= least), "fits badly")


def likely(probability: float) -> str:
    """How likely a passage answers, in words. `probability` is a citation's, in [0, 1].

    What the shipped threshold lets through at least "may answer".
    """
    words = [(0.8, "very likely answers"), (0.6, "likely answers"), (0.31, "may answer")]
    return next((word for least, word in words if probability >= least), "hardly answers")


def visible(text: str) -> str:
    """`text` with control characters shown as �, so that copy cannot steer the terminal that prints it."""
    return "".join("�" if unicodedata.category(c) == "Cc" and c not in "\n\t" else c for c in text)


def _citation(citation: Citation, color: bool) -> str:
    # The quote stays in one piece, unwrapped: it is the source's, letter for letter.
    quote, evidence = citation.quote, citation.evidence.quote
    start, end = citation.evidence.start - citation.start, citation.evidence.end - citation.start
    marked = visible(quote[:start]) + _styled(evidence, _MARK, color) + visible(quote[end:])
    place = _place(citation.page, citation.paragraph, citation.start, citation.end)
    lines = [f"[{citation.number}] {marked}"]
    if not color and evidence != quote:
        lines.append(f"    evidence: {visible(evidence)}")
    if citation.said_by:
        lines.append(f"    said by: {visible(citation.said_by.quote)}")
    if citation.note:
        lines.append(f"    {visible(citation.note)}")
    if citation.copies:
        some = ", ".join(citation.copies[:5]) + (", …" if len(citation.copies) > 5 else "")
        lines.append(f"    the same in {visible(some)}")
    if citation.probability is None:
        told = f"{fit(citation.score)} ({citation.score:.2f})"
    else:
        told = f"answers with probability {citation.probability:.2f}"
    lines.append(_styled(f"    {citation.dispatch_id}, {place} · {told}", _DIM, color))
    return "\n".join(lines)


def _place(page: int | None, paragraph: int, start: int, end: int) -> str:
    return (f"page {page}, " if page else "") + f"paragraph {paragraph}, characters {start}–{end}"


def _styled(text: str, style: str, color: bool) -> str:
    return f"{style}{visible(text)}{_RESET}" if color else visible(text)
