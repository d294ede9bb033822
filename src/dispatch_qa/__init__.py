"""Dispatch QA: ask wire copy in any language, get the sentences that answer, quoted letter for letter."""

from dispatch_qa.errors import (
    Busy,
    CitationError,
    DispatchQAError,
    InputRejected,
    ModelError,
    StoreDamaged,
    StoreError,
    StoreForeign,
    StoreLocked,
    StoreMissing,
    StoreOutdated,
)
from dispatch_qa.qa import DispatchQA, build
from dispatch_qa.records import Answer, Citation, Dispatch, Filter, Hit, Info, LeftOut, Passage, Quote, Span
from dispatch_qa.settings import Settings

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "Busy",
    "Citation",
    "CitationError",
    "Dispatch",
    "DispatchQA",
    "DispatchQAError",
    "Filter",
    "Hit",
    "Info",
    "InputRejected",
    "LeftOut",
    "ModelError",
    "Passage",
    "Quote",
    "Settings",
    "Span",
    "StoreDamaged",
    "StoreError",
    "StoreForeign",
    "StoreLocked",
    "StoreMissing",
    "StoreOutdated",
    "build",
]
