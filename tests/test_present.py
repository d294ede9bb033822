from __future__ import annotations

from pathlib import Path

from dispatch_qa import present
from dispatch_qa.calibration import load_calibration
from dispatch_qa.models import FINGERPRINT
from dispatch_qa.reader import reader_name
from dispatch_qa.records import Answer, Citation, Dispatch, Hit, Info, Passage, Quote, Span

QUOTE = "Kiev a parlé. Londres a répondu."
CITATION = Citation(1, "d", "fr", 1, 0, 32, QUOTE, Quote(14, 32, "Londres a répondu."), 0.482)
ANSWER = Answer("Qui ?", True, 0.75, "Londres a répondu. [1]", (CITATION,))
REFUSED = Answer("Qui ?", False, 0.1, "The dispatches do not say.", (), (CITATION,))
HIT = Hit(Passage("d", 1, Span(0, 32), (Span(0, 13), Span(14, 32))), Span(14, 32), 0.482, 0.8, 0.824, 0.5)


def test_text_without_colour_names_the_evidence_and_the_place() -> None:
    assert present.answer_text(ANSWER) == (
        "[1] Kiev a parlé. Londres a répondu.\n"
        "    evidence: Londres a répondu.\n"
        "    d, paragraph 1, characters 0–32 · fits well (0.48)"
    )


def test_colour_marks_the_evidence_inside_its_passage() -> None:
    first, second = present.answer_text(ANSWER, color=True).splitlines()
    assert first == "[1] Kiev a parlé. \x1b[1;4mLondres a répondu.\x1b[0m"
    assert second == "\x1b[2m    d, paragraph 1, characters 0–32 · fits well (0.48)\x1b[0m"


def test_a_refusal_comes_first_and_the_nearest_passages_are_told_apart() -> None:
    lines = present.answer_text(REFUSED).splitlines()
    assert lines[:4] == ["The dispatches do not say.", "", "Nearest passages, which do not answer:", ""]
    assert lines[4] == f"[1] {QUOTE}"


def test_quotes_are_never_wrapped() -> None:
    quote = "mot " * 500 + "fin"
    long = Citation(1, "d", "fr", 1, 0, len(quote), quote, Quote(0, len(quote), quote), 0.5)
    assert quote in present.answer_text(Answer("?", True, None, "", (long,)))


def test_control_characters_cannot_steer_the_terminal() -> None:
    hostile = "a\x1b]0;owned\x07b\x9bc\u0085d\r"
    quote = Citation(1, "d", "und", 1, 0, len(hostile), hostile, Quote(0, len(hostile), hostile), 0.5)
    shown = present.answer_text(Answer("?", True, None, "", (quote,)))
    assert "a�]0;owned�b�c�d�" in shown
    assert present.answer_json(Answer("?", True, None, "", (quote,)))["citations"][0]["quote"] == hostile


def test_explained_hits_show_the_parts_of_their_score() -> None:
    assert "score: passage 0.800, best sentence 0.824" in present.hits_text([HIT], [CITATION], explain=True)
    assert "best sentence" not in present.hits_text([HIT], [CITATION])


def test_hits_as_json_carry_the_parts_of_their_score() -> None:
    (hit,) = present.hits_json("Qui ?", [HIT], [CITATION])["hits"]
    assert hit["parts"] == {"dense": 0.8, "sentence": 0.824, "lexical": 0.5, "here": None}
    assert (hit["number"], hit["evidence"]["start"]) == (1, 14)


def test_a_dispatch_as_json_has_its_text_and_digest() -> None:
    shown = present.dispatch_json(Dispatch("d", "Kiev.", "fr"))
    assert shown["text"] == "Kiev."
    assert shown["sha256"] == "690d29cc87000e248a519798769bf71251e8765fa7d79ff836e67cb57d2bb9a2"
    assert shown["filed_at"] is None


def test_fit_is_worse_for_lower_scores() -> None:
    words = ["fits very well", "fits well", "fits loosely", "fits badly"]
    assert [present.fit(score) for score in (0.9, 0.48, 0.45, 0.1)] == words
    words = ["very likely answers", "likely answers", "may answer", "hardly answers"]
    assert [present.likely(probability) for probability in (0.9, 0.7, 0.4, 0.1)] == words


def test_what_the_shipped_threshold_lets_through_is_not_called_unlikely() -> None:
    curve = load_calibration(FINGERPRINT, reader_name(FINGERPRINT))
    assert curve
    assert present.likely(curve.threshold) == "may answer"
    assert present.likely(curve.threshold - 0.01) == "hardly answers"


def test_info_says_whether_refusal_is_calibrated() -> None:
    info = Info(Path("x"), [f"d{n}" for n in range(12)], 40, "m", "f", "torch", 8, "g", None)
    assert "12 (d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, …)" in present.info_text(info)
    assert "never refuses" in present.info_text(info)
    assert present.info_json(info)["index"] == "x"
