"""The page: Gradio carries the conversation, a script of our own draws the evidence.

The script (`static/page.js`) builds cards, previews and the source out of text nodes, so that no word of a
dispatch is ever markup; no `gr.HTML` is used, so that the page runs without `unsafe-eval`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from dispatch_qa import followup, present
from dispatch_qa.errors import DispatchQAError
from dispatch_qa.web.api import told_apart
from dispatch_qa.web.bodies import Where, filter_of
from dispatch_qa.web.payload import Message, failure, last_read, payload, recent, turn
from dispatch_qa.web.quiet import import_gradio
from dispatch_qa.web.routes import MOST, STATIC, add_routes

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import FastAPI

    from dispatch_qa.web.desk import Desk

TITLE = "Dispatch QA"
AT_ONCE = 4
"""Questions that are answered at the same time; more wait in the queue."""
WAITING = 64
"""Questions that may wait; one more is told to come back."""

SESSIONS = 200
"""Sessions of which Gradio keeps a description of the page, some 50 kB each; one that comes back gets a new one."""

FILTERS = {"since": "2025-01-12", "until": "2025-01-31", "language": "fr", "agency": "AFP", "slug": ""}
"""The fields of `Filter` that the page offers, each with an example."""

_HEAD = """\
<meta name="color-scheme" content="light dark">
<meta name="description" content="Ask news dispatches in your own language; read the sentences that answer.">
<link rel="icon" type="image/svg+xml" href="page/icon.svg">
<link rel="stylesheet" href="page/page.css">
<script type="module" src="page/page.js"></script>
"""


def words() -> dict[str, dict[str, str]]:
    """What the page says, by language and key; the script reads the same file."""
    found: dict[str, dict[str, str]] = json.loads(STATIC.joinpath("words.json").read_text(encoding="utf-8"))
    return found


def page(desk: Desk, *, others: Mapping[str, Desk] | None = None, k: int = 3) -> gr.Blocks:
    """The page over a desk.

    Args:
        desk: answers, unless the reader chooses another store.
        others: further stores by name; with any, the page lets the reader choose.
        k: how many passages an answer cites at most, unless the reader chooses otherwise.
    """
    import gradio as gr

    desks = _named(desk, others)
    say = gr.I18n(**words())

    def reply(
        question: str, talk: list[Message], k: float | None, alone: bool, store: str | None, *wanted: str
    ) -> tuple[list[Message], str]:
        """One turn: the talk with question and answer added, and what is left in the question's box."""
        chosen = desks.get(store or "", desk)
        read = question if alone else followup.read(question, last_read(talk)) or question
        try:
            where = filter_of(dict(zip(FILTERS, wanted, strict=True)))
            answer = chosen.ask(read, max(1, min(MOST, int(k or 1))), where)
            content = payload(question, read, answer, chosen.show, store or "", where)
        except DispatchQAError as error:
            _, message = told_apart(error)
            return [*recent(talk), *turn(failure(question, message), message)], question
        return [*recent(talk), *turn(content, present.answer_text(answer))], ""

    def ask(question: str, k: int = k, where: dict[str, str] | None = None) -> dict[str, Any]:
        """Answer a question from the dispatches that `where` lets through, each word quoted with its place."""
        try:
            return present.answer_json(desk.ask(question, k, filter_of(Where.model_validate(where or {}))))
        except ValidationError as error:
            raise gr.Error(f"where: {error.errors()[0]['msg']}; it takes {', '.join(Where.model_fields)}") from error
        except DispatchQAError as error:
            raise gr.Error(told_apart(error)[1]) from error

    blocks: gr.Blocks
    with gr.Blocks(title=TITLE, analytics_enabled=False) as blocks:
        with gr.Row(elem_id="desk"):
            with gr.Column(elem_id="talk", min_width=0):
                chat = gr.Chatbot(
                    elem_id="chat",
                    show_label=False,
                    container=False,
                    layout="panel",
                    buttons=[],
                    feedback_options=None,
                    latex_delimiters=[],
                    line_breaks=False,
                    height=None,
                )
                with gr.Group(elem_id="composer"):
                    question = gr.Textbox(
                        elem_id="question",
                        label=say("your_question"),
                        placeholder=say("placeholder"),
                        lines=1,
                        max_lines=5,
                        max_length=2_000,
                        submit_btn=True,
                        stop_btn=True,
                        container=False,
                    )
                    # Not in an accordion, whose content Gradio only makes when it is opened; the script folds it.
                    with gr.Row(elem_id="options"):
                        passages = gr.Number(
                            k,
                            label=say("how_many"),
                            minimum=1,
                            maximum=MOST,
                            precision=0,
                            elem_id="passages",
                            min_width=0,
                        )
                        store = gr.Dropdown(
                            list(desks), label=say("store"), elem_id="store", visible=len(desks) > 1, min_width=0
                        )
                        filters = [
                            gr.Textbox(
                                label=say(f"only_{name}"),
                                placeholder=example,
                                elem_id=f"only-{name}",
                                elem_classes="filter",
                                max_length=100,
                                min_width=0,
                            )
                            for name, example in FILTERS.items()
                        ]
                        alone = gr.Checkbox(False, label=say("alone"), elem_id="alone", min_width=0)
            gr.Column(elem_id="source", min_width=0)
        asking = question.submit(
            reply,
            [question, chat, passages, alone, store, *filters],
            [chat, question],
            show_progress="hidden",
            concurrency_limit=AT_ONCE,
            api_visibility="private",
        )
        question.stop(None, cancels=[asking])
        gr.api(ask, api_name="ask", concurrency_limit=AT_ONCE)  # type: ignore[attr-defined]
    blocks.queue(max_size=WAITING, default_concurrency_limit=AT_ONCE)
    blocks.state_session_capacity = SESSIONS
    return blocks


def mount(
    app: FastAPI,
    desk: Desk,
    *,
    others: Mapping[str, Desk] | None = None,
    k: int = 3,
    may_add: bool = False,
    **options: Any,
) -> FastAPI:
    """Mount the page at the root of `app`, behind every route that `app` has already.

    Args:
        desk: as for `page`, and `others` and `k` too.
        may_add: whether the server takes files, which the page then offers to add.
        options: passed on to `gr.mount_gradio_app`, such as `auth` or `root_path`.
    """
    import_gradio()
    import gradio as gr

    add_routes(app, _named(desk, others), may_add=may_add)
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        page(desk, others=others, k=k),
        path="/",
        head=_HEAD,
        i18n=gr.I18n(**words()),
        theme=_theme(),
        favicon_path=str(STATIC.joinpath("icon.svg")),
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        show_error=False,
        pwa=False,
        **options,
    )
    return mounted


def _theme() -> gr.themes.Base:
    """Gradio's own parts in the page's colours (`static/page.css`) and the system's faces: no font is fetched."""
    import gradio as gr

    plain = ["system-ui", "sans-serif"]
    colours = {
        "body_background_fill": "var(--paper)",
        "body_text_color": "var(--ink)",
        "block_background_fill": "var(--paper)",
        "block_label_text_color": "var(--soft)",
        "block_title_text_color": "var(--soft)",
        "border_color_primary": "var(--rule)",
        "input_background_fill": "var(--sheet)",
        "input_border_color": "var(--edge)",
        "checkbox_background_color": "var(--sheet)",
        "checkbox_background_color_selected": "var(--accent)",
        "checkbox_border_color": "var(--edge)",
        "checkbox_border_color_selected": "var(--accent)",
        "checkbox_label_background_fill": "transparent",
        "checkbox_label_text_color": "var(--soft)",
        "color_accent": "var(--accent)",
    }
    theme = gr.themes.Base(font=plain, font_mono=["ui-monospace", "monospace"])
    both = colours | {f"{name}_dark": colour for name, colour in colours.items() if name != "color_accent"}
    return theme.set(**both)


def _named(desk: Desk, others: Mapping[str, Desk] | None) -> dict[str, Desk]:
    """All desks by name, the first one first."""
    return {desk.info().index.name if others else "": desk, **(others or {})}
