from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dispatch_qa.readers.text import canonical
from dispatch_qa.records import Dispatch, Passage, Span
from dispatch_qa.split import WINDOW, paragraphs, sentences, split

PIECES = [
    *("Kiev", "a", "M. Umerov", "155 mm.", "3,5 %", "J.-P.", "« Non ! »", "“Yes.”", "А. С. Умеров", "„Ja.“", "etc."),
    *(". ", "! ", "? ", "… ", "... ", "。", "？！", "؟ ", ".", "(", ")", "(Reporting by A. B.)", "—", "'", '"'),
    *(" ", "  ", "\t", "\n", "\n\n", "\n \t\n", "\r\n", "\r", "\u00a0", "\u202f", "\u3000", "\u2028", "\x85", "\x1c"),
    *("e\u0301", "\u0301\u0301\u0302", "\u0e33", "שלום. ", "قال الوزير ذلك. ", "\u202e", "\u202c", "\u2066", "\u200f"),
    *("👩‍👩‍👧‍👦", "👍🏽", "🇺🇦", "\u200b", "\u200d", "\ufeff", "我们会坚持。", "他说：“是的。”", "𝒳", "ﬁ", "\uffff"),
    *("x" * 300, "Donaudampfschifffahrt" * 6, "我" * 90, "." * 50, "-" * 70, ")" * 30, "\u0301" * 40),
]
HOSTILE = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=40).map("".join),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=120),
).map(canonical)
LANGUAGES = st.sampled_from(["fr", "en", "de", "es", "it", "pt", "uk", "ru", "ar", "zh", "pl", "xx", "und"])


# White space by itself costs one token here, as it does in the default model.


def words(text: str) -> int:
    return len(text.split())


def utf8(text: str) -> int:
    return len(text.encode())


def subwords(text: str) -> int:
    return sum(1 + len(word) // 4 for word in text.split())


def dearer_apart(text: str) -> int:
    """Every text costs one by itself: parts that were counted apart cost less together."""
    return 1 + len(text) // 3 if text else 0


def dearer_together(text: str) -> int:
    """A whole costs more than its parts."""
    return len(text) + len(text) ** 2 // 50


COUNTERS: list[Callable[[str], int]] = [len, words, utf8, subwords, dearer_apart, dearer_together]


def split_text(text: str, language: str = "fr", count: Callable[[str], int] = words, limit: int = 256) -> list[Passage]:
    return split(Dispatch("x", text, language), count, limit)


def quoted(text: str, spans: list[Span]) -> list[str]:
    return [span.of(text) for span in spans]


def assert_ordered_and_apart(spans: list[Span]) -> None:
    assert all(before.end <= after.start for before, after in pairwise(spans))


def assert_trimmed_and_together_whole(text: str, spans: list[Span]) -> None:
    assert all(span.of(text) == span.of(text).strip() for span in spans)
    outside = [
        text[a:b] for a, b in zip([0, *(s.end for s in spans)], [*(s.start for s in spans), len(text)], strict=True)
    ]
    assert not "".join(outside).strip()


# What holds for every text


@settings(deadline=None, max_examples=300)
@given(
    text=HOSTILE,
    language=LANGUAGES,
    count=st.sampled_from(COUNTERS),
    limit=st.one_of(st.integers(1, 12), st.integers(13, 400)),
)
@example(text="x" * 300, language="fr", count=utf8, limit=1)
@example(text="👩‍👩‍👧‍👦" * 9 + "\n\n(abc)", language="en", count=utf8, limit=3)
def test_passages_hold_the_whole_text_in_order_and_fit(
    text: str, language: str, count: Callable[[str], int], limit: int
) -> None:
    found = split_text(text, language, count, limit)
    assert_ordered_and_apart([passage.span for passage in found])
    assert_trimmed_and_together_whole(text, [passage.span for passage in found])
    inside = paragraphs(text)
    for passage in found:
        quote = passage.span.of(text)
        # A single character can cost more than the limit and cannot be cut.
        assert count(quote) <= limit or len(quote) == 1
        paragraph = inside[passage.paragraph - 1]
        assert paragraph.start <= passage.span.start
        assert passage.span.end <= paragraph.end
        assert passage.sentences[0].start == passage.span.start
        assert passage.sentences[-1].end == passage.span.end
        assert passage.dispatch_id == "x"
    every = [span for passage in found for span in passage.sentences]
    assert_ordered_and_apart(every)
    assert_trimmed_and_together_whole(text, every)


@settings(deadline=None)
@given(text=HOSTILE)
def test_paragraphs_hold_the_whole_text_in_order(text: str) -> None:
    found = paragraphs(text)
    assert_ordered_and_apart(found)
    assert_trimmed_and_together_whole(text, found)


@settings(deadline=None)
@given(text=HOSTILE, language=LANGUAGES)
def test_sentences_hold_the_whole_text_in_order(text: str, language: str) -> None:
    found = sentences(text, language)
    assert_ordered_and_apart(found)
    assert_trimmed_and_together_whole(text, found)


@settings(deadline=None)
@given(text=HOSTILE, limit=st.integers(1, 60))
def test_every_paragraph_is_in_some_passage_and_numbers_count_up(text: str, limit: int) -> None:
    numbers = [passage.paragraph for passage in split_text(text, limit=limit)]
    assert numbers == sorted(numbers)
    assert sorted(set(numbers)) == list(range(1, len(paragraphs(text)) + 1))


@settings(deadline=None)
@given(text=HOSTILE)
def test_without_a_limit_in_the_way_a_passage_is_a_paragraph_or_a_credit_line(text: str) -> None:
    passages = split_text(text, count=len, limit=1_000_000)
    whole = [span for span in paragraphs(text) if span in [passage.span for passage in passages]]
    assert len(paragraphs(text)) - len(whole) <= 1
    assert len(passages) - len(whole) in {0, 2}


def test_a_line_of_two_megabytes_is_split_into_passages_that_fit() -> None:
    sentence = "Kiev a signé un accord avec Londres. "
    text = sentence * 28_000 + "obus " * 200_000
    assert len(text) > 2_000_000
    found = split_text(text, count=lambda piece: -(-len(piece) // 4))
    assert_trimmed_and_together_whole(text, [passage.span for passage in found])
    assert max(passage.span.end - passage.span.start for passage in found) <= 1_024
    assert {passage.paragraph for passage in found} == {1}
    # A sentence of 37 characters counts 10, so 25 of them fit into 256.
    assert found[0].span == Span(0, 25 * 37 - 1)
    assert quoted(text, list(found[0].sentences)) == [sentence.strip()] * 25


# Sentences

HAZARDS = {
    "fr": [
        ["M. Umerov a parlé mardi.", "Il est parti."],
        ["Le gén. Moussa Traoré a parlé.", "Il est parti."],
        ["Ils ont tiré des obus de 155 mm. sur la ville.", "Deux morts."],
        ["« Nous avons besoin d'armes. Vite ! », a-t-il dit.", "Il est parti."],
        ["« Nous tiendrons. » a-t-il dit.", "Il est parti."],
        ["« Nous tiendrons. »", "Il est parti."],
        ["Il a dit « Non ! » et il est parti.", "Fin."],
        ['"Nous tiendrons. Il le faut", a déclaré M. Umerov.', "Il est parti."],
        ["Le PIB a crû de 3,5 % en 2025.", "L'an passé, 2.1 %."],
        ["J.-P. Chirac est venu.", "J. K. Rowling aussi."],
        ["Il hésite… puis parle.", "Il se tait."],
        ["Il hésite... puis parle.", "Enfin...", "Il se tait."],
        ["Mme Dupont et Mgr. Durand sont là.", "Le Dr. Martin aussi."],
        ["Est-ce vrai ?", "Oui !", "Non.", "Quoi ?!", "Rien."],
        ["L'art. 5 du traité s'applique.", "Voir p. 12 du texte."],
        ["Des chars, des obus, etc.", "Il est parti."],
        ["Il a 3 enfants.", "2 sont partis."],
    ],
    "en": [
        ["Mr. Smith met Dr. Jones at 3 p.m. on Monday.", "They left."],
        ["The U.S. Army moved in.", "It left."],
        ["He lives in the U.S.", "He works in Paris."],
        ["J. K. Rowling wrote it.", "She left."],
        ["“We will hold. We must,” he said.", "He left."],
        ["“We will hold.”", "He left."],
        ['"We will hold. We must," he said.', "He left."],
        ["Prices rose 3.5 percent.", "Then they fell 2.1 percent."],
        ["He waited... and waited.", "Wait… what?", "Yes."],
        ["Gen. Mark Milley spoke.", "Sen. John McCain left."],
        ["Lt. Col. Smith spoke.", "Apple Inc. said so.", "Its shares rose."],
        ["The meeting on Jan. 5 ended.", "No. 10 said nothing."],
        ["They arrived at 5 a.m.", "The city slept."],
        ["It cost $3.5 million.", "Visit example.com.", "It is free."],
    ],
    "de": [
        ["Das gilt z. B. für Berlin.", "Dr. Müller kam am 3. Oktober an."],
        ["„Wir halten durch. Wir müssen“, sagte er.", "Er ging."],
        ["„Wir halten durch.“", "Er ging."],
        ["Die Rate stieg auf 3,5 Prozent.", "Hr. Schmidt schwieg."],
        ["Das sind ca. 20 Mio. Euro.", "Er kam um 18.30 Uhr.", "J. K. Rowling kam."],
    ],
    "es": [
        ["El Sr. García habló con la Sra. López.", "Se fue."],
        ["«No nos rendiremos. Nunca», dijo.", "Se fue."],
        ["¿Es verdad?", "¡Sí!", "No."],
        ["Subió un 3,5 por ciento.", "El Dr. Ruiz calló."],
        ["EE. UU. envió ayuda.", "El Gral. Pérez llegó."],
    ],
    "it": [
        ["Il sig. Rossi ha parlato con il dott. Bianchi.", "È partito."],
        ["«Resisteremo. Sempre», ha detto.", "È partito."],
        ["L'on. Meloni ha parlato.", "Il 3,5 per cento è poco."],
        ["Il prof. Verdi tace.", "L'avv. Neri no."],
    ],
    "pt": [
        ["O Sr. Silva falou com a Dra. Costa.", "Foi embora."],
        ["“Vamos resistir. Sempre”, disse.", "Foi embora."],
        ["Subiu 3,5 por cento.", "O Dr. Melo calou-se."],
    ],
    "uk": [
        ["Про це сказав А. С. Умеров у Києві.", "Він поїхав."],
        ["«Ми вистоїмо. Завжди», — сказав він.", "Він поїхав."],
        ["На вул. Хрещатик вибух.", "Зросло на 3,5 відсотка."],
    ],
    "ru": [
        ["Об этом сказал А. С. Умеров в Киеве.", "Он уехал."],
        ["«Мы выстоим. Всегда», — сказал он.", "Он уехал."],
        ["На ул. Ленина взрыв.", "Выросло на 3,5 процента."],
        ["В 2025 г. Россия вышла.", "Это 5 млн. рублей и т. д.", "Он уехал."],
        ["Он ждал… и ждал.", "Потом ушёл."],
        ["Он сказал: «Да».", "Потом ушёл."],
    ],
    "ar": [
        ["هل هذا صحيح؟", "نعم!", "لا."],
        ["«سنصمد. دائما»، قال.", "ثم غادر."],
        ["ارتفع بنسبة 3.5 في المئة.", "ثم انخفض."],
        ["قال د. أحمد ذلك.", "ثم غادر."],
    ],
}


@pytest.mark.parametrize(
    ("language", "expected"),
    [(language, case) for language, cases in HAZARDS.items() for case in cases],
    ids=lambda value: value if isinstance(value, str) else value[0][:40],
)
def test_a_sentence_ends_where_a_reader_would_end_it(language: str, expected: list[str]) -> None:
    text = " ".join(expected)
    assert quoted(text, sentences(text, language)) == expected


@pytest.mark.parametrize(
    "expected",
    [
        ["真的吗？", "是的！", "他走了。"],
        ["增长了3.5%。", "然后下降。"],
        ["他说：“我们会坚持。”", "然后他走了。"],
        ["真的吗？！", "他走了。"],
    ],
)
def test_chinese_sentences_need_no_space_between_them(expected: list[str]) -> None:
    text = "".join(expected)
    assert quoted(text, sentences(text, "zh")) == expected


def test_a_language_without_rules_is_read_by_the_general_ones() -> None:
    text = "Hello there. He left."
    assert quoted(text, sentences(text, "und")) == ["Hello there.", "He left."]


@pytest.mark.parametrize("length", range(WINDOW - 12, WINDOW + 13, 3))
def test_a_sentence_end_near_the_edge_of_the_window_is_found_like_any_other(length: int) -> None:
    first = "Mot " + "m" * (length - 8) + " fin."
    text = f"{first} Kiev a signé. Londres aussi."
    assert quoted(text, sentences(text, "fr"))[-2:] == ["Kiev a signé.", "Londres aussi."]


def test_sentences_longer_than_the_window_are_found_at_their_ends() -> None:
    expected = ["Un " + "mot " * 240 + "fin." for _ in range(7)]
    text = " ".join(expected)
    assert quoted(text, sentences(text, "fr")) == expected


# Paragraphs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Un.\n\nDeux.", ["Un.", "Deux."]),
        ("Un.\n \t\u00a0\nDeux.\n\n\n\nTrois.", ["Un.", "Deux.", "Trois."]),
        ("\n\n  Un.  \n\n", ["Un."]),
        ("Un\nsuite.\n\nDeux.\nSuite.", ["Un\nsuite.", "Deux.\nSuite."]),
        ("Un.\nDeux !\nTrois ?\nQuatre…\nCinq", ["Un.", "Deux !", "Trois ?", "Quatre…", "Cinq"]),
        ("Un, qui\nva à la ligne.\nDeux.", ["Un, qui\nva à la ligne.", "Deux."]),
        ("« Un. »\nDeux.  \n  (Trois)\nQuatre.", ["« Un. »", "Deux.", "(Trois)", "Quatre."]),
        ("一。\n二？\n三！\n四", ["一。", "二？", "三！", "四"]),
        ("واحد؟\nاثنان", ["واحد؟", "اثنان"]),
        ("Un.\nDeux.\n\n", ["Un.", "Deux."]),
        ("Un. Deux.", ["Un. Deux."]),
        ("", []),
        (" \n\n\t\n", []),
    ],
)
def test_paragraphs_are_parted_by_blank_lines_or_else_by_line_ends_after_a_sentence(
    text: str, expected: list[str]
) -> None:
    assert quoted(text, paragraphs(text)) == expected


# Passages


def test_the_credit_line_is_a_passage_of_its_own() -> None:
    text = "Kiev a signé.\n\nLondres aussi. Paris non. (Reportage de Yuliia Dysa)\n"
    assert [(p.paragraph, p.span.of(text)) for p in split_text(text)] == [
        (1, "Kiev a signé."),
        (2, "Londres aussi. Paris non."),
        (2, "(Reportage de Yuliia Dysa)"),
    ]


def test_a_credit_line_in_a_paragraph_of_its_own_is_one_passage() -> None:
    text = "Kiev a signé.\n\n(Reportage de Yuliia Dysa)"
    assert [p.span.of(text) for p in split_text(text)] == ["Kiev a signé.", "(Reportage de Yuliia Dysa)"]


def test_brackets_before_the_end_are_no_credit_line() -> None:
    text = "Kiev a signé (enfin).\n\nLondres (Angleterre)\n\nFin."
    assert [p.span.of(text) for p in split_text(text)] == ["Kiev a signé (enfin).", "Londres (Angleterre)", "Fin."]


def test_the_shipped_dispatch_gives_a_passage_a_paragraph_and_its_credit_line(dispatch: Dispatch) -> None:
    found = split(dispatch, words, 256)
    assert [passage.paragraph for passage in found] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10]
    assert found[-1].span.of(dispatch.text) == f"({dispatch.credit})"
    # Each paragraph of it is one sentence.
    assert all(passage.sentences == (passage.span,) for passage in found)


def test_as_many_whole_sentences_as_fit_make_a_passage() -> None:
    text = "Un a b. Deux a b. Trois a b. Quatre a b c d e. Cinq."
    found = split_text(text, limit=6)
    assert [quoted(text, list(passage.sentences)) for passage in found] == [
        ["Un a b.", "Deux a b."],
        ["Trois a b."],
        ["Quatre a b c d e."],
        ["Cinq."],
    ]


def test_a_sentence_too_long_by_itself_is_cut_at_white_space() -> None:
    text = "Un deux trois quatre cinq six sept huit neuf dix"
    found = split_text(text, limit=4)
    assert " ".join(passage.span.of(text) for passage in found) == text
    assert max(words(passage.span.of(text)) for passage in found) <= 4


def test_a_word_too_long_by_itself_is_cut_between_characters() -> None:
    found = split_text("x" * 25, count=len, limit=10)
    assert [passage.span for passage in found] == [Span(0, 10), Span(10, 20), Span(20, 25)]


def test_spans_count_code_points() -> None:
    text = "👍🏽 Oui. \u00a0Non."
    (passage,) = split_text(text)
    assert passage.span == Span(0, 13)
    assert quoted(text, list(passage.sentences))[-1] == "Non."


def test_white_space_gives_no_passage() -> None:
    assert split_text(" \n\n\t \u00a0\n") == []


def test_white_space_that_costs_nothing_is_not_told_twice() -> None:
    text = "mot " * 300 + " " * 5000 + "mot " * 300
    assert max(words(passage.span.of(text)) for passage in split_text(text)) <= 256


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Come on. He left."),
        ("en", "The show must go on. He left."),
        ("es", "No sé por. Se fue."),
    ],
)
def test_words_that_look_like_titles_end_sentences(language: str, text: str) -> None:
    assert len(sentences(text, language)) == 2


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", "Le gén. Mark Milley est là."),
        ("fr", "J.-P. Chirac a payé 3,5 millions."),
        ("de", "Prof. Dr. h. c. Meier kam."),
        ("it", "L'on. Verdi parlò."),
        ("uk", "У 2025 р. Україна отримала допомогу ім. Шевченка."),
        ("pl", "Dr hab. Kowalski, ul. Długa 5, odszedł."),
        ("es", "El tte. Gómez y el gral. Pérez llegaron."),
    ],
)
def test_titles_and_initials_do_not_end_sentences(language: str, text: str) -> None:
    assert len(sentences(text, language)) == 1
