"""Serve the page on this machine: enough for `python app.py`."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING

from dispatch_qa.errors import DispatchQAError
from dispatch_qa.records import Answer, Dispatch, Hit, Info

if TYPE_CHECKING:
    from dispatch_qa.qa import DispatchQA
    from dispatch_qa.settings import Settings


class LockedDesk:
    """One `DispatchQA` behind a lock: opened, model and all, when it is first asked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._opened: DispatchQA | None = None

    def ask(self, question: str, k: int | None = None) -> Answer:
        with self._lock:
            return self._desk().ask(question, k)

    def search(self, question: str, k: int | None = None) -> list[Hit]:
        with self._lock:
            return self._desk().search(question, k)

    def show(self, dispatch_id: str) -> Dispatch:
        with self._lock:
            return self._desk().show(dispatch_id)

    def info(self) -> Info:
        with self._lock:
            return self._desk().info()

    def warm(self) -> None:
        """Load the model, so that the first question does not wait for it."""
        self.search("warm up", 1)

    def _desk(self) -> DispatchQA:
        from dispatch_qa.qa import DispatchQA

        if self._opened is None:
            self._opened = DispatchQA(self._settings)
        return self._opened


def serve(
    settings: Settings, host: str = "127.0.0.1", port: int = 7860, desk_type: type[LockedDesk] = LockedDesk
) -> None:
    """Serve the page until interrupted; `desk_type` makes who answers."""
    # Read by Gradio when it is imported; with analytics on, it resolves its hosts' names.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    desk = desk_type(settings)
    # Beside the import of Gradio, which takes as long.
    threading.Thread(target=_warm, args=(desk,), daemon=True).start()
    import uvicorn
    from fastapi import FastAPI

    from dispatch_qa.web.page import mount

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    mount(app, desk)
    uvicorn.run(app, host=host, port=port, log_level="warning")


def _warm(desk: LockedDesk) -> None:
    # What is wrong is told to the first question, in the reader's page.
    with contextlib.suppress(DispatchQAError):
        desk.warm()
