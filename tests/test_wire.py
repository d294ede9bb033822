from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_qa.readers import wire
from dispatch_qa.readers.text import canonical
from dispatch_qa.records import Dispatch


def fields(text: str) -> dict[str, str]:
    found = wire.find(text)
    for name, span in found.marks:
        assert span.of(text).strip() == span.of(text)
        if name in found.fields and name not in {"status", "version", "embargo"}:
            assert span.of(text) == found.fields[name]
    assert set(found.fields) - {"status"} <= {name for name, _ in found.marks}
    return found.fields


def test_the_shipped_dispatch_has_its_credit_and_nothing_else(dispatch: Dispatch) -> None:
    credit = "Reportage de Yuliia Dysa, édition de William Maclean, Kirsten Donovan"
    assert fields(dispatch.text) == {"credit": credit}


DATELINES = [
    # French
    ("KYIV, 12 juin (Reuters) - Kyiv a signé.", "KYIV, 12 juin", "Reuters"),
    ("KIEV, 12 janvier (Reuters) - Kiev a signé.", "KIEV, 12 janvier", "Reuters"),
    ("PARIS (AFP) – Le port a rouvert.", "PARIS", "AFP"),
    ("Paris, 12 juin 2026 (AFP) - Le port a rouvert.", "Paris, 12 juin 2026", "AFP"),
    ("ÉVRY, 3 mai (Reuters)-Kiev a signé.", "ÉVRY, 3 mai", "Reuters"),
    ("AIX-EN-PROVENCE, 1er août (AFP) — Rien.", "AIX-EN-PROVENCE, 1er août", "AFP"),
    ("KYIV/LONDRES, 2 févr. (Reuters) - Kyiv a signé.", "KYIV/LONDRES, 2 févr.", "Reuters"),
    ("L'ÎLE-D'YEU, vendredi 12 juin (AFP) - Rien.", "L'ÎLE-D'YEU, vendredi 12 juin", "AFP"),
    # English
    ("NEW YORK, Jan. 12 (AP) — Kyiv signed.", "NEW YORK, Jan. 12", "AP"),
    ("GROSSETO, Italy (AP) -- The trial began.", "GROSSETO, Italy", "AP"),
    ("WASHINGTON, D.C., March 3 (UPI) -- It rained.", "WASHINGTON, D.C., March 3", "UPI"),
    ("KYIV/WARSAW, June 12 (Reuters) - The port reopened.", "KYIV/WARSAW, June 12", "Reuters"),
    ("LONDON (Thomson Reuters Foundation) - It rained.", "LONDON", "Thomson Reuters Foundation"),
    ("ODESA, June 12 - The port reopened.", "ODESA, June 12", None),
    # German
    ("BERLIN, 3. Mai (dpa) - Der Hafen ist offen.", "BERLIN, 3. Mai", "dpa"),
    ("Berlin (dpa) - Der Hafen ist offen.", "Berlin", "dpa"),
    ("Frankfurt/Main (dpa-AFX) - Der Hafen ist offen.", "Frankfurt/Main", "dpa-AFX"),
    ("Frankfurt (Oder) (dpa/bb) - Der Hafen ist offen.", "Frankfurt (Oder)", "dpa/bb"),
    ("MÜNCHEN, 12. Juni (AFP) - Nichts.", "MÜNCHEN, 12. Juni", "AFP"),
    ("Wien (APA/dpa) – Nichts.", "Wien", "APA/dpa"),
    # Spanish
    ("MADRID, 4 may (EFE) .- El puerto abrió.", "MADRID, 4 may", "EFE"),
    ("Madrid, 4 may (EFE).- El puerto abrió.", "Madrid, 4 may", "EFE"),
    ("MADRID, 4 de mayo de 2026 (EUROPA PRESS) - El puerto abrió.", "MADRID, 4 de mayo de 2026", "EUROPA PRESS"),
    ("San Salvador de Jujuy, 3 ene (EFE).- Nada.", "San Salvador de Jujuy, 3 ene", "EFE"),
    ("CIUDAD DE MÉXICO, 12 jun (Reuters) - Nada.", "CIUDAD DE MÉXICO, 12 jun", "Reuters"),
    # Ukrainian
    ("КИЇВ, 12 червня (Укрінформ) — Порт відкрито.", "КИЇВ, 12 червня", "Укрінформ"),
    ("КИЇВ, 12 січня (Укрінформ) — Київ підписав.", "КИЇВ, 12 січня", "Укрінформ"),
    ("Київ. 12 червня. ІНТЕРФАКС-УКРАЇНА – Порт відкрито.", "Київ. 12 червня", "ІНТЕРФАКС-УКРАЇНА"),
    ("КИЇВ. 12 червня. УНН. Порт відкрито.", "КИЇВ. 12 червня", "УНН"),
    ("Львів (УНІАН) - Порт відкрито.", "Львів", "УНІАН"),
    ("ІВАНО-ФРАНКІВСЬК, 1 лютого 2026 р. (Укрінформ) - Порт.", "ІВАНО-ФРАНКІВСЬК, 1 лютого 2026 р.", "Укрінформ"),
]


@pytest.mark.parametrize(("line", "dateline", "agency"), DATELINES)
def test_a_dateline_in_the_wires_form_is_found(line: str, dateline: str, agency: str | None) -> None:
    assert fields(line) == {"dateline": dateline} | ({"agency": agency} if agency else {})


NO_DATELINES = [
    "Kiev a signé vendredi.",
    "Kiev a signé (selon Reuters) vendredi - enfin.",
    "le 12 janvier (Reuters) - Kiev a signé.",
    "12 janvier (Reuters) - Kiev a signé.",
    "PARIS (AFP) Kiev a signé.",
    "PARIS (2024) - Kiev a signé.",
    "PARÍS (Francia) - El ministro habló.",
    "ТОВАРИШКИ (Оповідання) — Було це давно.",
    "Le ministre (Défense) - a dit oui.",
    "Le président ukrainien (Volodymyr Zelenskiy) – en visite à Paris – a déclaré.",
    "L'OTAN, qui compte 32 membres (AFP) - a dit oui.",
    "ANALYSE — Le port rouvrira-t-il ?",
    "A spokesman (Reuters) - said nothing.",
    "UN chief (Guterres) - said nothing.",
    "NATO, which has 32 members (AFP) - said nothing.",
    "In May 12 (AP) people said nothing.",
    "Der Minister (SPD) - sagte nichts.",
    "CDU-Chef Merz (CDU) - sagte nichts.",
    "Am 3. Mai (dpa) - nichts.",
    "El ministro (PSOE) - no dijo nada.",
    "El 4 de mayo (EFE) - nada.",
    "Міністр (Оборона) - нічого не сказав.",
    "12 червня (Укрінформ) — нічого.",
    "ЗСУ повідомили про 12 червня - нічого.",
]


@pytest.mark.parametrize("line", NO_DATELINES)
def test_no_field_is_made_of_a_sentence(line: str) -> None:
    assert fields(line) == {}


CREDITS = [
    ("(Reportage de Yuliia Dysa, édition de William Maclean, Kirsten Donovan)", True),
    ("(Rédigé par Anne Martin)", True),
    ("(Version française Anne Martin, édité par Paul Petit)", True),
    ("(Reportage d'Anne Martin)", True),
    ("(Reporting by A. Smith; Editing by B. Jones)", True),
    ("(Additional reporting by A. Smith; writing by B. Jones)", True),
    ("(Writing by A. Smith)\n((a.smith@example.org; +44 20 0000 0000))", True),
    ("(Bericht von Jan Kranz, redigiert von Eva Roth.)", True),
    ("(Redaktion Eva Roth)", True),
    ("(Geschrieben von Jan Kranz)", True),
    ("(Reporte de Luis Gil; Editado por Ana Paz)", True),
    ("(Información de Luis Gil)", True),
    ("(Редактор: Олена Коваль)", True),
    ("(Підготувала Олена Коваль)", True),
    ("(soit 155 mm)", False),
    ("(Reportages divers)", False),
    ("(Bericht folgt)", False),
    ("(Reporting) by A. Smith", False),
    ("(reporting by A. Smith)", False),
    ("(Información en desarrollo)", False),
    ("(Reporting by A. Smith) et la suite.", False),
    ("(Редакція може не поділяти думку автора)", False),
]


@pytest.mark.parametrize(("end", "is_credit"), CREDITS)
def test_a_credit_is_taken_only_from_the_end_and_in_the_wires_words(end: str, is_credit: bool) -> None:
    assert fields(f"Kiev a signé. {end}") == ({"credit": end[1 : end.index(")")]} if is_credit else {})


ABOVE = [
    # Slugs
    ("UKRAINE-CRISIS/ARMS (UPDATE 2)", {"slug": "UKRAINE-CRISIS/ARMS", "version": "2"}),
    ("UKRAINE-CRISE/ARMES", {"slug": "UKRAINE-CRISE/ARMES"}),
    ("Slug: ukraine-port", {"slug": "ukraine-port"}),
    ("Mots-clés : Ukraine, ports", {"slug": "Ukraine, ports"}),
    ("Stichwort: Häfen", {"slug": "Häfen"}),
    ("UKRAINE-CRISIS/ARMS (WITHDRAWN)", {"slug": "UKRAINE-CRISIS/ARMS", "status": "canceled"}),
    # Bylines
    ("By Jane Doe", {"byline": "Jane Doe"}),
    ("By Jane Doe and John O'Neill", {"byline": "Jane Doe and John O'Neill"}),
    ("Par Jean-Paul de La Tour", {"byline": "Jean-Paul de La Tour"}),
    ("Von Eva Roth und Jan Kranz, dpa", {"byline": "Eva Roth und Jan Kranz, dpa"}),
    ("Por Ana Paz", {"byline": "Ana Paz"}),
    ("Автор: Олена Коваль", {"byline": "Олена Коваль"}),
    # Advisories
    ("(Adds prime minister's reaction in paragraph 3)", {"advisory": "Adds prime minister's reaction in paragraph 3"}),
    (
        "(Corrects paragraph 3 to say 250, not 25)",
        {"advisory": "Corrects paragraph 3 to say 250, not 25", "status": "corrected"},
    ),
    ("(Ajoute des détails)", {"advisory": "Ajoute des détails"}),
    ("(Corrige le prénom au §2)", {"advisory": "Corrige le prénom au §2", "status": "corrected"}),
    (
        "(Berichtigt wird der Vorname im 2. Absatz)",
        {"advisory": "Berichtigt wird der Vorname im 2. Absatz", "status": "corrected"},
    ),
    ("(Ergänzt um Reaktion)", {"advisory": "Ergänzt um Reaktion"}),
    ("(Actualiza con reacción)", {"advisory": "Actualiza con reacción"}),
    ("(Додано коментар міністра)", {"advisory": "Додано коментар міністра"}),
    ("(Виправлено ім'я міністра)", {"advisory": "Виправлено ім'я міністра", "status": "corrected"}),
    ("EDITORS: no more takes are planned", {"advisory": "EDITORS: no more takes are planned"}),
]


@pytest.mark.parametrize(("line", "expected"), ABOVE)
def test_a_line_above_the_body_is_read(line: str, expected: dict[str, str]) -> None:
    below = "\n\nKYIV, June 12 (Reuters) - The port reopened.\n\nIt had been shut."
    assert fields(line + below) == expected | {"dateline": "KYIV, June 12", "agency": "Reuters"}
    assert fields(f"Port of Odesa reopens\n{line}{below}") == expected | {
        "headline": "Port of Odesa reopens",
        "dateline": "KYIV, June 12",
        "agency": "Reuters",
    }


HEADLINES = [
    ("UPDATE 2-Port of Odesa reopens", {"version": "2", "headline": "Port of Odesa reopens"}),
    ("CORRECTED-Port of Odesa reopens", {"status": "corrected", "headline": "Port of Odesa reopens"}),
    ("CORRECTED-UPDATE 1-Port reopens", {"status": "corrected", "version": "1", "headline": "Port reopens"}),
    ("REFILE-Port of Odesa reopens", {"headline": "Port of Odesa reopens"}),
    ("WITHDRAWN-Port of Odesa reopens", {"status": "canceled", "headline": "Port of Odesa reopens"}),
    ("STORY WITHDRAWN - Port reopens", {"status": "canceled", "headline": "Port reopens"}),
    ("HOLD - Port reopens", {"status": "withheld", "headline": "Port reopens"}),
    ("RECTIFICATIF - Le port a rouvert", {"status": "corrected", "headline": "Le port a rouvert"}),
    ("ACTUALISATION 3-Le port a rouvert", {"version": "3", "headline": "Le port a rouvert"}),
    ("ANNULATION : Le port a rouvert", {"status": "canceled", "headline": "Le port a rouvert"}),
    ("BERICHTIGUNG: Hafen wieder offen", {"status": "corrected", "headline": "Hafen wieder offen"}),
    ("ZURÜCKGEZOGEN: Hafen wieder offen", {"status": "canceled", "headline": "Hafen wieder offen"}),
    ("ACTUALIZACIÓN 2-El puerto abre", {"version": "2", "headline": "El puerto abre"}),
    ("CORRECCIÓN - El puerto abre", {"status": "corrected", "headline": "El puerto abre"}),
    ("ВИПРАВЛЕННЯ: Порт відкрито", {"status": "corrected", "headline": "Порт відкрито"}),
    ("ОНОВЛЕНО 2 - Порт відкрито", {"version": "2", "headline": "Порт відкрито"}),
    ("Holding company buys port", {"headline": "Holding company buys port"}),
    ("Update on the port of Odesa", {"headline": "Update on the port of Odesa"}),
    ("UPDATED rules for ports", {"headline": "UPDATED rules for ports"}),
]


@pytest.mark.parametrize(("line", "expected"), HEADLINES)
def test_the_take_is_read_off_the_headline(line: str, expected: dict[str, str]) -> None:
    below = "\n\nKYIV, June 12 (Reuters) - The port reopened."
    assert fields(line + below) == expected | {"dateline": "KYIV, June 12", "agency": "Reuters"}


EMBARGOES = [
    ("EMBARGOED UNTIL 12 June 2026, 10:00 GMT", "2026-06-12T10:00:00+00:00"),
    ("EMBARGO: 2026-06-12T10:00:00+02:00", "2026-06-12T10:00:00+02:00"),
    ("Strictly embargoed until 6 p.m. EDT on June 12, 2026", "2026-06-12T18:00:00-04:00"),
    ("SOUS EMBARGO jusqu'au 12 juin 2026 à 10h30 (heure de Paris)", "2026-06-12T10:30:00+02:00"),
    ("Sous embargo jusqu'au 1er août 2026, 18h GMT", "2026-08-01T18:00:00+00:00"),
    ("Sperrfrist: 12. Juni 2026, 10.00 Uhr MESZ", "2026-06-12T10:00:00+02:00"),
    ("SPERRFRIST 12.06.2026, 10 Uhr Berliner Zeit", "2026-06-12T10:00:00+02:00"),
    ("EMBARGADO HASTA el 4 de mayo de 2026 a las 10:00 (hora de Madrid)", "2026-05-04T10:00:00+02:00"),
    ("ЕМБАРГО до 10:00 12 червня 2026 за київським часом", "2026-06-12T10:00:00+03:00"),
    # No zone: free when it is that time everywhere. No time: when the day has begun everywhere.
    ("EMBARGOED UNTIL 12 June 2026, 10:00", "2026-06-12T10:00:00-12:00"),
    ("Embargo 12 juin 2026", "2026-06-12T00:00:00-12:00"),
]


@pytest.mark.parametrize(("line", "instant"), EMBARGOES)
def test_an_embargo_is_an_instant(line: str, instant: str) -> None:
    assert fields(f"{line}\n\nKYIV (Reuters) - The port reopened.")["embargo"] == instant


@pytest.mark.parametrize(
    "line",
    [
        "EMBARGOED until further notice",
        "Sous embargo jusqu'à mardi 10h",
        "EMBARGO 31 June 2026",
        "Sperrfrist: 6/7/2026",
    ],
)
def test_an_embargo_that_cannot_be_read_withholds_the_copy(line: str) -> None:
    found = fields(f"{line}\n\nKYIV (Reuters) - The port reopened.")
    assert found == {"status": "withheld", "dateline": "KYIV", "agency": "Reuters"}


@pytest.mark.parametrize(
    "text",
    [
        "L'embargo sur les armes a été levé.\n\nIl durait depuis mai.",
        "The embargo was lifted.\n\nIt had lasted since May 12, 2026.",
        "Kiev a signé un accord\n\nIl dure deux ans\n\nPARIS (AFP) - Le ministre parle.",
        "By Friday the port was open\n\nIt was full.",
        "Par Toutatis\n\nIl pleut.",
        "(Adds up to nothing",
        "COVID-19\n\nLe virus.",
        "2024-25\n\nLa saison.",
        "First line\nBy Land And Sea\n\nBody.",
        "Kiev a signé.\nPARIS (AFP) - Le ministre parle.",
    ],
)
def test_prose_has_no_fields(text: str) -> None:
    assert fields(text) == {}


def test_the_gravest_status_counts() -> None:
    text = "WITHDRAWN-Port reopens\n(Corrects headline)\n\nKYIV (Reuters) - Nothing."
    assert fields(text)["status"] == "canceled"


@given(
    st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(DATELINES + [(c, "", "") for c, _ in CREDITS])
)
def test_any_text_is_read_and_every_mark_lies_in_it(text: str, line: tuple[str, str, str]) -> None:
    text = canonical(line[0][: len(line[0]) // 2] + text + line[0] + text)
    fields(text)


@pytest.mark.parametrize("unit", ["(", "A ", "A-", "(Reporting by ", "KYIV, ", "By A ", "UPDATE 1-", "(Adds (", "Ab-"])
def test_repetition_is_read_in_time(unit: str) -> None:
    # A pattern that tries every way to part a line would not come back at all.
    assert "dateline" not in fields((unit * 60 + "\n") * 20 + unit * 100_000)
