"""Programs reach the page's server by Gradio's own client too."""

from __future__ import annotations

import json

import pytest
from browsing import ANSWERABLE, Served
from gradio_client import Client
from gradio_client.exceptions import AppError

from dispatch_qa import DispatchQA, present


def test_gradio_s_client_gets_the_command_line_s_json(app: Served, real: DispatchQA) -> None:
    client = Client(app.url, verbose=False)
    told = json.loads(json.dumps(present.answer_json(real.ask(ANSWERABLE, 2))))
    assert client.predict(ANSWERABLE, 2, api_name="/ask") == told


def test_gradio_s_client_narrows_what_answers(app: Served) -> None:
    client = Client(app.url, verbose=False)
    told = client.predict(ANSWERABLE, 2, {"language": "de"}, api_name="/ask")
    assert (told["supported"], told["citations"], told["nearest"]) == (False, [], [])
    with pytest.raises(AppError, match="where: Extra inputs are not permitted; it takes since, until, language"):
        client.predict(ANSWERABLE, 2, {"langage": "de"}, api_name="/ask")


def test_gradio_s_client_is_told_what_is_wrong(app: Served) -> None:
    client = Client(app.url, verbose=False)
    with pytest.raises(AppError, match="the question is empty"):
        client.predict(" ", 2, api_name="/ask")


def test_only_what_is_meant_for_programs_is_offered_to_them(app: Served) -> None:
    offered = Client(app.url, verbose=False).view_api(return_format="dict")
    assert isinstance(offered, dict)
    assert set(offered["named_endpoints"]) == {"/ask"}
    assert offered["unnamed_endpoints"] == {}
