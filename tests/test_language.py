from __future__ import annotations

import socket
from typing import NoReturn

import pytest

from dispatch_qa.language import UNKNOWN, identify

SENTENCES = {
    "fr": "Le ministre de la défense a signé un accord avec les entreprises américaines vendredi.",
    "en": "The defence minister signed an agreement with American companies on Friday.",
    "de": "Der Verteidigungsminister hat am Freitag ein Abkommen mit amerikanischen Firmen unterzeichnet.",
    "es": "El ministro de Defensa firmó el viernes un acuerdo con empresas estadounidenses.",
    "it": "Il ministro della difesa ha firmato venerdì un accordo con aziende americane.",
    "pt": "O ministro da Defesa assinou na sexta-feira um acordo com empresas americanas.",
    "uk": "Міністр оборони підписав у п'ятницю угоду з американськими компаніями.",
    "ru": "Министр обороны подписал в пятницу соглашение с американскими компаниями.",
    "ar": "وقع وزير الدفاع يوم الجمعة اتفاقا مع شركات أمريكية.",
    "zh": "国防部长星期五与美国公司签署了一项协议。",
    "pl": "Minister obrony podpisał w piątek umowę z amerykańskimi firmami.",
}


@pytest.mark.parametrize(("language", "text"), SENTENCES.items(), ids=SENTENCES)
def test_a_sentence_tells_its_language(language: str, text: str) -> None:
    assert identify(text) == language


@pytest.mark.parametrize("text", ["", " \n\t", "155", "12 345,67 %", "…!?", "--- (—) ---", "👍🏽 🇺🇦"])
def test_what_holds_no_letter_is_in_no_language(text: str) -> None:
    assert identify(text) == UNKNOWN == "und"


def test_line_ends_do_not_stand_in_the_way() -> None:
    assert identify(SENTENCES["fr"].replace(" ", "\n")) == "fr"


def test_the_language_of_a_long_text_is_told_by_its_beginning() -> None:
    assert identify(SENTENCES["de"] * 40 + SENTENCES["fr"] * 400) == "de"


def test_no_socket_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> NoReturn:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert identify(SENTENCES["en"]) == "en"
