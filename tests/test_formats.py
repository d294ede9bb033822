from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dispatch_qa.errors import InputRejected
from dispatch_qa.readers import read_file, read_paths
from dispatch_qa.records import Dispatch
from dispatch_qa.split import paragraphs

SAMPLES = Path(__file__).parent / "samples"


def sample(name: str) -> list[Dispatch]:
    return read_file(SAMPLES / name)


def refused(tmp_path: Path, name: str, content: str | bytes) -> str:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(InputRejected) as caught:
        read_file(path)
    assert str(caught.value).startswith(str(path))
    return str(caught.value)


def made(tmp_path: Path, name: str, content: str | bytes) -> Dispatch:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    (dispatch,) = read_file(path)
    return dispatch


def set_fields(dispatch: Dispatch) -> dict[str, Any]:
    names = (
        "id language slug headline agency byline credit dateline filed_at version version_of status embargo advisory"
    )
    return {name: value for name in names.split() if (value := getattr(dispatch, name))}


EXPECTED: dict[str, list[dict[str, str]]] = {
    "port.fr.txt": [
        {
            "id": "port.fr",
            "language": "fr",
            "slug": "LOMARIE-PORT/REPRISE",
            "headline": "Le port de Lomarie rouvre après quarante jours",
            "agency": "Agence Lumen",
            "byline": "Odile Garance",
            "credit": "Reportage d'Odile Garance, édition de Marc Tessier",
            "dateline": "LOMARIE, 12 juin",
            "version": "2",
            "advisory": "Ajoute la réaction des dockers au paragraphe 3",
        }
    ],
    "port.uk.cp1251.txt": [
        {
            "id": "port.uk.cp1251",
            "language": "uk",
            "agency": "Лумен",
            "credit": "Підготувала Олена Коваль",
            "dateline": "КИЇВ, 12 червня",
        }
    ],
    "port.de.md": [
        {
            "id": "port.de",
            "language": "de",
            "headline": "Hafen von Lomarie wieder offen",
            "agency": "dpl",
            "byline": "Eva Roth",
            "dateline": "LOMARIE, 12. Juni",
            "filed_at": "2026-06-12T08:15:00+02:00",
        }
    ],
    "port.en.html": [
        {
            "id": "port.en",
            "language": "en",
            "headline": "Port of Lomaria reopens after forty days",
            "agency": "Lumen",
            "byline": "Clara Finch",
            "dateline": "LOMARIA, June 12",
            "filed_at": "2026-06-12",
        }
    ],
    "port.ninjs1.json": [
        {
            "id": "urn:lumen:2026-06-12:lomarie-port@2",
            "language": "fr",
            "slug": "LOMARIE-PORT",
            "headline": "Le port de Lomarie rouvre",
            "agency": "Agence Lumen",
            "byline": "Odile Garance",
            "dateline": "LOMARIE, 12 juin",
            "filed_at": "2026-06-12T08:40:00+02:00",
            "version": "2",
            "version_of": "urn:lumen:2026-06-12:lomarie-port",
            "status": "usable",
            "advisory": "Ajoute la réaction des dockers",
        }
    ],
    "port.ninjs2.json": [
        {
            "id": "urn:lumen:2026-06-13:lomarie-grue@1",
            "language": "es",
            "headline": "La grúa de Lomaria será desmontada",
            "agency": "EFL",
            "byline": "Por Ana Paz",
            "dateline": "LOMARIA, 13 jun",
            "filed_at": "2026-06-13T07:00:00+00:00",
            "version": "1",
            "version_of": "urn:lumen:2026-06-12:lomarie-port",
            "status": "withheld",
            "embargo": "2026-06-14T06:00:00+00:00",
        }
    ],
    "port.ninjs3.json": [
        {
            "id": "urn:lumen:2026-06-14:lomarie-kran@3",
            "language": "de",
            "slug": "Lomarie/Hafen/",
            "headline": "Kran von Lomarie verkauft",
            "byline": "Von Eva Roth, dpl",
            "filed_at": "2026-06-14T10:05:00+02:00",
            "version": "3",
            "version_of": "urn:lumen:2026-06-14:lomarie-kran",
            "status": "canceled",
            "embargo": "2026-06-14T12:00:00+02:00",
            "advisory": "KILL: Die Meldung ist falsch, bitte nicht verwenden.",
        }
    ],
    "port.newsml.xml": [
        {
            "id": "urn:newsml:lumen.example:20260612:port@4",
            "language": "en",
            "slug": "LOMARIA-PORT",
            "headline": "Port of Lomaria reopens",
            "agency": "Lumen News",
            "byline": "By Clara Finch",
            "credit": "Reporting by Clara Finch; Editing by Tom Reed",
            "dateline": "LOMARIA, June 12",
            "filed_at": "2026-06-12T09:00:00+02:00",
            "version": "4",
            "version_of": "urn:newsml:lumen.example:20260612:port",
            "status": "corrected",
            "embargo": "2026-06-12T12:00:00+02:00",
            "advisory": "Corrects name of harbour master in paragraph 2",
        },
        {
            "id": "urn:newsml:lumen.example:20260611:fire@2",
            "language": "en",
            "headline": "Fire at port of Lomaria",
            "agency": "LUMEN",
            "filed_at": "2026-06-12T09:02:00+02:00",
            "version": "2",
            "version_of": "urn:newsml:lumen.example:20260610:fire",
            "status": "canceled",
            "advisory": "Withdrawn: there was no fire.",
        },
    ],
    "port.nitf.xml": [
        {
            "id": "lumen.example-nitf-771@2",
            "language": "en",
            "slug": "Lomaria-Port",
            "headline": "Port of Lomaria reopens",
            "agency": "Lumen News",
            "byline": "By Clara Finch, Lumen Staff Writer",
            "credit": "Reporting by Clara Finch",
            "dateline": "LOMARIA, June 12",
            "filed_at": "2026-06-12T09:15:00+02:00",
            "version": "2",
            "version_of": "lumen.example-nitf-771",
            "status": "usable",
            "advisory": "Adds union reaction",
        }
    ],
    "port.rss": [
        {
            "id": "lumen-771",
            "language": "en",
            "headline": "Port of Lomaria reopens",
            "byline": "Clara Finch",
            "filed_at": "2026-06-12T07:15:00+00:00",
        },
        {"id": "https://lumen.example/crane", "language": "en", "headline": "Crane & inquiry"},
    ],
    "port.atom": [
        {
            "id": "urn:lumen:fr:1",
            "language": "fr",
            "headline": "Le port de Lomarie rouvre",
            "byline": "Odile Garance",
            "filed_at": "2026-06-12T07:15:00+00:00",
        }
    ],
    "port.jsonl": [
        {"id": "lomarie-1", "language": "fr", "headline": "Le port de Lomarie rouvre"},
        {
            "id": "2",
            "language": "en",
            "slug": "LOMARIA-CRANE",
            "agency": "Lumen",
            "byline": "Clara Finch, Tom Reed",
            "dateline": "LOMARIA",
            "filed_at": "2026-06-13",
        },
        {
            "id": "urn:lumen:9@1",
            "language": "en",
            "headline": "Dockers win",
            "version": "1",
            "version_of": "urn:lumen:9",
            "status": "usable",
        },
    ],
    "port.eml": [
        {
            "id": "771.lumen@lumen.example",
            "language": "fr",
            "headline": "Port de Lomarie : reprise vendredi",
            "agency": "Lumen",
            "credit": "Reportage d'Odile Garance",
            "dateline": "LOMARIE, 12 juin",
            "filed_at": "2026-06-12T09:15:00+02:00",
            "embargo": "2026-06-12T10:00:00+02:00",
        }
    ],
}

PARAGRAPHS: dict[str, list[str]] = {
    "port.de.md": [
        "Hafen von Lomarie wieder offen",
        "Eva Roth",
        "LOMARIE, 12. Juni (dpl) - Der Hafen von Lomarie ist seit Freitag wieder offen, wie die Behörde mitteilte.",
        "Drei Schiffe warteten seit Montag.",
        "Zwölf Stellen sollen neu besetzt werden.",
        '"Wir haben lange gewartet", sagte Hafenmeisterin Irene Valcourt.',
    ],
    "port.ninjs1.json": [
        "Le port de Lomarie rouvre",
        "Odile Garance",
        "LOMARIE, 12 juin (Lumen) - Le port de Lomarie a rouvert vendredi.",
        "Les dockers demandent douze embauches.",
    ],
    "port.newsml.xml": [
        "Port of Lomaria reopens",
        "By Clara Finch",
        "LOMARIA, June 12 (Lumen) - The port of Lomaria reopened on Friday.",
        "Harbour master Irene Valcourt said three ships had waited since Monday.",
        "(Reporting by Clara Finch; Editing by Tom Reed)",
    ],
    "port.nitf.xml": [
        "Port of Lomaria reopens",
        "Dockers want twelve more hands",
        "By Clara Finch, Lumen Staff Writer",
        "LOMARIA, June 12",
        "The port of Lomaria reopened on Friday.",
        "Three ships had waited since Monday, harbour master Irene Valcourt said.",
        "(Reporting by Clara Finch)",
    ],
    "port.rss": [
        "Port of Lomaria reopens",
        "Clara Finch",
        "The port of Lomaria reopened on Friday.",
        "Three ships had waited since Monday.",
    ],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_every_field_of_a_sample_is_read(name: str) -> None:
    assert [set_fields(dispatch) for dispatch in sample(name)] == EXPECTED[name]


@pytest.mark.parametrize("name", PARAGRAPHS)
def test_the_paragraphs_of_a_sample_are_kept_apart(name: str) -> None:
    text = sample(name)[0].text
    assert [span.of(text) for span in paragraphs(text)] == PARAGRAPHS[name]


@pytest.mark.parametrize("name", EXPECTED)
def test_every_mark_is_the_field_as_it_stands_in_the_text(name: str) -> None:
    for dispatch in sample(name):
        for field, span in dispatch.marks:
            if field in {"headline", "byline", "dateline", "agency", "credit", "slug", "advisory"}:
                assert span.of(dispatch.text) == getattr(dispatch, field)
        # A headline can always be quoted.
        if dispatch.headline:
            assert dict(dispatch.marks)["headline"].of(dispatch.text) == dispatch.headline


def test_a_folder_of_all_formats_is_read_in_one_go() -> None:
    found = read_paths([SAMPLES])
    assert len({dispatch.id for dispatch in found}) == len(found) == sum(map(len, EXPECTED.values()))
    assert {dispatch.source for dispatch in found} == {str(SAMPLES / name) for name in EXPECTED}


# The suffix and the content


@pytest.mark.parametrize(
    ("name", "other"), [("port.en.html", "a.txt"), ("port.nitf.xml", "a"), ("port.ninjs3.json", "b.dat")]
)
def test_a_file_is_known_by_its_content_where_its_name_says_otherwise(tmp_path: Path, name: str, other: str) -> None:
    found = made(tmp_path, other, (SAMPLES / name).read_bytes())
    assert found.text == sample(name)[0].text


def test_xml_of_no_known_kind_is_refused_by_its_root(tmp_path: Path) -> None:
    assert "root element is 'svg'" in refused(tmp_path, "a.xml", "<svg/>")


# ninjs


def test_json_that_is_not_ninjs_is_refused(tmp_path: Path) -> None:
    assert "is JSON, but not ninjs" in refused(tmp_path, "a.json", '{"name": "x"}')
    assert "is JSON, but not ninjs" in refused(tmp_path, "a.json", "17")
    assert "is not JSON" in refused(tmp_path, "a.json", '{"uri": ')
    assert "nested too deeply" in refused(tmp_path, "a.json", "[" * 100_000)
    assert "has no text" in refused(tmp_path, "a.json", '{"uri": "x", "pubstatus": "usable"}')


def test_an_unknown_status_and_an_unreadable_embargo_hold_the_copy_back(tmp_path: Path) -> None:
    item = {"uri": "x", "body_text": "The port is open.", "headline": "Port"}
    assert made(tmp_path, "a.json", json.dumps(item)).status is None
    assert made(tmp_path, "a.json", json.dumps(item | {"pubstatus": "secret"})).status == "withheld"
    assert made(tmp_path, "a.json", json.dumps(item | {"embargoed": "Friday"})).status == "withheld"
    late = made(tmp_path, "a.json", json.dumps(item | {"embargoed": "2026-06-12T10:00:00"}))
    assert (late.status, late.embargo) == (None, "2026-06-12T10:00:00-12:00")


def test_the_copy_may_be_graver_than_its_status(tmp_path: Path) -> None:
    item = {"uri": "x", "body_text": "WITHDRAWN-Port reopens\n\nKYIV (Reuters) - It did.", "pubstatus": "usable"}
    assert made(tmp_path, "a.json", json.dumps(item)).status == "canceled"


@pytest.mark.parametrize("text", ["half \\ud83d a character", "a \\u0000 NUL"])
def test_what_is_no_text_inside_json_is_refused(tmp_path: Path, text: str) -> None:
    assert "is not text" in refused(tmp_path, "a.json", f'{{"uri": "x", "body_text": "{text}"}}')
    assert "is not text" in refused(tmp_path, "a.json", f'{{"uri": "{text}", "body_text": "x"}}')


def test_several_items_in_one_file_are_several_dispatches(tmp_path: Path) -> None:
    path = tmp_path / "many.json"
    path.write_text(json.dumps([{"body_text": "One."}, {"body_text": "Two.", "uri": "two"}]), encoding="utf-8")
    assert [(found.id, found.text) for found in read_file(path)] == [("many:1", "One."), ("two", "Two.")]


# JSON Lines


def test_a_bad_line_is_named_and_nothing_of_the_file_is_read(tmp_path: Path) -> None:
    good = '{"text": "The port is open."}\n'
    assert "line 2: is not JSON" in refused(tmp_path, "a.jsonl", good + "{\n" + good)
    assert "line 3: has no text" in refused(tmp_path, "a.jsonl", good + "\n" + '{"id": 1}\n')
    assert "line 1: is no JSON object" in refused(tmp_path, "a.jsonl", "[1]\n")
    assert "holds no dispatch" in refused(tmp_path, "a.jsonl", "\n")


def test_lines_without_an_id_are_numbered(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "One."}\n\n{"text": "Two.", "status": "200"}\n', encoding="utf-8")
    assert [(found.id, found.status) for found in read_file(path)] == [("a:1", None), ("a:3", None)]


# HTML


def test_a_page_without_an_article_gives_all_its_text(tmp_path: Path) -> None:
    page = "<p>Short &amp; <b>bold</b>.<br>More.<script>no</script><p>Next.<table><tr><td>a</td><td>b</td></tr></table>"
    found = made(tmp_path, "a.html", page)
    assert found.text == "Short & bold.\nMore.\n\nNext.\n\na b"


def test_the_encoding_that_a_page_names_is_used(tmp_path: Path) -> None:
    page = '<html lang="uk"><meta charset="windows-1251"><body><p>Порт відкрито.</p></body></html>'
    found = made(tmp_path, "a.html", page.encode("cp1251"))
    assert (found.text, found.language) == ("Порт відкрито.", "uk")


def test_a_page_without_text_is_refused(tmp_path: Path) -> None:
    assert "is empty" in refused(tmp_path, "a.html", "<html><body><script>x</script></body></html>")
