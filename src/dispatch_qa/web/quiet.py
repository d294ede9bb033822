"""Gradio imported so that it asks nobody, writes nothing beside its source, and takes half the time."""

from __future__ import annotations

import inspect
import os
from typing import Any


def import_gradio() -> None:
    """Import Gradio for the first time; afterwards a plain import finds it.

    With analytics on, it resolves its hosts' names. And with each of its components it writes type stubs into the
    folder that it is installed in, unless the component's source cannot be found: that is half of its import.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
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
