from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from dispatch_qa.embed import Embedder, load_embedder, onnx_lane
from dispatch_qa.errors import InputRejected, ModelError
from dispatch_qa.models import FINGERPRINT, prepare_default_model
from dispatch_qa.settings import DEFAULT_MODEL, default_cache

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


@pytest.fixture(scope="module", params=["auto", "torch"])
def e5(request: pytest.FixtureRequest) -> Embedder:
    """The default model in each of its lanes, loaded once."""
    return load_embedder(DEFAULT_MODEL, default_cache(), batch_size=32, lane=request.param)


# The golden values are the torch lane's; int8 rounds.
TOLERANCE = {"torch": 1e-3, "onnx-int8/3": 1e-2}

MEMORANDUM = "Kiev a signé un mémorandum avec les États-Unis."


# The default model


@pytest.mark.model
def test_the_default_model_says_what_it_is(e5: Embedder) -> None:
    assert (e5.name, e5.fingerprint, e5.dim) == ("multilingual-e5-small", FINGERPRINT, 384)
    # 512 positions, less two special tokens, the three of the prompt and one to spare.
    assert e5.max_tokens == 506


@pytest.mark.model
def test_the_vectors_of_known_texts_begin_as_they_did(e5: Embedder) -> None:
    question = e5.queries(["Who signed a memorandum with the United States?"])[0, :8]
    assert question == pytest.approx(
        [0.08710, -0.04974, -0.05245, 0.00626, 0.03819, -0.02061, 0.06945, 0.03039], abs=TOLERANCE[e5.lane]
    )
    passage = e5.passages([MEMORANDUM])[0, :8]
    assert passage == pytest.approx(
        [0.04297, -0.00546, -0.05249, -0.05713, 0.04743, -0.03311, 0.06203, 0.03584], abs=TOLERANCE[e5.lane]
    )


@pytest.mark.model
@pytest.mark.parametrize("n", [0, 1, 2, 33])
def test_any_number_of_texts_gives_as_many_unit_rows(e5: Embedder, n: int) -> None:
    texts = [f"Contrat {number}" for number in range(n)]
    for found in (e5.queries(texts), e5.passages(texts)):
        assert found.shape == (n, 384)
        assert found.dtype == np.float32
        assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(n), abs=1e-5)


@pytest.mark.model
def test_a_question_and_a_passage_of_the_same_words_differ_by_their_prompts(e5: Embedder) -> None:
    cosine = float(e5.queries([MEMORANDUM])[0] @ e5.passages([MEMORANDUM])[0])
    assert 0.8 < cosine < 0.99


@pytest.mark.model
def test_a_translation_is_nearer_than_another_matter(e5: Embedder) -> None:
    question = e5.queries(["Who signed a memorandum with the United States?"])[0]
    same, other = e5.passages([MEMORANDUM, "Le chat dort sur le canapé."]) @ question
    assert same > other + 0.05


@pytest.mark.model
def test_tokens_are_counted_without_prompt_and_special_tokens(e5: Embedder) -> None:
    assert e5.count_tokens("") == 0
    assert e5.count_tokens("Kiev") == 1
    assert e5.count_tokens(" ".join(["Kiev"] * 600)) == 600


@pytest.mark.model
def test_the_longest_passage_is_embedded_to_its_last_word_and_one_token_more_is_refused(e5: Embedder) -> None:
    body = "oui " * (e5.max_tokens - 1)
    ends = [body + "non", body + "Kiev"]
    assert [e5.count_tokens(text) for text in ends] == [e5.max_tokens] * 2
    no, kiev = e5.passages(ends)
    assert np.abs(no - kiev).max() > 1e-3
    with pytest.raises(InputRejected, match=f"passage of {e5.max_tokens + 1} tokens does not fit {e5.name}"):
        e5.passages(["court", ends[0] + " non"])


@pytest.mark.model
def test_the_longest_question_in_chinese_is_embedded_to_its_last_character(e5: Embedder) -> None:
    body = "乌克兰国防部长星期五签署协议" * 143
    question = body[:1_996]
    assert e5.count_tokens(question) > e5.max_tokens
    memorandum, cat = e5.queries([question + "备忘录吗", question + "小猫睡觉"])
    assert np.abs(memorandum - cat).max() > 1e-3
    assert np.linalg.norm(memorandum) == pytest.approx(1, abs=1e-5)


@pytest.mark.model
def test_a_long_question_beside_short_ones_keeps_its_row(e5: Embedder) -> None:
    texts = ["Qui ?", "乌克兰国防部长星期五签署协议" * 60, "Quand ?"]
    together = e5.queries(texts)
    apart = np.concatenate([e5.queries([text]) for text in texts])
    assert np.abs(together - apart).max() < 1e-5


@pytest.mark.model
def test_the_company_of_a_text_does_not_change_its_vector(e5: Embedder) -> None:
    alone = e5.passages([MEMORANDUM])[0]
    company = [MEMORANDUM, *(f"{n} " + "mot " * (n * 5) for n in range(20)), MEMORANDUM]
    together = e5.passages(company)
    assert np.abs(together[0] - alone).max() < 1e-5
    assert np.abs(together[-1] - alone).max() < 1e-5


@pytest.mark.model
def test_the_default_model_fits_the_shipped_index(e5: Embedder) -> None:
    again = load_embedder(DEFAULT_MODEL, default_cache(), batch_size=1, lane="torch" if e5.lane == "torch" else "auto")
    assert np.abs(again.queries([MEMORANDUM]) - e5.queries([MEMORANDUM])).max() < 1e-5


@pytest.mark.model
def test_the_lanes_agree() -> None:
    fast, slow = (load_embedder(DEFAULT_MODEL, default_cache(), 32, lane=lane) for lane in ("auto", "torch"))
    assert (fast.lane, slow.lane) == ("onnx-int8/3", "torch")
    assert (fast.fingerprint, fast.dim, fast.max_tokens) == (slow.fingerprint, slow.dim, slow.max_tokens)
    texts = [MEMORANDUM, "Хто підписав меморандум?", "谁签署了备忘录？", "من وقع المذكرة؟", "mot " * 400]
    for a, b in ((fast.queries(texts), slow.queries(texts)), (fast.passages(texts), slow.passages(texts))):
        assert (a * b).sum(axis=1).min() > 0.995


# Other models

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "kiev", "signe", "oui", "non", "question", "texte", ":", "chat"]
ROOM = 16
PROMPTS = {"query": "question : ", "document": "texte : "}


def tiny_bert(folder: Path, prompts: dict[str, str], *, change: Callable[[SentenceTransformer], None]) -> Path:
    """A random BERT of 8 dimensions that knows `WORDS` and reads `ROOM` tokens; its rows are not of unit length."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import WordLevel
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    tokenizer = Tokenizer(WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=ROOM,
    )
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=ROOM,
        initializer_range=0.5,
    )
    bert = folder / "bert"
    BertModel(config).save_pretrained(bert)
    fast.save_pretrained(bert)
    words = Transformer(str(bert), max_seq_length=ROOM)
    model = SentenceTransformer(modules=[words, Pooling(8)], prompts=prompts, device="cpu")
    change(model)
    model.save(str(folder / "model"))
    return folder / "model"


def unchanged(model: SentenceTransformer) -> None:
    """Leave the model as it is."""


def one_weight_changed(model: SentenceTransformer) -> None:
    weight = next(tensor for name, tensor in model.named_parameters() if name.endswith("self.query.weight"))
    weight.data[0, 0] += 1e-3


def normalised(model: SentenceTransformer) -> None:
    from sentence_transformers.sentence_transformer.modules import Normalize

    model.append(Normalize())


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("tiny"), PROMPTS, change=unchanged)


def load(folder: Path) -> Embedder:
    return load_embedder(str(folder), Path("unused"), batch_size=4)


def test_a_folder_holds_a_model_like_any_other(tiny: Path) -> None:
    embedder = load(tiny)
    assert (embedder.name, embedder.dim) == (str(tiny), 8)
    # 16 positions, less two special tokens, the two of the prompt "texte : " and one to spare.
    assert embedder.max_tokens == 11
    found = embedder.passages(["Kiev signe", "oui " * 11, "chat"])
    assert found.shape == (3, 8)
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    with pytest.raises(InputRejected, match=r"of 12 tokens does not fit .*which reads 11"):
        embedder.passages(["oui " * 12])


def test_the_prompts_of_a_folder_are_its_own(tiny: Path, tmp_path: Path) -> None:
    prompted, bare = load(tiny), load(tiny_bert(tmp_path, {}, change=unchanged))
    assert np.abs(prompted.passages(["texte : kiev"]) - bare.passages(["texte : texte : kiev"])).max() < 1e-6
    assert np.abs(prompted.queries(["kiev"]) - bare.passages(["question : kiev"])).max() < 1e-6
    assert np.abs(prompted.queries(["kiev"]) - prompted.passages(["kiev"])).max() > 1e-3
    assert bare.max_tokens == 13


def test_a_long_question_is_the_mean_of_its_parts(tmp_path: Path) -> None:
    embedder = load(tiny_bert(tmp_path, PROMPTS, change=normalised))
    # 22 tokens in 87 characters, where 11 fit: two parts, each of 11 words.
    words = "oui " * 5 + "non " * 6 + "oui " * 10 + "non"
    half = -(-len(words) // 2)
    parts = embedder.queries([words[:half], words[half:]])
    mean = parts.mean(axis=0)
    assert embedder.queries([words])[0] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)


def test_a_fingerprint_lasts_and_tells_models_apart(tiny: Path, tmp_path: Path) -> None:
    first = load(tiny).fingerprint
    assert first.startswith("sentence-transformers/")
    assert load(tiny).fingerprint == first
    copies = {
        load(tiny_bert(tmp_path / "same", PROMPTS, change=unchanged)).fingerprint,
        load(tiny_bert(tmp_path / "weight", PROMPTS, change=one_weight_changed)).fingerprint,
        load(tiny_bert(tmp_path / "prompt", PROMPTS | {"query": "chat : "}, change=unchanged)).fingerprint,
    }
    assert first in copies
    assert len(copies) == 3


def test_a_fingerprint_tells_length_limits_apart(tiny: Path, tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path, PROMPTS, change=unchanged)
    config = folder / "sentence_bert_config.json"
    settings = json.loads(config.read_text())
    config.write_text(json.dumps(settings | {"max_seq_length": ROOM - 1}))
    shorter = load(folder)
    assert shorter.max_tokens == 10
    assert shorter.fingerprint != load(tiny).fingerprint


def test_an_unknown_name_is_an_error_that_says_what_was_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    # The library reads HF_HUB_OFFLINE when it is imported, which another test may have done already.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match=r"'nobody/no-such-model' could not be loaded.*multilingual-e5-small, which"):
        load_embedder("nobody/no-such-model", Path("unused"), batch_size=4)


def test_a_folder_without_a_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"could not be loaded.*expected a folder with a sentence-transformers model"):
        load(tmp_path)


@pytest.mark.model
def test_a_fast_lane_that_does_not_agree_stays_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = prepare_default_model(default_cache())
    folder = tmp_path / "model"
    folder.mkdir()
    for path in prepared.iterdir():
        if path.name not in ("prepare.lock", onnx_lane.LANE.replace("/", "-")):
            (folder / path.name).symlink_to(path)
    monkeypatch.setattr(onnx_lane, "_agreement", lambda *_: 0.98)
    said: list[str] = []
    assert [onnx_lane.prepare_lane(folder, said.append) for _ in range(2)] == [False, False]
    assert said[0].startswith("Preparing the model's fast lane")
    assert said[1] == said[2] == "The fast lane is off: on this machine it agrees to 0.9800 only, 0.995 is wanted"


@pytest.mark.model
def test_the_library_that_runs_the_model_tells_nobody(tmp_path: Path) -> None:
    # Nothing of this environment: in one of continuous integration the library is silent by itself.
    alone = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "DISPATCH_QA_CACHE": str(default_cache())}
    command = [sys.executable, "-m", "dispatch_qa", "ask", "Which British firms attended?"]
    subprocess.run(command, cwd=tmp_path, env=alone, capture_output=True, check=True)
    # What it would send lies in the user's cache first.
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
