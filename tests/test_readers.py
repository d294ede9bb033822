from __future__ import annotations

import codecs
import os
import sys
import unicodedata
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_qa.errors import InputRejected
from dispatch_qa.readers import limits, read_each, read_paths, shipped_dispatch
from dispatch_qa.readers.text import canonical, decode, read
from dispatch_qa.records import Dispatch, Span

UNICODE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def write(path: Path, data: str | bytes = "Kiev a signé.") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def ids(dispatches: list[Dispatch]) -> list[str]:
    return [dispatch.id for dispatch in dispatches]


# The text


@pytest.mark.parametrize(
    "data",
    [
        "Київ, déjà 👍".encode(),
        codecs.BOM_UTF8 + "Київ, déjà 👍".encode(),
        codecs.BOM_UTF16_LE + "Київ, déjà 👍".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "Київ, déjà 👍".encode("utf-16-be"),
    ],
    ids=["utf-8", "utf-8 with mark", "utf-16-le", "utf-16-be"],
)
def test_utf_8_and_marked_utf_16_are_read_without_their_mark(data: bytes) -> None:
    assert decode(data) == "Київ, déjà 👍"


@given(UNICODE)
def test_any_text_survives_encoding_and_decoding(text: str) -> None:
    assert decode(codecs.BOM_UTF8 + text.encode()) == text
    assert decode(codecs.BOM_UTF16_LE + text.encode("utf-16-le")) == text
    assert decode(codecs.BOM_UTF16_BE + text.encode("utf-16-be")) == text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"Kiev \xe9tait", "is not UTF-8 text: byte 5"),
        (b"\x89PNG\r\n\x1a\n", "is not UTF-8 text: byte 0"),
        (codecs.BOM_UTF16_LE + b"a\0b", "is not UTF-16-LE text"),
        (codecs.BOM_UTF16_BE + b"\xd8\x00\x00a", "is not UTF-16-BE text"),
        (b"\xed\xa0\x80", "is not UTF-8 text: byte 0"),
        (b"Kiev\0", "is not text: it holds a NUL at character 4"),
        (codecs.BOM_UTF32_LE + "Kiev".encode("utf-32-le"), "NUL"),
        ("Kiev".encode("utf-16-le"), "NUL"),
    ],
)
def test_what_is_not_text_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputRejected, match=message):
        decode(data)


@pytest.mark.parametrize("data", [b"", codecs.BOM_UTF8, codecs.BOM_UTF16_BE, b" \r\n\t", "\u00a0\u2003".encode()])
def test_an_empty_file_is_refused(data: bytes) -> None:
    with pytest.raises(InputRejected, match="is empty; expected the text of a dispatch"):
        read("x", data)


@given(UNICODE)
def test_canonical_text_is_nfc_without_carriage_returns_and_stays_as_it_is(text: str) -> None:
    once = canonical(text)
    assert unicodedata.is_normalized("NFC", once)
    assert "\r" not in once
    assert canonical(once) == once


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("a\r\r\nb", "a\n\nb"),
        ("e\u0301te\u0301", "été"),
        ("  a\u00a0\t b\u200b\u202e ﬁ  ", "  a\u00a0\t b\u200b\u202e ﬁ  "),
        ("a\u2028b\u0085c\x0bd", "a\u2028b\u0085c\x0bd"),
    ],
)
def test_only_line_ends_and_composition_are_touched(raw: str, expected: str) -> None:
    assert canonical(raw) == expected


# The wire's own fields


def test_the_shipped_text_is_its_data_file_letter_for_letter(dispatch: Dispatch) -> None:
    assert dispatch.text.encode() == files("dispatch_qa").joinpath("data/dispatch.fr.txt").read_bytes()


def test_the_shipped_dispatch_has_its_credit_and_nothing_invented(dispatch: Dispatch) -> None:
    assert dispatch == Dispatch(
        id="dispatch.fr",
        text=dispatch.text,
        language="fr",
        credit="Reportage de Yuliia Dysa, édition de William Maclean, Kirsten Donovan",
        marks=(("credit", Span(2470, 2539)),),
    )


def test_the_shipped_dispatch_is_the_same_at_every_call(dispatch: Dispatch) -> None:
    assert shipped_dispatch() == dispatch


@pytest.mark.parametrize(
    ("line", "dateline", "agency"),
    [
        ("KIEV, 12 janvier (Reuters) - Kiev a signé.", "KIEV, 12 janvier", "Reuters"),
        ("\n  PARIS (AFP) – Kiev a signé.", "PARIS", "AFP"),
        ("NEW YORK, Jan. 12 (AP) — Kiev signed.", "NEW YORK, Jan. 12", "AP"),
        ("КИЇВ, 12 січня (Укрінформ) — Київ підписав.", "КИЇВ, 12 січня", "Укрінформ"),
        ("ÉVRY, 3 mai (Reuters)-Kiev a signé.", "ÉVRY, 3 mai", "Reuters"),
    ],
)
def test_dateline_and_agency_are_taken_in_the_wires_form(line: str, dateline: str, agency: str) -> None:
    found = read("x", line.encode())
    assert (found.dateline, found.agency) == (dateline, agency)
    assert found.text == line


@pytest.mark.parametrize(
    "line",
    [
        "Kiev a signé vendredi.",
        "Kiev a signé (selon Reuters) vendredi - enfin.",
        "le 12 janvier (Reuters) - Kiev a signé.",
        "12 janvier (Reuters) - Kiev a signé.",
        "Kiev a signé.\nPARIS (AFP) - Le ministre parle.",
        "PARIS (AFP) Kiev a signé.",
        "PARIS (2024) - Kiev a signé.",
    ],
)
def test_no_dateline_is_invented(line: str) -> None:
    found = read("x", line.encode())
    assert (found.dateline, found.agency) == (None, None)


@pytest.mark.parametrize(
    ("end", "credit"),
    [
        ("(Reporting by A. Smith; editing by B. Jones)", "Reporting by A. Smith; editing by B. Jones"),
        ("(Rédigé par Anne Martin)  \n", "Rédigé par Anne Martin"),
        ("(Репортаж Анны Петровой)", "Репортаж Анны Петровой"),
        ("(soit 155 mm)", None),
        ("(Reportages divers)", None),
        ("(Reporting by A. Smith) et la suite.", None),
    ],
)
def test_a_credit_is_taken_only_from_the_end_and_in_the_wires_words(end: str, credit: str | None) -> None:
    assert read("x", f"Kiev a signé. {end}".encode()).credit == credit


# Files and folders


def test_a_file_is_known_by_its_name_without_suffix(tmp_path: Path) -> None:
    (found,) = read_paths([write(tmp_path / "kiev.v2.txt", "Kiev a signé.\r\n")])
    assert (found.id, found.text) == ("kiev.v2", "Kiev a signé.\n")


def test_the_suffix_may_be_in_capitals(tmp_path: Path) -> None:
    assert ids(read_paths([write(tmp_path / "a.TXT"), write(tmp_path / "b.Text")])) == ["a", "b"]


def test_a_folder_is_read_whole_in_name_order_and_names_files_by_their_place(tmp_path: Path) -> None:
    for name in ["b.txt", "a/z.txt", "a/b/c.text", "notes.xyz", "a/.hidden"]:
        write(tmp_path / name)
    assert ids(read_paths([tmp_path])) == ["a/b/c", "a/z", "b"]


def test_names_that_meet_get_numbers_in_the_order_given(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / name, text) for name, text in [("1/a.txt", "un"), ("2/a.txt", "deux"), ("a.text", "trois")]
    ]
    assert [(found.id, found.text) for found in read_paths(paths)] == [("a", "un"), ("a-2", "deux"), ("a-3", "trois")]


def test_a_number_behind_a_name_does_not_hide_a_file_of_that_name(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, name) for name in ["1/a.txt", "1/a-2.txt", "2/a.txt", "2/a-2.txt"]]
    found = read_paths(paths)
    assert [dispatch.text for dispatch in found] == ["1/a.txt", "1/a-2.txt", "2/a.txt", "2/a-2.txt"]
    assert len(set(ids(found))) == 4
    assert ids(found)[:2] == ["a", "a-2"]


def test_an_id_is_composed_so_that_it_can_be_typed(tmp_path: Path) -> None:
    (found,) = read_paths([write(tmp_path / "e\u0301te\u0301.txt")])
    assert found.id == "été"


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputRejected, match=r"gone\.txt cannot be read: No such file"):
        read_paths([tmp_path / "gone.txt"])


@pytest.mark.parametrize("name", ["a.xyz", "a", "a.txt.gz"])
def test_an_unknown_suffix_is_refused_with_the_known_ones(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputRejected, match=rf"{name} has the suffix .*known formats: \.txt, \.text"):
        read_paths([write(tmp_path / name)])


def test_a_folder_without_files_to_read_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "notes.xyz")
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(InputRejected, match="holds no file to read; known formats"):
        read_paths([tmp_path])


def test_nothing_given_is_refused() -> None:
    with pytest.raises(InputRejected, match="no file to read was given"):
        read_paths([])


@pytest.mark.parametrize(("data", "message"), [(b"", "is empty"), (b"\xff", "is not UTF-8"), (b"a\0", "is not text")])
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(InputRejected, match=rf"bad\.txt {message}"):
        read_paths([write(tmp_path / "good.txt"), write(tmp_path / "bad.txt", data)])


def test_a_file_too_large_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 4)
    assert ids(read_paths([write(tmp_path / "a.txt", "Kiev")])) == ["a"]
    with pytest.raises(InputRejected, match=r"b\.txt has 5 bytes; at most 4 are read"):
        read_paths([write(tmp_path / "b.txt", "Kiev!")])


@pytest.mark.parametrize(
    "text",
    [
        "Le ministre (Défense) - a dit oui.",
        "Le président ukrainien (Volodymyr Zelenskiy) – en visite à Paris – a déclaré.",
    ],
)
def test_a_dateline_is_not_made_of_a_sentence(text: str) -> None:
    dispatch = read("x", text.encode())
    assert (dispatch.dateline, dispatch.agency) == (None, None)


@pytest.mark.skipif(os.name == "nt", reason="Windows file names are always text")
def test_a_file_name_that_is_not_utf8_is_refused_by_name(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt")).write_text("Kiev.", encoding="utf-8")
    with pytest.raises(InputRejected, match="is not UTF-8; rename the file"):
        read_paths([tmp_path])


# One bad file never stops a batch


def test_each_file_comes_with_its_dispatches_or_with_what_is_wrong(tmp_path: Path) -> None:
    for name, data in {"a.txt": b"Kiev.", "b.txt": b"\xff", "c/d.txt": b"Lviv.", ".hidden.txt": b"x"}.items():
        write(tmp_path / name, data)
    found = dict(read_each([tmp_path, tmp_path / "gone.txt", tmp_path / "a.txt"]))
    assert [str(path.relative_to(tmp_path)) for path in found] == ["a.txt", "b.txt", "c/d.txt", "gone.txt"]
    assert [type(result) for result in found.values()] == [list, InputRejected, list, InputRejected]
    assert "b.txt is not UTF-8" in str(found[tmp_path / "b.txt"])
    assert "gone.txt cannot be read" in str(found[tmp_path / "gone.txt"])


def test_ids_are_unique_over_a_batch_and_each_dispatch_names_its_file(tmp_path: Path) -> None:
    a = write(tmp_path / "a.txt")
    found = [dispatch for _, result in read_each([a, a]) if isinstance(result, list) for dispatch in result]
    assert ids(found) == ["a", "a-2"]
    assert {dispatch.source for dispatch in found} == {str(a)}


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_that_leaves_the_folder_is_refused_and_one_inside_is_read(tmp_path: Path) -> None:
    outside = write(tmp_path / "secret.txt", "Secret.")
    write(tmp_path / "in" / "a.txt")
    (tmp_path / "in" / "b.txt").symlink_to(outside)
    (tmp_path / "in" / "c.txt").symlink_to("a.txt")
    (tmp_path / "in" / "d").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "in" / "e.txt").symlink_to("../in/../secret.txt")
    found = {path.name: result for path, result in read_each([tmp_path / "in"])}
    assert list(found) == ["a.txt", "b.txt", "c.txt", "d", "e.txt"]
    assert "is a link that leaves" in str(found["d"])
    assert "b.txt is a link that leaves" in str(found["b.txt"])
    assert "e.txt is a link that leaves" in str(found["e.txt"])
    assert isinstance(found["c.txt"], list)


@pytest.mark.skipif(os.name == "nt", reason="Windows forbids such names")
def test_a_name_with_control_characters_is_shown_escaped(tmp_path: Path) -> None:
    (result,) = [result for _, result in read_each([write(tmp_path / "a\x1b[31m\n.txt", b"\xff")])]
    assert "\\x1b[31m\\n.txt is not UTF-8" in str(result)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a device")
def test_a_device_is_refused_unread() -> None:
    with pytest.raises(InputRejected, match="/dev/zero is no ordinary file"):
        read_paths([Path("/dev/zero")])


def test_an_id_made_of_a_file_name_can_be_shown(tmp_path: Path) -> None:
    (found,) = read_paths([write(tmp_path / "a\u202eb\u00a0c.txt")])
    assert found.id == "a\\u202eb\u00a0c"


# Formats of other packages

PLUGIN = """
from dispatch_qa.errors import InputRejected
from dispatch_qa.readers import Format
from dispatch_qa.readers.compose import Fields, compose

def read(name, data):
    if data.startswith(b"broken"):
        raise KeyError("a part is missing")
    for number, line in enumerate(data.decode().splitlines(), start=1):
        yield compose(f"{name}:{number}", line, Fields(agency="Telex"))

telex = Format("telex", (".tlx",), read, lambda head: head.startswith(b"ZCZC"))
number = 17
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Installs a small package whose reader is the object that is named."""

    def do(target: str) -> None:
        site = tmp_path / f"site-{target.replace(':', '-')}"
        write(site / "telex_reader.py", PLUGIN)
        write(
            site / "telex_reader-1.0.dist-info" / "METADATA",
            "Metadata-Version: 2.1\nName: telex-reader\nVersion: 1.0\n",
        )
        write(site / "telex_reader-1.0.dist-info" / "entry_points.txt", f"[dispatch_qa.readers]\ntelex = {target}\n")
        monkeypatch.syspath_prepend(site)
        monkeypatch.delitem(sys.modules, "telex_reader", raising=False)

    return do


def test_another_package_adds_a_format(tmp_path: Path, install: Callable[[str], None]) -> None:
    file = write(tmp_path / "wire" / "a.tlx", "Kiev a signé.\nLviv aussi.")
    with pytest.raises(InputRejected, match=r"has the suffix '\.tlx'"):
        read_paths([file])
    install("telex_reader:telex")
    found = read_paths([file.parent])
    assert [(one.id, one.text, one.agency) for one in found] == [
        ("a:1", "Kiev a signé.", "Telex"),
        ("a:2", "Lviv aussi.", "Telex"),
    ]
    # By its content, too, and before the formats that are built in.
    assert ids(read_paths([write(tmp_path / "b.txt", "ZCZC Kiev.")])) == ["b:1"]


def test_what_another_packages_reader_raises_is_a_refusal(tmp_path: Path, install: Callable[[str], None]) -> None:
    install("telex_reader:telex")
    with pytest.raises(InputRejected, match=r"a\.tlx cannot be read as telex: 'a part is missing' \(KeyError\)"):
        read_paths([write(tmp_path / "a.tlx", "broken")])


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("telex_reader:gone", "the reader 'telex' of telex-reader cannot be loaded: .*; update the package"),
        ("telex_missing:telex", "cannot be loaded: No module named 'telex_missing'"),
        ("telex_reader:number", "is int, not Format"),
    ],
)
def test_a_package_whose_reader_cannot_be_loaded_is_named(
    tmp_path: Path, install: Callable[[str], None], target: str, message: str
) -> None:
    install(target)
    with pytest.raises(InputRejected, match=message):
        read_paths([write(tmp_path / "a.txt")])
