"""What the other stages need of an embedding model, and what its implementations share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from dispatch_qa.errors import InputRejected

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Embedder(Protocol):
    """What the other stages need of an embedding model."""

    @property
    def name(self) -> str:
        """The model as the user names it: the default model's name, a hub name or a folder."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the model's vectors would."""

    @property
    def lane(self) -> str:
        """The way the vectors are computed; stores made by lanes that agree are read by either."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    @property
    def max_tokens(self) -> int:
        """Tokens of text that fit beside the prompt and the special tokens, so that nothing is cut off."""

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` alone, without prompt and special tokens."""

    def queries(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Embed questions: float32 (n, dim), rows of unit length. No text is cut off."""

    def passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Embed passages or sentences: float32 (n, dim), rows of unit length.

        Raises `InputRejected` for a text longer than `max_tokens`.
        """


def checked_lengths(texts: Sequence[str], embedder: Embedder) -> None:
    """Raise `InputRejected` for a text that the model would cut off."""
    for text in texts:
        if (n := embedder.count_tokens(text)) > embedder.max_tokens:
            raise InputRejected(
                f"a passage of {n} tokens does not fit {embedder.name}, which reads {embedder.max_tokens}; "
                "split it before it is embedded"
            )


def mean_of_parts(
    texts: Sequence[str], embedder: Embedder, embed: Callable[[list[str]], npt.NDArray[np.float32]]
) -> npt.NDArray[np.float32]:
    """Unit vectors of `texts`, float32 (n, dim); a text longer than the model reads is the mean of its parts.

    Args:
        embed: unit vectors of texts that fit, float32 (n, dim).
    """
    import numpy as np

    parts = [parts_of(text, embedder) for text in texts]
    flat = embed([part for group in parts for part in group])
    if len(flat) == len(texts):
        return flat
    ends = np.cumsum([len(group) for group in parts])[:-1]
    return unit_rows([group.mean(axis=0) for group in np.split(flat, ends)], embedder.dim)


def parts_of(text: str, embedder: Embedder) -> list[str]:
    """`text` in parts of about equal length that each fit the model."""
    pieces = -(-embedder.count_tokens(text) // embedder.max_tokens) or 1
    while True:
        size = -(-len(text) // pieces) or 1
        parts = [text[at : at + size] for at in range(0, len(text), size)] or [text]
        if len(parts) == 1 or all(embedder.count_tokens(part) <= embedder.max_tokens for part in parts):
            return parts
        pieces += 1


def unit_rows(rows: Sequence[npt.NDArray[np.float32]] | npt.NDArray[np.float32], dim: int) -> npt.NDArray[np.float32]:
    """Rows scaled to unit length, float32 (n, dim); a model without a Normalize module gives other lengths."""
    import numpy as np

    matrix = np.asarray(rows, dtype=np.float32).reshape(-1, dim)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.asarray(matrix / np.maximum(lengths, 1e-12), dtype=np.float32)
