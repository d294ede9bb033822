"""What can be asked: a question in canonical form."""

from __future__ import annotations

import unicodedata

from dispatch_qa.errors import InputRejected
from dispatch_qa.settings import MAX_QUESTION_CHARS


def checked_question(question: str) -> str:
    """The question in canonical form. Raises `InputRejected` where it is none."""
    question = unicodedata.normalize("NFC", question).strip()
    if not question:
        raise InputRejected('the question is empty; type one, as in: dispatch-qa ask "Who spoke?"')
    if len(question) > MAX_QUESTION_CHARS:
        raise InputRejected(
            f"the question has {len(question):,} characters; at most {MAX_QUESTION_CHARS:,} are read: shorten it"
        )
    if any(unicodedata.category(char) == "Cs" or char == "\0" for char in question):
        raise InputRejected("the question is not text: it holds bytes that are not UTF-8")
    if not any(char.isalnum() for char in question):
        raise InputRejected("the question holds no word and no number; ask in words")
    return question
