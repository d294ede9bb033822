"""The torch lane: any sentence-transformers model, by the library itself."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dispatch_qa.embed.protocol import checked_lengths, mean_of_parts, unit_rows
from dispatch_qa.errors import ModelError
from dispatch_qa.models import FINGERPRINT
from dispatch_qa.settings import DEFAULT_MODEL

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from sentence_transformers import SentenceTransformer

LANE = "torch"


class SentenceTransformerEmbedder:
    """Any sentence-transformers model, with the prompts of its own configuration.

    Args:
        name: as the user names it.
        folder: what sentence-transformers loads: a folder or a hub name (`HF_HUB_OFFLINE` is honoured).
        batch_size: texts encoded at a time.
    """

    def __init__(self, name: str, folder: str, batch_size: int = 32) -> None:
        self.name = name
        self.lane = LANE
        self._batch_size = batch_size
        self._model = _load(name, folder)
        self.fingerprint = FINGERPRINT if name == DEFAULT_MODEL else _fingerprint(self._model)
        self.dim = int(self._model.get_embedding_dimension() or 0)
        prompt = next((p for n in ("document", "passage", "corpus") if (p := self._model.prompts.get(n))), "")
        specials = self._model.tokenizer.num_special_tokens_to_add()
        # A model that declares no limit is held to what BERT-like encoders were trained on.
        room = self._model.max_seq_length or 512
        # One token more than the prompt's own: it may merge otherwise with the text that follows it.
        self.max_tokens = room - specials - self.count_tokens(prompt) - 1

    def count_tokens(self, text: str) -> int:
        return len(self._model.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    def queries(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        def embed(parts: list[str]) -> npt.NDArray[np.float32]:
            rows = self._model.encode_query(parts, batch_size=self._batch_size, show_progress_bar=False)
            return unit_rows(rows, self.dim)

        return mean_of_parts(texts, self, embed)

    def passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        checked_lengths(texts, self)
        rows = self._model.encode_document(list(texts), batch_size=self._batch_size, show_progress_bar=False)
        return unit_rows(rows, self.dim)

    def column_peaks(self, texts: Sequence[str], names: Iterable[str]) -> dict[str, npt.NDArray[np.float32]]:
        """The largest magnitude in each column of what enters the encoder's linear maps of these names.

        Args:
            texts: passages to read, each as a passage and as a question.
            names: as the weights are named, without `.weight`.

        Returns:
            float32 (inputs,) for each name.
        """
        import numpy as np
        import torch

        peaks: dict[str, npt.NDArray[np.float32]] = {}

        def watch(name: str) -> Callable[..., None]:
            def see(_: object, inputs: tuple[torch.Tensor, ...]) -> None:
                seen = inputs[0].detach().abs().flatten(0, -2).amax(0).float().numpy()
                peaks[name] = np.maximum(peaks[name], seen) if name in peaks else seen

            return see

        maps = {name: self._model.get_submodule(f"0.model.{name}") for name in names}
        hooks = [linear.register_forward_pre_hook(watch(name)) for name, linear in maps.items()]
        try:
            for text in texts:  # one at a time: padding would be watched too
                self.passages([text])
                self.queries([text])
        finally:
            for hook in hooks:
                hook.remove()
        return peaks


def _load(name: str, folder: str) -> SentenceTransformer:
    # The advisory about forked tokenizers and the bars of the loaders are noise on a terminal.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    import transformers
    from sentence_transformers import SentenceTransformer

    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    local = Path(folder).exists()
    try:
        return SentenceTransformer(folder, local_files_only=local)
    except (OSError, ValueError, KeyError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(
            f"the model {name!r} could not be loaded ({first}); expected a folder with a sentence-transformers "
            f"model, a hub name that can be fetched or is cached, or {DEFAULT_MODEL}, which needs no network"
        ) from error


# Where a model came from and what wrote it down: no vector depends on these.
_NOT_THE_MODEL = {"_name_or_path", "transformers_version", "dtype", "architectures"}


def _fingerprint(model: SentenceTransformer) -> str:
    """SHA-256 over everything that shapes the vectors: weights, tokenizer, modules, prompts, length limit."""
    import torch

    digest = hashlib.sha256()
    for key, tensor in sorted(model.state_dict().items()):
        digest.update(f"{key}{tuple(tensor.shape)}{tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    digest.update(model.tokenizer.backend_tokenizer.to_str().encode())
    for name, module in model.named_children():
        config = getattr(module, "config", None)  # the transformer's own; the other modules give a dict
        settings = config.to_dict() if config is not None else module.get_config_dict()  # type: ignore[operator]
        told = {key: value for key, value in settings.items() if key not in _NOT_THE_MODEL}
        digest.update(json.dumps([name, type(module).__name__, told], sort_keys=True, default=str).encode())
    digest.update(json.dumps([model.prompts, model.max_seq_length], sort_keys=True).encode())
    return "sentence-transformers/" + digest.hexdigest()[:32]
