"""A server in this process: the whole app behind its guard, over a store that the fake embedder made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from fakes import FakeEmbedder
from fastapi.testclient import TestClient

from dispatch_qa import DispatchQA, Settings, build
from dispatch_qa.web.feedback import Feedback
from dispatch_qa.web.metrics import Metrics
from dispatch_qa.web.pool import Pool
from dispatch_qa.web.server import Mount, counted, make_app, make_inbox
from dispatch_qa.web.settings import ServerSettings


def made_once(factory: pytest.TempPathFactory) -> Settings:
    """A store of the shipped dispatch for all tests of a module, none of which changes it."""
    store = replace(Settings.from_env(), index=factory.mktemp("served") / "store")
    build(store, embedder=FakeEmbedder())
    return store


@contextmanager
def client(store: Settings, mount: Mount | None = None, **options: Any) -> Iterator[TestClient]:
    """A client of a running app; `options` are those of `ServerSettings`."""
    settings = ServerSettings(**options)
    metrics = Metrics()
    pool = Pool(
        DispatchQA(store, FakeEmbedder()),
        settings.workers,
        settings.waiting,
        told=counted(metrics, log_questions=settings.log_questions),
    )
    feedback = Feedback(settings.feedback) if settings.feedback else None
    inbox = make_inbox(pool, store) if settings.allow_add else None
    app = make_app(pool, settings, metrics, feedback=feedback, inbox=inbox, mount=mount)
    with TestClient(app, base_url="http://localhost:7860", raise_server_exceptions=False) as opened:
        yield opened
    if feedback:
        feedback.close()
