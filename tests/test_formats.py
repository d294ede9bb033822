from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sample_files import DOCX_PARAGRAPHS, PDF_PAGES, SAMPLES, docx, pdf, zipped

from dispatch_qa.errors import InputRejected
from dispatch_qa.readers import read_file, read_paths
from dispatch_qa.records import Dispatch
from dispatch_qa.split import paragraphs


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
            "dateline": "LOMARIA, June 13",
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
    "port.fr.pdf": [
        {
            "id": "port.fr",
            "language": "fr",
            "agency": "Lumen",
            "credit": "Reportage d'Odile Garance",
            "dateline": "LOMARIE, 12 juin",
        }
    ],
    "port.de.docx": [
        {
            "id": "port.de",
            "language": "de",
            "headline": "Hafen von Lomarie wieder offen",
            "agency": "dpl",
            "credit": "Redaktion Eva Roth",
            "dateline": "LOMARIE, 12. Juni",
        }
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


def test_the_samples_that_are_made_are_what_makes_them() -> None:
    assert (SAMPLES / "port.fr.pdf").read_bytes() == pdf(PDF_PAGES)
    assert (SAMPLES / "port.de.docx").read_bytes() == docx(DOCX_PARAGRAPHS)


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


def test_a_headline_is_told_once_though_the_title_names_the_site(tmp_path: Path) -> None:
    body = "<p>The port of Lomaria reopened on Friday at six in the morning, forty days after its crane fell.</p>" * 4
    page = f"<title>Port reopens - Lumen News</title><body><article><h1>Port reopens</h1>{body}</article>"
    found = made(tmp_path, "a.html", page)
    assert (found.headline, found.text.count("Port reopens")) == ("Port reopens", 1)


def test_the_encoding_that_a_page_names_is_used(tmp_path: Path) -> None:
    page = '<html lang="uk"><meta charset="windows-1251"><body><p>Порт відкрито.</p></body></html>'
    found = made(tmp_path, "a.html", page.encode("cp1251"))
    assert (found.text, found.language) == ("Порт відкрито.", "uk")


def test_a_page_without_text_is_refused(tmp_path: Path) -> None:
    assert "is empty" in refused(tmp_path, "a.html", "<html><body><script>x</script></body></html>")


# PDF


def test_a_pdf_says_where_each_page_begins() -> None:
    (found,) = sample("port.fr.pdf")
    assert [found.text[start : start + 21] for start in found.pages] == [
        "LOMARIE, 12 juin (Lum",
        "de Lomarie, soit rend",
    ]
    # Lines and hyphens that the page made are gone, and a sentence goes on over the page.
    assert "a dit la capitaine du port" in found.text
    assert [span.of(found.text).replace("\n", " ")[:60] for span in paragraphs(found.text)] == [
        "LOMARIE, 12 juin (Lumen) - Le port de Lomarie a rouvert vend",
        "Le syndicat demande que l'enquête sur la chute de la grue, c",
    ]


def test_an_empty_page_keeps_its_number(tmp_path: Path) -> None:
    found = made(tmp_path, "a.pdf", pdf([["One."], [], ["2"], ["Three."], []]))
    assert found.text == "One.\n\nThree."
    assert found.pages == (0, 4, 4, 6, 12)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"%PDF-1.4\n", "cannot be read as PDF: pypdf.errors"),
        (pdf([["One."]])[:300], "cannot be read as PDF"),
        (pdf([[], []]), "holds no text on its 2 pages: they are pictures"),
        (
            pdf([["One."]]).replace(b"/Size", b"/Encrypt << /Filter /Standard /V 1 /R 2 >> /Size"),
            "cannot be read as PDF",
        ),
        (b"no PDF at all", "cannot be read as PDF"),
    ],
    ids=["header", "cut", "no text", "locked", "other"],
)
def test_a_pdf_that_cannot_be_read_is_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    assert reason in refused(tmp_path, "a.pdf", data)


# Word documents


def test_a_word_document_is_read_as_it_stands_after_its_changes(tmp_path: Path) -> None:
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    body = (
        "<w:p><w:r><w:t>The </w:t></w:r><w:del><w:r><w:delText>old </w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>new</w:t><w:tab/><w:t>port</w:t><w:br/><w:t>opened.</w:t></w:r></w:ins></w:p><w:p/>"
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>In a table.</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
    )
    data = zipped({"word/document.xml": f"<w:document {space}><w:body>{body}</w:body></w:document>"})
    assert made(tmp_path, "a.docx", data).text == "The new\tport\nopened.\n\nIn a table."


def test_a_zip_file_that_is_no_word_document_is_refused(tmp_path: Path) -> None:
    assert "no Word document" in refused(tmp_path, "a.docx", zipped({"xl/workbook.xml": "<x/>"}))
    assert "File is not a zip file" in refused(tmp_path, "a.docx", b"PK\x03\x04")
    damaged = bytearray(docx(DOCX_PARAGRAPHS))
    damaged[damaged.index(b"word/document.xml") + 40] ^= 1
    assert "cannot be read as a Word document" in refused(tmp_path, "a.docx", bytes(damaged))


# E-mail


def test_mail_of_html_alone_is_read_too(tmp_path: Path) -> None:
    found = made(tmp_path, "a.eml", "From: a@example.org\nContent-Type: text/html\n\n<p>One.</p><p>Two.</p>")
    assert (found.id, found.text, found.headline, found.filed_at) == ("a", "One.\n\nTwo.", None, None)


def test_mail_without_text_is_refused(tmp_path: Path) -> None:
    assert "is e-mail without a text" in refused(tmp_path, "a.eml", "From: a\nContent-Type: image/png\n\nxxx")
    assert "unknown encoding: x-none" in refused(
        tmp_path, "a.eml", 'From: a\nContent-Type: text/plain; charset="x-none"\n\nxxx'
    )


# Feeds, NewsML-G2, NITF


def test_a_feed_without_entries_is_refused(tmp_path: Path) -> None:
    assert "is a feed without entries" in refused(tmp_path, "a.rss", "<rss version='2.0'><channel/></rss>")
    assert "entry 1: is empty" in refused(tmp_path, "a.rss", "<rss version='2.0'><channel><item/></channel></rss>")


def test_a_message_of_pictures_alone_is_refused(tmp_path: Path) -> None:
    item = '<newsItem guid="x"><contentMeta/></newsItem>'
    message = '<newsMessage xmlns="http://iptc.org/std/nar/2006-10-01/"><itemSet>{}</itemSet></newsMessage>'
    assert "holds no dispatch" in refused(tmp_path, "a.xml", message.format(item * 2))
    assert "has no text" in refused(tmp_path, "a.xml", message.format(item))
    assert "is XML, but not NewsML-G2" in refused(tmp_path, "a.xml", "<newsItem><p>x</p></newsItem>")


def test_newsml_carries_nitf_and_plain_text_too(tmp_path: Path) -> None:
    item = '<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="x"><contentSet>{}</contentSet></newsItem>'
    head = "<body.head><byline>By A. Reed</byline></body.head>"
    inside = f'<nitf xmlns=""><body>{head}<body.content><p>Open.</p></body.content></body></nitf>'
    found = made(tmp_path, "a.xml", item.format(f"<inlineXML>{inside}</inlineXML>"))
    assert (found.text, found.byline) == ("By A. Reed\n\nOpen.", "By A. Reed")
    found = made(tmp_path, "a.xml", item.format("<inlineData>One.\n\nTwo.</inlineData>"))
    assert (found.text, found.status) == ("One.\n\nTwo.", "usable")


def test_a_release_date_is_an_embargo(tmp_path: Path) -> None:
    copy = (
        '<nitf><head><docdata management-status="embargoed">{}</docdata></head>'
        "<body><body.content><p>Open.</p></body.content></body></nitf>"
    )
    found = made(tmp_path, "a.xml", copy.format('<date.release norm="20260612T120000+0200"/>'))
    assert (found.status, found.embargo) == (None, "2026-06-12T12:00:00+02:00")
    assert made(tmp_path, "a.xml", copy.format("")).status == "withheld"


# Encodings


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Le port a été rouvert — «enfin», selon Irène.", "cp1252"),
        ("Der Hafen ist seit Freitag wieder geöffnet, hieß es.", "cp1252"),
        ("El puerto abrió mañana: ¿será cierto?, añadió.", "cp1252"),
        ("Порт знову відкрито, їжі та ґрунту вистачить.", "cp1251"),
        ("Порт знову відкрито, повідомила капітан.", "koi8_u"),
    ],
)
def test_encodings_of_old_are_told_from_the_text(tmp_path: Path, text: str, encoding: str) -> None:
    assert made(tmp_path, "a.txt", text.encode(encoding)).text == text
