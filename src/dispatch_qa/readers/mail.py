"""E-mail, as desks send copy: the subject is the headline, the body the text; attachments are left out."""

from __future__ import annotations

import re
from email.message import EmailMessage

from dispatch_qa.errors import InputRejected
from dispatch_qa.readers import limits
from dispatch_qa.readers.compose import Fields, compose, id_of
from dispatch_qa.readers.guard import refusing
from dispatch_qa.readers.markup import html_paragraphs
from dispatch_qa.records import Dispatch

_HEADER = re.compile(
    rb"\A(?:From |(?:Return-Path|Received|Message-ID|MIME-Version|Date|From|Subject|To):)", re.IGNORECASE
)
_READ = {"subject", "date", "message-id"} | {
    f"content-{name}" for name in ("language", "type", "transfer-encoding", "disposition")
}
_HEADER_LINE = re.compile(rb"^[!-9;-~]{1,80}:", re.MULTILINE)
_BOUNDARY = re.compile(rb"boundary\s*=", re.IGNORECASE)


def sniff(head: bytes) -> bool:
    """Whether the header of a message begins here: one of its lines, and the sender."""
    return _HEADER.match(head) is not None and re.search(rb"^From:", head, re.IGNORECASE | re.MULTILINE) is not None


def read(name: str, data: bytes) -> list[Dispatch]:
    """A message as one dispatch.

    Raises:
        InputRejected: it cannot be read as a message, or has no text part.
    """
    from email.parser import BytesParser
    from email.policy import default

    # Counted before they are parsed: each level of parts has a boundary of its own, each part a line that begins it.
    limits.at_most("parts", data.count(b"\n--"), limits.MAX_ENTRIES)
    limits.at_most("header lines", len(_HEADER_LINE.findall(data)), limits.MAX_HEADER_LINES)
    limits.at_most("levels of parts", len(_BOUNDARY.findall(data)), limits.MAX_DEPTH)
    with refusing("e-mail", ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
        message = BytesParser(EmailMessage, policy=default).parsebytes(data)
        for each in message.walk():
            for header, value in each.raw_items():
                if header.lower() in _READ:
                    limits.at_most(f"characters in {header}", len(str(value)), limits.MAX_HEADER_CHARS)
        part = message.get_body(("plain", "html"))
        if part is None or not message.keys():
            raise InputRejected("is e-mail without a text")
        body: str = part.get_content()
        fields = Fields(
            headline=_header(message, "Subject"),
            filed_at=_date(message),
            language=_header(message, "Content-Language"),
        )
        own = (_header(message, "Message-ID") or "").strip("<> ")
        is_html = part.get_content_type() == "text/html"
    return [compose(id_of(own, name), html_paragraphs(body) if is_html else body, fields)]


def _header(message: EmailMessage, name: str) -> str | None:
    value = message[name]
    # A byte that is no text comes as a lone surrogate.
    return str(value).encode("utf-8", "replace").decode() if value is not None else None


def _date(message: EmailMessage) -> str | None:
    when = getattr(message["Date"], "datetime", None)
    return when.isoformat() if when else None
