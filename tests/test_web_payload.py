"""Answers as messages of the chat: packed, unpacked, escaped, cut to what travels."""

from __future__ import annotations

import html
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from dispatch_qa import present
from dispatch_qa.records import Answer, Citation, Dispatch, Quote
from dispatch_qa.web.payload import (
    KEPT_BYTES,
    MARK,
    Message,
    escaped,
    failure,
    last_read,
    packed,
    payload,
    recent,
    turn,
    unpacked,
)

TEXT = "Kiev a signé. <b>Oui</b>."
DISPATCH = Dispatch("a.fr", TEXT, "fr", headline="Titre", agency="AFP", filed_at="2025-05-03T09:00:00+00:00")
CITATION = Citation(1, "a.fr", "fr", 1, 0, 25, TEXT, Quote(0, 13, "Kiev a signé."), 0.75)
ANSWER = Answer("Qui ?", True, 0.7, "Kiev a signé. [1]", (CITATION,))


def told(read: str = "Qui ?", asked: str = "Qui ?") -> list[Message]:
    return turn(payload(asked, read, ANSWER, lambda _: DISPATCH), "Kiev a signé. [1]")


def test_a_payload_tells_what_a_card_shows() -> None:
    content = payload("Et qui ?", "Qui – qui ?", ANSWER, lambda _: DISPATCH)
    (citation,) = content["citations"]
    assert (citation["quote"], citation["evidence"]["quote"], citation["fit"]) == (
        TEXT,
        "Kiev a signé.",
        present.fit(0.75),
    )
    read = replace(ANSWER, citations=(replace(CITATION, probability=0.9),))
    assert payload("Qui ?", "Qui ?", read, lambda _: DISPATCH)["citations"][0]["fit"] == present.likely(0.9)
    source = content["sources"]["a.fr"]
    assert (source["headline"], source["agency"], source["sha256"]) == ("Titre", "AFP", DISPATCH.sha256)
    assert "text" not in source
    assert "slug" not in source


def test_the_first_citation_that_gives_the_words_leads_with_them() -> None:
    words, later = Quote(0, 4, "Kiev"), Quote(0, 4, "kiev")
    first = replace(CITATION, answer=words, probability=0.9)
    cited = (first, replace(first, number=2, answer=later, probability=0.89), replace(first, number=3, probability=0.2))
    content = payload("Qui ?", "Qui ?", replace(ANSWER, citations=cited), lambda _: DISPATCH)
    assert [citation["leads"] for citation in content["citations"]] == [True, False, False]
    assert content["citations"][0]["answer"] == {"start": 0, "end": 4, "quote": "Kiev"}


def test_the_nearest_passages_of_a_refusal_are_told_as_such() -> None:
    refusal = Answer("Qui ?", False, 0.1, "The dispatches do not say.", (), (CITATION,))
    content = payload("Qui ?", "Qui ?", refusal, lambda _: DISPATCH)
    assert content["supported"] is False
    assert len(content["citations"]) == 1


@given(st.text())
def test_what_is_escaped_reads_as_it_was_and_holds_no_markup(text: str) -> None:
    found = escaped(text)
    assert html.unescape(found) == present.visible(text.encode("utf-8", "replace").decode())
    assert not set(found.replace("&#", "").replace(";", "")) & set("<>\"'&*_`[]()!#$\\|~:/.@-+=")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_message_gives_its_payload_back(text: str) -> None:
    content = failure(text, text)
    _, reply = turn(content, text)
    assert unpacked(reply["content"]) == content
    assert packed(failure("\ud800", "half a pair"))
    # Nothing that was typed can pass for the packed part.
    assert reply["content"].count(MARK) == 1


@given(
    st.one_of(
        st.text(),
        st.text().map(lambda text: MARK + text),
        st.sampled_from(["[]", "1", "{}x"]).map(lambda one: MARK + one),
    )
)
def test_what_is_no_payload_is_none(text: str) -> None:
    assert unpacked(text) is None


def test_the_last_question_is_the_last_that_was_answered_as_it_was_read() -> None:
    talk = [*told("A – B", "And B?"), *turn(failure("long", "too long"), "too long")]
    assert last_read(talk) == "A – B"
    assert last_read([]) is None
    assert last_read([{"role": "assistant", "content": [{"type": "text", "text": talk[1]["content"]}]}]) == "A – B"


def test_a_talk_that_a_browser_made_up_is_harmless() -> None:
    for content in (None, 3, [], [None], [{"text": 5}], {"text": MARK + packed({"read": 7}) + '"'}, ["x"]):
        made_up = [{"role": "user", "content": content}, {"role": "assistant", "content": content}]
        assert last_read(made_up) is None
        assert recent(made_up) == made_up


def test_failures_and_what_is_too_long_ago_do_not_travel() -> None:
    failed = turn(failure("x", "no"), "no")
    assert recent([*told(), *failed, *told()]) == [*told(), *told()]
    big = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a" * (KEPT_BYTES // 2)}]
    assert recent([*big, *big, *told()]) == [*big, *told()]
