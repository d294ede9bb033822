"""Files that readers send: kept under their names, taken in, or refused with nothing kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeEmbedder

from dispatch_qa import DispatchQA, Settings
from dispatch_qa.archive import Archive
from dispatch_qa.errors import InputRejected
from dispatch_qa.web.adding import Inbox


@pytest.fixture
def inbox(fake_store: Settings, tmp_path: Path) -> Inbox:
    return Inbox(lambda: Archive(fake_store, FakeEmbedder()), tmp_path / "added")


def text_of(settings: Settings, dispatch_id: str) -> str:
    store = DispatchQA(settings, FakeEmbedder())
    try:
        return store.show(dispatch_id).text
    finally:
        store.close()


def test_a_file_is_added_then_unchanged_then_replaced(inbox: Inbox, fake_store: Settings) -> None:
    first = inbox.add("port.txt", b"The port reopened on Tuesday.\n")
    assert (first.outcome, len(first.ids)) == ("added", 1)
    assert inbox.add("port.txt", b"The port reopened on Tuesday.\n").outcome == "unchanged"
    assert inbox.add("port.txt", b"The port reopened on Wednesday.\n").outcome == "replaced"
    assert "Wednesday" in text_of(fake_store, first.ids[0])


def test_the_same_words_under_another_name_are_told_as_such(inbox: Inbox) -> None:
    first = inbox.add("port.txt", b"The port reopened on Tuesday.\n")
    again = inbox.add("harbour.txt", b"The port reopened on Tuesday.\n")
    assert (again.outcome, again.ids) == ("repeated", first.ids)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".hidden.txt", "../up.txt", "a/b.txt", "a\\b.txt", "c:x.txt", "nul\0.txt", "x" * 200 + ".txt"],
)
def test_a_name_that_leads_elsewhere_is_refused(inbox: Inbox, tmp_path: Path, name: str) -> None:
    with pytest.raises(InputRejected, match="rename it"):
        inbox.add(name, b"The port reopened on Tuesday.\n")
    assert not (tmp_path / "added").exists()


def test_what_cannot_be_read_is_not_kept_and_what_stood_there_stays(
    inbox: Inbox, fake_store: Settings, tmp_path: Path
) -> None:
    with pytest.raises(InputRejected) as refused:
        inbox.add("broken.pdf", b"%PDF-1.7 nothing more")
    assert str(tmp_path) not in str(refused.value)
    (kept,) = inbox.add("port.txt", b"The port reopened on Tuesday.\n").ids
    with pytest.raises(InputRejected):
        inbox.add("port.txt", b"\xff\xfe\x00\x00\x01")
    assert "Tuesday" in text_of(fake_store, kept)
    assert {file.name for file in (tmp_path / "added").iterdir()} == {"port.txt"}
