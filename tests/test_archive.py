from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from fakes import FakeEmbedder

from dispatch_qa import Dispatch, DispatchQA, Filter, InputRejected, Settings, StoreMissing, archive
from dispatch_qa.archive import Archive, Report
from dispatch_qa.errors import ModelError
from dispatch_qa.records import Hit
from dispatch_qa.store import Store
from dispatch_qa.store.files import writing

PORT = "ODESSA, 3 mai (AFP) - Le port a rouvert mardi.\n\nIl était fermé depuis mars.\n"
BRIDGE = "KIEV, 4 mai (AFP) - Le pont Paton ferme lundi pour travaux.\n\nLa mairie promet une réouverture en juin.\n"


class Counting(FakeEmbedder):
    """Counts the texts that it embeds."""

    def __init__(self) -> None:
        super().__init__()
        self.embedded: list[str] = []

    def passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.embedded += texts
        return super().passages(texts)


@pytest.fixture
def embedder() -> Counting:
    return Counting()


@pytest.fixture
def wire(tmp_path: Path) -> Path:
    folder = tmp_path / "wire"
    (folder / "ports").mkdir(parents=True)
    (folder / "ports" / "odessa.txt").write_text(PORT, encoding="utf-8")
    (folder / "bridge.txt").write_text(BRIDGE, encoding="utf-8")
    return folder


@pytest.fixture
def kept(settings: Settings, embedder: Counting) -> Archive:
    return Archive(settings, embedder)


def ids(archive: Archive) -> list[str]:
    return [str(one["id"]) for one in archive.listed()]


def ask(archive: Archive, question: str) -> list[Hit]:
    opened = DispatchQA(archive.settings, FakeEmbedder())
    try:
        return opened.search(question, k=1)
    finally:
        opened.close()


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_adds_files_and_folders_and_answers_from_them(kept: Archive, wire: Path) -> None:
    assert kept.add([wire]).added == ["bridge", "ports/odessa"]
    assert ids(kept) == ["bridge", "ports/odessa"]
    assert ask(kept, "port rouvert")[0].passage.dispatch_id == "ports/odessa"


def test_adding_again_does_nothing_and_embeds_nothing(kept: Archive, wire: Path, embedder: Counting) -> None:
    kept.add([wire])
    before, embedder.embedded = bytes_of(kept.settings.index), []
    again = kept.add([wire])
    assert (again.unchanged, again.added, again.replaced) == (2, [], [])
    assert embedder.embedded == []
    with_header = bytes_of(kept.settings.index)
    assert len(with_header) == len(before)


def test_a_changed_file_replaces_its_dispatch_and_embeds_only_what_changed(
    kept: Archive, wire: Path, embedder: Counting
) -> None:
    kept.add([wire])
    embedder.embedded = []
    (wire / "bridge.txt").write_text(BRIDGE.replace("en juin", "en juillet"), encoding="utf-8")
    report = kept.add([wire])
    assert (report.replaced, report.added, report.unchanged) == (["bridge"], [], 1)
    assert embedder.embedded == ["La mairie promet une réouverture en juillet."]
    opened = DispatchQA(kept.settings, FakeEmbedder())
    assert "juillet" in opened.show("bridge").text
    assert [hit.passage.dispatch_id for hit in opened.search("réouverture en juin", k=10)].count("bridge") == 2


def test_one_bad_file_is_named_and_the_others_are_stored(kept: Archive, wire: Path) -> None:
    (wire / "bad.txt").write_bytes(b"\xff\xfe\x00")
    report = kept.add([wire, wire / "none.txt"])
    assert report.added == ["bridge", "ports/odessa"]
    assert list(report.failed) == [str(wire / "bad.txt"), str(wire / "none.txt")]
    assert "bad.txt is not" in report.failed[str(wire / "bad.txt")]
    assert ids(kept) == ["bridge", "ports/odessa"]


def test_a_file_that_became_bad_keeps_what_it_gave(kept: Archive, wire: Path) -> None:
    kept.add([wire])
    (wire / "bridge.txt").write_bytes(b"\x00")
    assert "bridge.txt" in str(kept.sync(wire).failed)
    assert ids(kept) == ["bridge", "ports/odessa"]


def test_the_same_copy_from_another_file_is_not_stored_twice(kept: Archive, wire: Path, tmp_path: Path) -> None:
    kept.add([wire])
    (tmp_path / "again.txt").write_text(PORT, encoding="utf-8")
    assert list(kept.add([tmp_path / "again.txt"]).repeated.values()) == ["ports/odessa"]
    assert ids(kept) == ["bridge", "ports/odessa"]


def test_files_of_one_name_keep_ids_of_their_own(kept: Archive, wire: Path, tmp_path: Path) -> None:
    kept.add([wire / "bridge.txt"])
    (tmp_path / "bridge.txt").write_text(PORT, encoding="utf-8")
    assert kept.add([tmp_path / "bridge.txt"]).added == ["bridge-2"]
    (tmp_path / "bridge.txt").write_text(PORT.replace("mardi", "jeudi"), encoding="utf-8")
    assert kept.add([tmp_path / "bridge.txt", wire / "bridge.txt"]).replaced == ["bridge-2"]
    assert ids(kept) == ["bridge", "bridge-2"]


def test_sync_removes_what_is_gone_from_the_folder_and_nothing_else(kept: Archive, wire: Path, tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("Rien à voir avec ce dossier.", encoding="utf-8")
    kept.add([tmp_path / "other.txt", wire])
    (wire / "bridge.txt").unlink()
    report = kept.sync(wire)
    assert (report.removed, report.unchanged) == (["bridge"], 1)
    assert ids(kept) == ["other", "ports/odessa"]


def test_a_file_that_goes_does_not_take_the_dispatch_of_another_with_it(kept: Archive, wire: Path) -> None:
    for name, text in (("first", "Le port ferme."), ("second", "Le port ferme lundi.")):
        (wire / f"{name}.jsonl").write_text(json.dumps({"id": "urn:port", "text": text}), encoding="utf-8")
    assert kept.sync(wire).replaced == ["urn:port"]
    (wire / "second.jsonl").unlink()
    report = kept.sync(wire)
    assert (report.removed, report.added) == (["urn:port"], ["urn:port"])
    assert ask(kept, "Le port ferme")[0].passage.dispatch_id == "urn:port"


def test_a_folder_that_is_suddenly_empty_removes_nothing_unasked(kept: Archive, wire: Path) -> None:
    kept.add([wire])
    for file in wire.rglob("*.txt"):
        file.unlink()
    with pytest.raises(InputRejected, match="--empty"):
        kept.sync(wire)
    assert kept.sync(wire, empty=True).removed == ["bridge", "ports/odessa"]
    assert ids(kept) == []


def test_what_is_removed_is_gone_from_every_file(kept: Archive, wire: Path) -> None:
    (wire / "secret.txt").write_text("Le témoin Zbigniewski habite rue Quatremère.\n\nFin.", encoding="utf-8")
    kept.add([wire])
    assert b"Quatrem" in bytes_of(kept.settings.index)
    assert b"zbigni" in bytes_of(kept.settings.index)
    opened = Store(kept.settings.index)
    vectors = [stored.vector.tobytes() for stored in opened.passages(opened.truth.passage_ids())]
    opened.close()
    assert kept.remove(["secret"]).removed == ["secret"]
    left = bytes_of(kept.settings.index)
    for trace in (b"Quatrem", b"Zbigniewski", b"zbigni", b"quatre", b"secret"):
        assert trace not in left
    assert sum(vector in left for vector in vectors) == len(vectors) - 2


def test_what_is_removed_is_gone_though_a_reader_has_the_store_open(kept: Archive, wire: Path) -> None:
    (wire / "secret.txt").write_text("Le témoin Zbigniewski habite rue Quatremère.", encoding="utf-8")
    kept.add([wire])
    reader = DispatchQA(kept.settings, FakeEmbedder())
    assert reader.search("témoin", k=1)[0].passage.dispatch_id == "secret"
    kept.remove(["secret"])
    assert b"Quatrem" not in bytes_of(kept.settings.index)
    assert reader.search("témoin", k=1)[0].passage.dispatch_id != "secret"
    reader.close()


def test_removing_what_is_not_there_removes_nothing(kept: Archive, wire: Path) -> None:
    kept.add([wire])
    with pytest.raises(InputRejected, match="no dispatch 'none'"):
        kept.remove(["bridge", "none"])
    assert ids(kept) == ["bridge", "ports/odessa"]


def test_removing_from_no_store_makes_none(kept: Archive) -> None:
    with pytest.raises(StoreMissing):
        kept.remove(["x"])
    assert not kept.settings.index.exists()


def test_an_interruption_keeps_what_was_committed_and_goes_on(
    kept: Archive, wire: Path, monkeypatch: pytest.MonkeyPatch, embedder: Counting
) -> None:
    monkeypatch.setattr(archive, "COMMIT_EVERY", 1)

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept.add([wire], step=interrupt)
    assert ids(kept) == ["bridge"]
    embedder.embedded = []
    report = kept.add([wire])
    assert (report.added, report.unchanged) == (["ports/odessa"], 1)
    assert not any("Paton" in text for text in embedder.embedded)


def test_an_open_page_sees_what_is_added(kept: Archive, wire: Path) -> None:
    kept.add([wire / "bridge.txt"])
    page = DispatchQA(kept.settings, FakeEmbedder())
    assert page.search("port rouvert", k=1)[0].passage.dispatch_id == "bridge"
    kept.add([wire])
    assert page.search("port rouvert", k=1)[0].passage.dispatch_id == "ports/odessa"
    kept.remove(["ports/odessa"])
    assert page.search("port rouvert", k=1)[0].passage.dispatch_id == "bridge"
    page.close()


def test_an_error_in_the_midst_of_a_file_leaves_nothing_of_it(settings: Settings, wire: Path) -> None:
    class Failing(FakeEmbedder):
        def passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
            if "trois" in texts:
                raise ModelError("no more memory")
            return super().passages(texts)

    lines = [json.dumps({"id": word, "text": word}) for word in ("un", "deux", "trois")]
    (wire / "many.jsonl").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ModelError):
        Archive(settings, Failing()).add([wire / "many.jsonl"])
    assert ids(Archive(settings)) == []
    assert Archive(settings, FakeEmbedder()).add([wire / "many.jsonl"]).added == ["un", "deux", "trois"]


def test_a_list_is_filtered(kept: Archive, wire: Path) -> None:
    kept.add([wire])
    assert [one["id"] for one in kept.listed(Filter(folder="ports"))] == ["ports/odessa"]
    assert kept.listed(Filter(agency="afp"))[0]["agency"] == "AFP"


def test_watching_follows_a_folder(kept: Archive, wire: Path) -> None:
    stop, seen = threading.Event(), []
    first, second, third = threading.Event(), threading.Event(), threading.Event()

    def told(report: Report) -> None:
        seen.append(report)
        if report.added:
            (first if not first.is_set() else second).set()
        if report.removed:
            third.set()

    thread = threading.Thread(target=kept.watch, args=(wire, told, stop))
    thread.start()
    try:
        assert first.wait(30)
        (wire / "new.txt").write_text("Un texte neuf vient d'arriver.", encoding="utf-8")
        assert second.wait(30)
        (wire / "new.txt").unlink()
        assert third.wait(30)
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive()
    assert ids(kept) == ["bridge", "ports/odessa"]


def test_watching_waits_while_another_process_writes(
    kept: Archive, wire: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    watching = Archive(kept.settings, FakeEmbedder(), said.append)
    kept.add([wire / "bridge.txt"])
    with ExitStack() as other:
        other.enter_context(writing(kept.settings.index))
        monkeypatch.setattr("dispatch_qa.archive.time.sleep", lambda _: other.close())
        assert watching._synced_when_free(wire).added == ["ports/odessa"]
    assert "is being written by process" in said[0]


# Takes of a story


def take(name: str, text: str, **fields: str) -> Dispatch:
    return Dispatch(name, text, "fr", agency="AFP", **fields)  # type: ignore[arg-type]


def test_a_marked_take_follows_the_earlier_of_its_slug_whichever_is_read_first(kept: Archive) -> None:
    from dispatch_qa.versions import story_of

    root = take("root", "Le port a rouvert.", slug="ODESSA", filed_at="2025-05-03T08:00:00Z")
    update = take("update", "Le port a rouvert.", slug="ODESSA", version="1", filed_at="2025-05-03T09:00:00Z")
    rows = [("root", "root", root.filed_at)]
    assert story_of(update, lambda *_: rows).version_of == "root"
    assert story_of(root, lambda *_: rows) == root
    far = [("root", "root", "2024-05-03T08:00:00Z")]
    assert story_of(update, lambda *_: far) == update
