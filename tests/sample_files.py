"""Makes the sample files that cannot be written by hand: a PDF and a Word document, always the same bytes."""

from __future__ import annotations

import zlib
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

SAMPLES = Path(__file__).parent / "samples"

PDF_PAGES = [
    [
        "LOMARIE, 12 juin (Lumen) - Le port de Lomarie a rouvert vendredi à six heures,",
        "quarante jours après l'effondrement de la grue nord sur le quai.",
        "",
        "Les trois premiers navires attendaient au large depuis lundi, a dit la capi-",
        "taine du port, Irène Valcourt. Le syndicat des dockers a jugé la reprise trop",
        "rapide.",
        "",
        "Le syndicat demande que l'enquête sur la chute de la grue, confiée à un juge",
        "1",
    ],
    [
        "de Lomarie, soit rendue publique avant la fin du mois d'août.",
        "",
        "(Reportage d'Odile Garance)",
        "2",
    ],
]
DOCX_PARAGRAPHS = [
    "Hafen von Lomarie wieder offen",
    "LOMARIE, 12. Juni (dpl) - Der Hafen von Lomarie ist seit Freitag wieder offen.",
    "Drei Schiffe warteten seit Montag.",
    "(Redaktion Eva Roth)",
]


def pdf(pages: list[list[str]], filters: str = "/FlateDecode") -> bytes:
    """A PDF of lines of text, in Helvetica, 14 points a line."""
    contents = []
    for lines in pages:
        shown = "\n".join(f"({_escaped(line)}) Tj T*" if line else "T*" for line in lines)
        contents.append(f"BT /F1 11 Tf 14 TL 72 770 Td\n{shown}\nET".encode("cp1252"))
    return pdf_of_streams([zlib.compress(content, 9) for content in contents], filters)


def pdf_of_streams(streams: list[bytes], filters: str = "/FlateDecode") -> bytes:
    """A PDF with a page for each content stream, which is packed as `filters` says."""
    first = 4
    kids = " ".join(f"{first + 2 * number} 0 R" for number in range(len(streams)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(streams)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, stream in enumerate(streams):
        content = first + 2 * number + 1
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {content} 0 R"
            f" /Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        objects.append(f"<< /Length {len(stream)} /Filter {filters} >>\nstream\n".encode() + stream + b"\nendstream")
    out = BytesIO()
    out.write(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(out.tell())
        out.write(f"{number} 0 obj\n".encode() + body + b"\nendobj\n")
    start = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    out.write(b"".join(f"{offset:010} 00000 n \n".encode() for offset in offsets))
    out.write(f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


def docx(paragraphs: list[str]) -> bytes:
    """A Word document of plain paragraphs."""
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    runs = "".join(f'<w:p><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>' for text in paragraphs)
    return zipped(
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
            "docProps/core.xml": '<c xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:language>de-DE</dc:language></c>',
            "word/document.xml": f"<w:document {space}><w:body>{runs}</w:body></w:document>",
        }
    )


def zipped(entries: dict[str, str | bytes]) -> bytes:
    """A zip file of these entries, without the time of day."""
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as packed:
        for name, content in entries.items():
            entry = ZipInfo(name)
            entry.compress_type = ZIP_DEFLATED
            packed.writestr(entry, content)
    return out.getvalue()


def _escaped(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


if __name__ == "__main__":
    (SAMPLES / "port.fr.pdf").write_bytes(pdf(PDF_PAGES))
    (SAMPLES / "port.de.docx").write_bytes(docx(DOCX_PARAGRAPHS))
