"""An answer as one message of the chat: plain words, and beside them, packed, what the page's script draws.

Gradio renders a message as Markdown. Words of dispatches and of readers are never Markdown: each character that
could mean anything there is written as a character reference, which Markdown and HTML both take for text.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from dispatch_qa import present
from dispatch_qa.answer import REFUSAL, told_once
from dispatch_qa.lexical import phrases
from dispatch_qa.records import Answer, Citation, Dispatch, Filter

Payload = dict[str, Any]
Message = dict[str, Any]
"""A message as Gradio's chat keeps it: role and content."""

MARK = '<a class="dqa-data" href="#'
"""What begins the packed part of a message."""

KEPT_BYTES = 200_000
"""How much of a conversation travels with the next question; of a longer one, the oldest turns are let go."""

_CARD_FIELDS = ("headline", "slug", "agency", "byline", "credit", "dateline", "filed_at", "status", "advisory")


def payload(
    asked: str,
    read: str,
    answer: Answer,
    show: Callable[[str], Dispatch],
    store: str = "",
    where: Filter | None = None,
) -> Payload:
    """What the page draws of an answer.

    Args:
        asked: the question as it was typed.
        read: the question as it was put to the dispatches; another one than `asked` where it followed up.
        answer: what came of it.
        show: gives the dispatch of an id, for what its card tells.
        store: the name of the store that was asked, where there are several.
        where: the filter that the dispatches went through.
    """
    told = answer.citations or answer.nearest
    leads = {numbers[0] for _, numbers in told_once(answer.citations)}
    dispatches = {citation.dispatch_id: show(citation.dispatch_id) for citation in told}
    return {
        "asked": asked,
        "read": read,
        "store": store,
        "where": {name: value for name, value in asdict(where or Filter()).items() if value},
        "supported": answer.supported,
        "confidence": answer.confidence,
        "citations": [_citation(citation, leads=citation.number in leads) for citation in told],
        # What was put in quotes, where that is why they do not say.
        "nowhere": [] if answer.supported or answer.text == REFUSAL else phrases(answer.question),
        "left_out": [asdict(one) | {"until": show(one.dispatch_id).embargo} for one in answer.left_out],
        "sources": {name: _source(dispatch) for name, dispatch in dispatches.items()},
    }


def failure(asked: str, message: str) -> Payload:
    """The payload of a question that was turned down; `message` is for the reader."""
    return {"asked": asked, "read": asked, "error": message}


def turn(content: Payload, text: str) -> list[Message]:
    """Question and answer as two messages of the chat; `text` is what a client without the script reads."""
    return [
        {"role": "user", "content": escaped(str(content["asked"]))},
        {"role": "assistant", "content": f'{escaped(text)}\n\n{MARK}{packed(content)}"></a>'},
    ]


def last_read(messages: list[Message]) -> str | None:
    """The last question of a conversation that was answered, as it was read; `None` where there is none."""
    for message in reversed(messages):
        content = unpacked(_text(message))
        if content and "error" not in content and isinstance(content.get("read"), str):
            return str(content["read"])
    return None


def recent(messages: list[Message]) -> list[Message]:
    """The newest turns of a conversation that stay under `KEPT_BYTES`, oldest first; failures are not kept."""
    kept: list[Message] = []
    room = KEPT_BYTES
    # Question and answer come in pairs; the browser may have sent anything else.
    for question, reply in reversed(list(zip(messages[::2], messages[1::2], strict=False))):
        room -= len(_text(question)) + len(_text(reply))
        if room < 0:
            break
        if "error" not in (unpacked(_text(reply)) or {}):
            kept = [question, reply, *kept]
    return kept


def packed(content: Payload) -> str:
    """A payload in letters that Markdown, HTML and an address leave alone: base64url of its JSON."""
    return base64.urlsafe_b64encode(json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")).decode()


def unpacked(message: str) -> Payload | None:
    """The payload that a message carries, or `None`. The message came back from a browser: nothing is trusted."""
    _, _, rest = message.partition(MARK)
    try:
        content = json.loads(base64.urlsafe_b64decode(rest.partition('"')[0]))
    except (binascii.Error, ValueError):
        return None
    return content if isinstance(content, dict) else None


def escaped(text: str) -> str:
    """`text` with every character but letters, digits, spaces and line ends as a character reference."""
    # A control character or half a surrogate pair has none.
    shown = present.visible(text.encode("utf-8", "replace").decode())
    return "".join(char if char.isalnum() or char in " \n" or ord(char) > 0x7F else f"&#{ord(char)};" for char in shown)


def _text(message: Message) -> str:
    """The text of a message; Gradio hands it back in parts."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    return "".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))


def _citation(citation: Citation, *, leads: bool) -> Payload:
    """A citation as the page draws it; one that `leads` is the first to give its words."""
    read = citation.probability
    fit = present.fit(citation.score) if read is None else present.likely(read)
    return asdict(citation) | {"fit": fit, "leads": leads}


def _source(dispatch: Dispatch) -> Payload:
    told = {name: getattr(dispatch, name) for name in _CARD_FIELDS if getattr(dispatch, name)}
    return {"id": dispatch.id, "language": dispatch.language, "sha256": dispatch.sha256, **told}
