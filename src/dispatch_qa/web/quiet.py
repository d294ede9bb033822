"""Gradio imported so that it asks nobody, writes nothing beside its source, and takes half the time."""

from __future__ import annotations

import inspect
import os
from typing import Any


def import_gradio() -> None:
    """Import Gradio for the first time; afterwards a plain import finds it.

    With analytics on, it resolves its hosts' names. After each question it sums up the last 10,000 in a table, for a
    page of figures that is not served here: a cost that grows with every question. And with each of its components it
    writes type stubs into the folder that it is installed in, unless the component's source cannot be found: that is
    half of its import.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(1 << 60)
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
    find = inspect.getfile

    def getfile(thing: Any) -> str:
        if inspect.isclass(thing) and thing.__module__.startswith("gradio."):
            raise OSError("no stubs are to be written")
        return find(thing)

    inspect.getfile = getfile  # type: ignore[assignment]  # its stub names its argument
    try:
        import gradio  # noqa: F401
    finally:
        inspect.getfile = find
