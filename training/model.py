"""The reader as a torch module: the default encoder's layers and two heads over its last states."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dispatch_qa.embed.onnx_lane import tokenizer
from dispatch_qa.models import prepare_default_model
from dispatch_qa.reader import Reading
from dispatch_qa.reader.onnx_reader import BEGIN, END, QUESTION_ROOM, ROOM
from dispatch_qa.reader.spans import best_spans
from dispatch_qa.reader.weights import laid_over, shipped
from dispatch_qa.settings import default_cache

SPAN_HEAD, HERE_HEAD = "span", "here"


def _attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scaling: float, **_: Any
) -> tuple[Tensor, None]:
    """Attention in the inputs' own type: on a processor a third faster in all than torch's own, backwards above all."""
    with torch.autocast("cpu", enabled=False):
        scores = (query * scaling) @ key.transpose(2, 3)
        if mask is not None:
            # (batch, 1, length, length), true or 0 where a token may be looked at. What may not be has no weight and so
            # no gradient either: nothing needs to be kept of where it was.
            with torch.no_grad():
                scores = scores.masked_fill_(~mask, -1e4) if mask.dtype == torch.bool else scores.add_(mask)
        mixed = torch.softmax(scores, -1) @ value
    return mixed.transpose(1, 2).contiguous(), None


class ReaderNet(nn.Module):
    """Question and passage as one sequence to span logits for each token and a logit that the passage answers.

    Args:
        folder: the prepared default model.
        frozen: how many of the lowest layers stay as they are, beside the embeddings: what the layers know of
            many languages is kept, and the backward pass ends there.
    """

    def __init__(self, folder: Path, frozen: int) -> None:
        super().__init__()
        from transformers import AttentionInterface, AutoModel

        AttentionInterface.register(_attention.__name__, _attention)
        # Nothing is dropped: an example is seen once or twice, and random numbers take a tenth of a processor's time.
        self.encoder = AutoModel.from_pretrained(
            str(folder),
            add_pooling_layer=False,
            attn_implementation=_attention.__name__,
            attention_probs_dropout_prob=0.0,
            hidden_dropout_prob=0.0,
        )
        hidden = self.encoder.config.hidden_size
        self.span = nn.Linear(hidden, 2)
        self.here = nn.Linear(hidden, 1)
        for part in (self.encoder.embeddings, *self.encoder.encoder.layer[:frozen]):
            part.requires_grad_(False)

    def forward(self, ids: Tensor, kinds: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Span logits (batch, length, 2) over the passage's tokens, -inf elsewhere, and here logits (batch,).

        Args:
            ids: (batch, length) token ids.
            kinds: 0 for the question's tokens, 1 for the passage's, its closing token among them.
            mask: 1 for tokens, 0 for padding.
        """
        seen = (mask == 1)[:, None, None, :]
        states = self.encoder(input_ids=ids, token_type_ids=kinds, attention_mask=seen).last_hidden_state.float()
        spans = self.span(states).masked_fill(((kinds == 0) | (mask == 0))[..., None], -1e4)
        return spans, self.here(states[:, 0]).squeeze(-1)

    def trained(self) -> dict[str, Tensor]:
        """The trained tensors by name, the encoder's under the names of its own file."""
        return {name.removeprefix("encoder."): value for name, value in self.named_parameters() if value.requires_grad}


def parameter_groups(model: ReaderNet, rate: float) -> list[dict[str, Any]]:
    """The optimizer's groups: the new heads learn faster, vectors do not decay."""
    named = [(name, value) for name, value in model.named_parameters() if value.requires_grad]
    heads = [value for name, value in named if not name.startswith("encoder.")]
    matrices = [value for name, value in named if name.startswith("encoder.") and value.ndim == 2]
    vectors = [value for name, value in named if name.startswith("encoder.") and value.ndim < 2]
    return [
        {"params": heads, "lr": 5 * rate, "peak": 5 * rate, "weight_decay": 0.0},
        {"params": matrices, "lr": rate, "peak": rate, "weight_decay": 0.01},
        {"params": vectors, "lr": rate, "peak": rate, "weight_decay": 0.0},
    ]


class TorchReader:
    """The reader in float32, for scoring and for golden readings; as `dispatch_qa.reader.Reader`.

    Args:
        tensors: the encoder's and the heads', as `dispatch_qa.reader.weights.laid_over` gives them.
    """

    def __init__(self, folder: Path, tensors: dict[str, Any]) -> None:
        self.name = "torch"
        self._net = ReaderNet(folder, 0).eval()
        state = {
            name if name.startswith((SPAN_HEAD, HERE_HEAD)) else "encoder." + name: torch.from_numpy(array.copy())
            for name, array in tensors.items()
        }
        missing, _ = self._net.load_state_dict(state, strict=False)
        if missing:
            raise ValueError(f"the reader's weights lack {missing}")
        self._tokenizer = tokenizer(folder)

    @contextmanager
    def watched(self, names: Iterable[str]) -> Iterator[dict[str, Any]]:
        """While it reads, the largest magnitude in each column of what enters the encoder's maps of these names."""
        peaks: dict[str, Any] = {}

        def watch(name: str) -> Callable[..., None]:
            def see(_: object, inputs: tuple[Tensor, ...]) -> None:
                seen = inputs[0].abs().flatten(0, -2).amax(0).numpy()
                peaks[name] = np.maximum(peaks[name], seen) if name in peaks else seen

            return see

        maps = {name: self._net.encoder.get_submodule(name) for name in names}
        hooks = [linear.register_forward_pre_hook(watch(name)) for name, linear in maps.items()]
        try:
            yield peaks
        finally:
            for hook in hooks:
                hook.remove()

    def read(self, question: str, passages: Sequence[str]) -> list[Reading]:
        """One reading for each passage."""
        return [self._reading(question, passage) for passage in passages]

    @torch.inference_mode()
    def _reading(self, question: str, passage: str) -> Reading:
        asked = self._tokenizer.encode(question, add_special_tokens=False).ids[:QUESTION_ROOM]
        read = self._tokenizer.encode(passage, add_special_tokens=False)
        before, room = len(asked) + 2, ROOM - len(asked) - 3
        ids = torch.tensor([[BEGIN, *asked, END, *read.ids[:room], END]])
        kinds = (torch.arange(ids.shape[1]) >= before).long()[None]
        spans, here = self._net(ids, kinds, torch.ones_like(ids))
        places = read.offsets[:room]
        return Reading(float(here), best_spans(passage, places, spans[0, before : before + len(places)].numpy()))


def torch_reader(checkpoint: Path | None = None) -> TorchReader:
    """The reader in float32 with the shipped weights, or with those of a checkpoint of `train.py`."""
    from safetensors.numpy import load_file

    folder = prepare_default_model(default_cache(), print)
    base = load_file(folder / "model.safetensors")
    if checkpoint is None:
        return TorchReader(folder, laid_over(base, shipped()))
    trained = torch.load(checkpoint, weights_only=True)["model"]
    return TorchReader(folder, base | {name.removeprefix("encoder."): v.numpy() for name, v in trained.items()})
