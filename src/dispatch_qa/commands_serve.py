"""The commands that serve others: the page with its API, and the tools for assistants.

Every option can be given by the environment too, so that no password need stand in a list of processes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dispatch_qa import options
from dispatch_qa.settings import default_data

if TYPE_CHECKING:
    from fastapi import FastAPI

    from dispatch_qa.web.pool import Pool

Command = TypeVar("Command", bound=Callable[..., Any])


def _option(name: str, *more: str, **attributes: Any) -> Callable[[Command], Command]:
    """An option with its variable: --root-path is DISPATCH_QA_ROOT_PATH."""
    first = name.split("/")[0]
    variable = "DISPATCH_QA_" + first.removeprefix("--").replace("-", "_").upper()
    return click.option(name, *more, envvar=variable, show_envvar=True, **attributes)


@click.command()
@options.index_option
@_option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@_option("--port", type=int, default=7860, show_default=True, help="Port to listen on; 0 takes one that is free.")
@_option("--root-path", default="", metavar="PATH", help="Path under which a proxy passes requests on.")
@_option("--name", "names", multiple=True, metavar="HOST", help="A name by which the server may be called.")
@_option("--auth", metavar="NAME:PASSWORD", help="Ask for a name and a password.")
@_option("--token", metavar="TOKEN", help="Let programs in by a bearer token instead.")
@_option("--feedback", type=click.Path(path_type=Path), metavar="DIR", help="Keep judged passages in DIR.")
@_option("--no-feedback", is_flag=True, help="Keep no judged passages.")
@_option("--allow-add", is_flag=True, help="Let who reaches the page and the API add dispatches.")
@_option("--log-questions", is_flag=True, help="Write questions into the logs.")
@_option("--json-logs/--plain-logs", default=None, help="Logs as JSON lines.  [default: unless on a terminal]")
@_option("--workers", type=click.IntRange(1, 64), metavar="N", help="Threads that answer.  [default: one a core]")
@_option("--waiting", type=click.IntRange(0, 10_000), default=64, metavar="N", help="Questions that may wait.")
def serve(index: Path | None, feedback: Path | None, no_feedback: bool, json_logs: bool | None, **chosen: Any) -> int:
    """Open the page, the HTTP API and the tools for assistants, for this machine unless told otherwise.

    The page is at /, the API under /api/v1 (described at /api/v1/openapi.json), the tools at /mcp, figures
    for Prometheus at /metrics. /healthz and /readyz need no password.
    """
    # Read by Gradio when it is imported; with analytics on, it resolves its hosts' names.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    from dispatch_qa.web.settings import ServerSettings

    kept = None if no_feedback else feedback or default_data() / "feedback"
    settings = ServerSettings(feedback=kept, **chosen)
    from dispatch_qa.web import server

    as_json = not sys.stderr.isatty() if json_logs is None else json_logs
    mount = partial(_mount_page, may_add=settings.allow_add)
    server.serve(options.settings_of(index), settings, mount=mount, json_logs=as_json)
    return 0


@click.command()
@options.index_option
def mcp(index: Path | None) -> int:
    """Give assistants the tools ask, search and show over stdin and stdout (Model Context Protocol).

    Over HTTP the same tools are at /mcp of `dispatch-qa serve`.
    """
    try:
        from dispatch_qa.web.mcp import run_stdio
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"mcp needs {error.name}, which is not installed: pip install 'dispatch-qa[mcp]'"
        ) from error
    from dispatch_qa.qa import DispatchQA
    from dispatch_qa.web.pool import Pool

    pool = Pool(DispatchQA(options.settings_of(index)))
    pool.warm()
    run_stdio(pool)
    return 0


def _mount_page(app: FastAPI, pool: Pool, may_add: bool) -> None:
    # Gradio takes its time: the model is being loaded by then.
    from dispatch_qa.web.page import mount

    mount(app, pool, may_add=may_add, root_path=app.root_path or None)
