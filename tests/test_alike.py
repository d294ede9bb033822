"""Texts that repeat each other, told in one go as one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dispatch_qa.alike import SAME_PASSAGE, jaccard, repeats, triples

WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=12).map(" ".join)


@given(WORDS, st.lists(WORDS, max_size=6))
def test_in_one_go_as_one_by_one(text: str, others: list[str]) -> None:
    one_by_one = [jaccard(triples(text), triples(other)) >= SAME_PASSAGE for other in others]
    assert repeats(text, others).tolist() == one_by_one


def test_letter_case_and_a_word_in_many_do_not_part_texts() -> None:
    text = " ".join(f"word{n}" for n in range(40))
    assert repeats(text, [text.upper(), text + " more", text[::-1], ""]).tolist() == [True, True, False, False]
