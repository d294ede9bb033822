"""Text to vectors: one protocol, and a lane for each way of computing them.

The default model runs in the ONNX lane, without torch; every other model in the torch lane.
"""

from __future__ import annotations

from pathlib import Path

from dispatch_qa.embed.onnx_lane import LANE as ONNX
from dispatch_qa.embed.onnx_lane import OnnxEmbedder, prepare_lane
from dispatch_qa.embed.protocol import Embedder
from dispatch_qa.embed.torch_lane import LANE as TORCH
from dispatch_qa.embed.torch_lane import SentenceTransformerEmbedder
from dispatch_qa.models import Progress, prepare_default_model
from dispatch_qa.settings import DEFAULT_MODEL

__all__ = ["AGREEING_LANES", "Embedder", "load_embedder"]

AGREEING_LANES = frozenset({ONNX, "onnx-int8/1", "onnx-int8/2", TORCH})
"""Lanes whose vectors of one model are close enough to be mixed: preparing the ONNX lane measures it. Earlier
versions of that lane are in stores that were made with them."""


def load_embedder(
    name: str, cache: Path, batch_size: int, lane: str = "auto", progress: Progress = lambda line: None
) -> Embedder:
    """The embedder of a model: the default one (prepared offline on first use), a hub name or a folder.

    Args:
        lane: "torch" to run the default model by sentence-transformers too; "auto" for the fastest that agrees.

    Raises:
        ModelError: there is no such model here, or it could not be prepared.
    """
    if name != DEFAULT_MODEL:
        return SentenceTransformerEmbedder(name, name, batch_size)
    folder = prepare_default_model(cache, progress)
    if lane == "auto" and prepare_lane(folder, progress):
        return OnnxEmbedder(folder)
    return SentenceTransformerEmbedder(name, str(folder), batch_size)
