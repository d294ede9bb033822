from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from fakes import FakeEmbedder, FakeReader
from hypothesis import given
from hypothesis import strategies as st

from dispatch_qa import DispatchQA, Settings, present
from dispatch_qa.calibration import Calibration, Pair, load_calibration
from dispatch_qa.errors import ModelError
from dispatch_qa.language import identify
from dispatch_qa.models import FINGERPRINT
from dispatch_qa.reader import Found, Reading, load_reader, reader_name
from dispatch_qa.reader.evidence import NEAR, READ, SURE, Evidence, lacks, load_evidence, pair_of
from dispatch_qa.reader.onnx_reader import LEAST_AGREEMENT, OnnxReader, golden_agreement
from dispatch_qa.reader.spans import best_spans, widened
from dispatch_qa.reader.weights import CARD, _in_steps, in_four_bits, laid_over
from dispatch_qa.reader.weights import shipped as weights
from dispatch_qa.records import Dispatch, Hit, Passage, Span

shipped = pytest.mark.skipif(reader_name(FINGERPRINT) is None, reason="this copy came without the reader's weights")

CALIBRATION = Calibration(slope=0, bias=0, threshold=0.5, here=1)


def words(text: str, part: str) -> str | None:
    """What becomes of `part`, found in `text`."""
    start = text.index(part)
    span = widened(text, start, start + len(part))
    return span.of(text) if span else None


@pytest.mark.parametrize(
    ("text", "part", "expected"),
    [
        ("réunissant plus de 250 producteurs", "250", "plus de 250"),
        ("more than 1,200 people", "200", "more than 1,200"),
        ("es kamen mehr als 40 Prozent", "40", "mehr als 40 Prozent"),
        ("más de 3 millones de euros", "3 millones", "más de 3 millones de euros"),
        ("понад 20 тисяч осіб", "20", "понад 20 тисяч"),
        ("obus de 155 mm, d'une importance", "155", "155 mm"),
        ("coûte 14,2 milliards d'euros en 2003", "14,2", "14,2 milliards d'euros"),
        ("le 12 mai", "12", "12"),
        ("a conclu des dizaines de contrats", "dizaines", "des dizaines"),
        ("il y a plus d'une centaine", "centaine", "une centaine"),
        ("près de quelques milliers de civils", "milliers", "près de quelques milliers"),
        ("超过300亿美元的", "300", "超过300亿美元"),
        ("surplus de 250 kg", "250", "250 kg"),
        ("Jean-Pierre Raffarin, dit-il", "Jean", "Jean-Pierre Raffarin"),
        ("Jean-Pierre Raffarin", "Pierre Raffarin", "Jean-Pierre Raffarin"),
        ("avec Rheinmetall AG pour", "Rhein", "Rheinmetall AG"),
        ("dont Babcock International Group et BAE", "Babcock", "Babcock International Group"),
        ("la défense, Rustem Umerov, dans", "Umerov", "Rustem Umerov"),
        ("Hier Kiev a parlé. Puis Londres", "Kiev", "Kiev"),
        ('dit "Nous parlons" hier', '"Nous parlons', "Nous parlons"),
        ("(Reuters) a dit", "(Reuters)", "(Reuters)"),
        ("à Kiev, vendredi", " Kiev,", "Kiev"),
        ("在北京举行", "北京", "北京"),
        ("a … b", "…", None),
    ],
)
def test_spans_are_widened_to_whole_words_and_numbers_with_what_belongs_to_them(
    text: str, part: str, expected: str | None
) -> None:
    assert words(text, part) == expected


@given(st.text(max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_a_widened_span_lies_in_its_text_and_holds_a_word(text: str, start: int, length: int) -> None:
    start = min(start, len(text))
    span = widened(text, start, min(start + length, len(text)))
    if span:
        assert span.end <= len(text)
        assert any(char.isalnum() for char in span.of(text))
        assert span.of(text).strip() == span.of(text)


def likelihood(text: str, places: list[tuple[int, int]], logits: list[tuple[float, float]], span: Span) -> float:
    """Of all pairs of pieces that do not go backwards, the sum of those that are these words once widened."""
    return sum(
        math.exp(logits[i][0] + logits[j][1])
        for i in range(len(places))
        for j in range(i, len(places))
        if widened(text, places[i][0], places[j][1]) == span
    )


@given(st.text(max_size=80), st.lists(st.tuples(*[st.floats(-20, 20, width=32)] * 2), min_size=1, max_size=9))
def test_best_spans_are_slices_apart_from_each_other(text: str, logits: list[tuple[float, float]]) -> None:
    step = len(text) // len(logits) + 1
    places = [(at, min(at + step, len(text))) for at in range(0, len(text), step)]
    found = best_spans(text, places, np.array(logits, np.float32)[: len(places)])
    assert len(found) <= 3
    own = [likelihood(text, places, logits, one.span) for one in found]
    assert all(worse <= better * 1.001 for better, worse in pairwise(own))
    for number, one in enumerate(found):
        assert 0 <= one.span.start < one.span.end <= len(text)
        assert 0 <= one.score <= 1
        assert all(one.span.end <= o.span.start or o.span.end <= one.span.start for o in found[:number])


def test_the_best_span_is_the_likeliest_pair_of_pieces_that_does_not_go_backwards() -> None:
    text, places = "kiev londres berlin", [(0, 4), (5, 12), (13, 19)]
    logits = np.array([[0, 4], [1, 3], [5, 0]], np.float32)  # the likeliest pair, from Berlin to Kiev, is none
    assert [one.span.of(text) for one in best_spans(text, places, logits)] == ["berlin", "kiev", "londres"]


def test_spans_that_are_the_same_words_once_widened_are_counted_together() -> None:
    text = "plus de 250 ou Kiev"
    places = [(0, 4), (5, 7), (8, 11), (12, 14), (15, 19)]
    # Of all spans "250" and "plus de 250" have 20 in 100 each, "Kiev" 26, and 33 hold both.
    shares = np.full((5, 2), 1e-9, np.float32)
    shares[[0, 2, 4], 0] = 0.28, 0.28, 0.44
    shares[[2, 4], 1] = 0.55, 0.45
    logits = np.log(shares)
    best, second = best_spans(text, places, logits)[:2]
    assert [best.span.of(text), second.span.of(text)] == ["plus de 250", "Kiev"]
    assert (best.score, second.score) == pytest.approx((0.738, 0.593), abs=0.01)


def test_a_span_is_as_sure_as_its_place_whatever_its_extent() -> None:
    text, places = "250 producteurs ou Kiev", [(0, 3), (4, 15), (16, 18), (19, 23)]
    # Of all spans "250 producteurs" has 50 in 100, "250" 30, all four words 16 and "Kiev" 4.
    shares = np.array([[0.8, 0.375], [1e-9, 0.625], [1e-9, 1e-9], [0.2, 0.2]], np.float32)
    best, second = best_spans(text, places, np.log(shares))[:2]
    assert [best.span.of(text), second.span.of(text)] == ["250 producteurs", "Kiev"]
    assert (best.score, second.score) == pytest.approx((0.96, 0.20), abs=0.01)


def test_no_pieces_no_spans() -> None:
    assert best_spans("", [], np.zeros((0, 2), np.float32)) == ()


PASSAGE = Passage("d", 1, Span(10, 42), (Span(10, 23), Span(24, 42)))
TEXT = "Kiev a parlé. Londres a répondu."
DISPATCH = Dispatch("d", " " * 10 + TEXT, "fr")
HIT = Hit(PASSAGE, PASSAGE.sentences[0], 0.7, 0.7, 0.7, 0.0)


class Says:
    """A reader that gives the readings that it is told."""

    name = "says"

    def __init__(self, *readings: Reading) -> None:
        self.readings = list(readings)

    def read(self, question: str, passages: Sequence[str]) -> list[Reading]:
        assert len(passages) <= READ
        return self.readings[: len(passages)]


def seen(hits: list[Hit], *readings: Reading) -> list[Hit]:
    return Evidence(Says(*readings), CALIBRATION).of("?", hits, lambda _: DISPATCH)


def test_the_evidence_is_the_sentence_of_the_answer() -> None:
    (hit,) = seen([HIT], Reading(2.0, (Found(Span(14, 21), 1.0),)))
    assert (hit.answer, hit.best, hit.here) == (Span(24, 31), PASSAGE.sentences[1], 2.0)
    assert hit.probability == pytest.approx(1 / (1 + np.exp(-2)))


def test_an_answer_ends_with_its_sentence() -> None:
    (hit,) = seen([HIT], Reading(2.0, (Found(Span(5, 21), 1.0),)))
    assert (hit.answer, hit.best) == (Span(15, 23), PASSAGE.sentences[0])


def test_passages_are_ranked_by_the_reader_and_unread_ones_stay_behind() -> None:
    hits = [HIT] * (READ + 1)
    readings = [Reading(float(n), ()) for n in range(READ)]
    ranked = seen(hits, *readings)
    assert [hit.here for hit in ranked] == [*map(float, reversed(range(READ))), None]


def test_what_scores_far_lower_than_the_first_is_not_read() -> None:
    far, reading = replace(HIT, score=HIT.score - NEAR - 0.01), Reading(1.0, ())
    assert [hit.here for hit in seen([HIT, far], reading, reading)] == [1.0, None]


@pytest.mark.parametrize(
    ("question", "lacking"),
    [
        ("How many in 2023?", False),
        ("How many in 2024?", True),
        ("كم في ٢٠٢٣؟", False),
        ("What calibre, 122 mm?", True),
        ("Which 2 firms?", False),
        ("What did it say on 3 May 2025?", False),
        ("Which Polish firms?", True),
    ],
)
def test_a_number_or_nation_that_the_dispatch_lacks_is_seen(question: str, lacking: bool) -> None:
    dispatch = Dispatch("d", "Il a triplé en 2023.", "fr", filed_at="2025-05-03T09:00:00+00:00")
    assert lacks(question, identify(question), dispatch) == lacking
    assert pair_of(question, dispatch) == Pair(lacking, identify(question), alike=False)


def test_a_question_in_the_language_of_the_dispatch_is_known() -> None:
    dispatch = Dispatch("d", "Il a triplé en 2023.", "fr")
    assert pair_of("Qu'est-ce qui a triplé ?", dispatch) == Pair(language="fr", alike=True)
    assert pair_of("Qu'est-ce qui a triplé ?", None) == Pair(language="fr")
    assert pair_of("155?", replace(dispatch, text="155", language="und")) == Pair(language="und")


def asked(settings: Settings) -> DispatchQA:
    return DispatchQA(settings, embedder=FakeEmbedder(), evidence=Evidence(FakeReader(), CALIBRATION))


def test_an_answer_is_words_in_a_sentence_in_a_passage_all_verbatim(fake_store: Settings, dispatch: Dispatch) -> None:
    answer = asked(fake_store).ask("fabricants britanniques Babcock International Group et BAE Systems", k=2)
    first = answer.citations[0]
    assert first.answer is not None
    for quote in (first.answer, first.evidence):
        assert dispatch.text[quote.start : quote.end] == quote.quote
    assert first.start <= first.evidence.start <= first.answer.start < first.answer.end <= first.evidence.end
    assert answer.text.splitlines()[0] == f"{first.answer.quote} [1]"
    assert answer.confidence == first.probability
    assert present.answer_text(answer).startswith(answer.text)


def test_what_the_reader_does_not_find_is_refused(fake_store: Settings) -> None:
    answer = asked(fake_store).ask("champions league")
    assert (answer.supported, answer.citations) == (False, ())
    assert [near.answer for near in answer.nearest] == [None] * 3
    assert answer.confidence == pytest.approx(1 / (1 + np.exp(1.5)))


def test_the_same_words_from_two_passages_are_told_once(fake_store: Settings) -> None:
    class Umerov:
        name = "umerov"

        def read(self, question: str, passages: Sequence[str]) -> list[Reading]:
            at = [text.find("Umerov") for text in passages]
            return [Reading(3.0, (Found(Span(a, a + 6), 1.0),)) if a >= 0 else Reading(-3.0, ()) for a in at]

    dispatches = DispatchQA(fake_store, embedder=FakeEmbedder(), evidence=Evidence(Umerov(), CALIBRATION))
    answer = dispatches.ask("a déclaré M. Umerov, le ministre, dans un message", k=5)
    assert answer.text.count("Umerov") == 1
    assert answer.text.startswith("Umerov [1][2]")


@pytest.mark.parametrize(("share", "told"), [(SURE - 0.01, "sentence"), (SURE, "words")])
def test_words_that_are_not_sure_leave_the_sentence_to_speak(fake_store: Settings, share: float, told: str) -> None:
    class Unsure:
        name = "unsure"

        def read(self, question: str, passages: Sequence[str]) -> list[Reading]:
            return [Reading(3.0, (Found(Span(0, 5), share),)) for _ in passages]

    dispatches = DispatchQA(fake_store, embedder=FakeEmbedder(), evidence=Evidence(Unsure(), CALIBRATION))
    answer = dispatches.ask("a déclaré M. Umerov", k=1)
    (citation,) = answer.citations
    words = citation.quote[:5] if told == "words" else citation.evidence.quote
    assert answer.text == f"{words} [1]"
    assert (citation.answer is None) == (told == "sentence")


def test_another_models_store_has_no_reader(tmp_path: object, settings: Settings) -> None:
    assert reader_name("sentence-transformers/0123") is None
    assert load_reader("sentence-transformers/0123", settings.cache) is None


def test_differences_are_laid_over_the_encoders_weights() -> None:
    from safetensors.numpy import save

    left, right = np.array([[1, 2]], np.int8), np.array([[3, 4, 5, 6]], np.int8)
    small: dict[str, Any] = {"w/left8": left, "w/right8": right, "w/scale8": np.array([0.5], np.float32)}
    low, high = (in_four_bits(np.array([row], np.int8)) for row in ([-8, 7], [7, 0, -1, -8]))
    small |= {"w/left4": low, "w/right4": high, "w/scale4": np.array([2], np.float32)}
    small |= {"b/vector": np.array([1, 2], np.float16), "span.bias/vector": np.array([7, 8], np.float16)}
    merged = laid_over({"w": np.ones((2, 4), np.float32), "b": np.ones(2, np.float32)}, save(small))
    assert merged["w"].tolist() == [[2.5 - 112, 3, 3.5 + 16, 4 + 128], [4 + 98, 5, 6 - 14, 7 - 112]]
    assert merged["b"].tolist() == [2, 3]
    assert merged["span.bias"].tolist() == [7, 8]


def test_the_weights_are_the_same_however_a_machine_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors.numpy import load, save

    rng = np.random.default_rng(0)
    left, right = rng.integers(-127, 128, (64, 48)).astype(np.int8), rng.integers(-127, 128, (64, 96)).astype(np.int8)
    scale, base = np.exp(-9 * rng.random(64)).astype(np.float32), {"w": rng.random((48, 96)).astype(np.float32)}
    merged = []
    for order in (np.arange(64), rng.permutation(64)):
        some: dict[str, Any] = {"w/left8": left[order], "w/right8": right[order], "w/scale8": scale[order]}
        some |= {name.replace("8", "9"): array for name, array in some.items()} | {"w/scale9": scale[order] / 3}
        for turned in (False, True):
            parts = sorted(load(save(some)).items(), reverse=turned)
            monkeypatch.setattr("safetensors.numpy.load", lambda _, parts=parts: dict(parts))
            merged.append(laid_over(base, b"")["w"])
            monkeypatch.undo()
    assert merged[0].dtype == np.float32
    assert len({one.tobytes() for one in merged}) == 1


def test_sums_of_scales_in_steps_are_exact() -> None:
    rng = np.random.default_rng(0)
    whole = rng.integers(-127, 128, (48, 64)) * rng.integers(-127, 128, (48, 64))
    scale = np.exp(-16 * rng.random(64)).astype(np.float32)
    orders = [np.arange(64), *(rng.permutation(64) for _ in range(4))]

    def sums(steps: npt.NDArray[np.floating[Any]]) -> set[bytes]:
        return {(whole[:, order] * steps[order]).cumsum(axis=1)[:, -1].tobytes() for order in orders}

    assert len(sums(_in_steps(scale))) == 1
    assert len(sums(scale.astype(np.float64))) > 1
    assert np.abs(_in_steps(scale) - scale).max() <= scale.max() * 2**-24


def test_without_weights_there_is_no_reader_and_that_is_said(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatch_qa.reader.weights.CARD", "data/none.json")
    said: list[str] = []
    assert reader_name(FINGERPRINT) is None
    assert load_evidence(FINGERPRINT, settings.cache, said.append) is None
    assert "came without its weights" in said[0]


def test_weights_that_are_not_the_cards_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"other")
    monkeypatch.setattr("dispatch_qa.reader.weights.files", lambda _: tmp_path)
    monkeypatch.setattr("dispatch_qa.reader.weights.FILE", "weights")
    monkeypatch.setattr("dispatch_qa.reader.weights.card", lambda: {"sha256": "0" * 64})
    with pytest.raises(ModelError, match="install dispatch-qa again, or type --no-reader"):
        weights()


def test_without_a_calibration_for_it_the_reader_is_off_and_that_is_said(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatch_qa.reader.evidence.load_reader", lambda *_: FakeReader())
    said: list[str] = []
    assert load_evidence(FINGERPRINT, settings.cache, said.append) is None
    assert "no calibration ships for fake-reader" in said[0]


@shipped
def test_the_shipped_weights_are_small_and_calibrated() -> None:
    card = json.loads(files("dispatch_qa").joinpath(CARD).read_text(encoding="utf-8"))
    assert card["base"] == FINGERPRINT
    assert card["bytes"] <= 5_000_000
    calibration = load_calibration(FINGERPRINT, reader_name(FINGERPRINT))
    assert calibration is not None
    assert calibration.here > 0


@shipped
@pytest.mark.model
def test_the_graph_gives_its_golden_readings(settings: Settings) -> None:
    reader = load_reader(FINGERPRINT, settings.cache)
    assert isinstance(reader, OnnxReader)
    assert golden_agreement(reader) >= LEAST_AGREEMENT


@shipped
@pytest.mark.model
@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Which British firms attended?", "Babcock International Group et BAE Systems"),
        ("Welche britischen Firmen nahmen teil?", "Babcock International Group et BAE Systems"),
        ("Які британські компанії взяли участь?", "Babcock International Group et BAE Systems"),
        ("¿Qué empresas británicas asistieron?", "Babcock International Group et BAE Systems"),
        ("Wie viele Hersteller kamen zum Forum?", "plus de 250"),
        ("¿Cuántos productores de armas asistieron al foro?", "plus de 250"),
        ("Quel est le calibre des obus ?", "155 mm"),
    ],
)
def test_the_words_that_answer_lead_in_many_languages(real: DispatchQA, question: str, expected: str) -> None:
    answer = real.ask(question)
    assert answer.text.splitlines()[0].startswith(expected)


@pytest.mark.model
def test_the_reader_can_be_turned_off() -> None:
    answer = DispatchQA(Settings(reader="off")).ask("Which British firms attended?")
    assert answer.supported
    assert all(citation.answer is None and citation.probability is None for citation in answer.citations)
