"""Makes the ONNX files of the bare script: encoder, mean pooling and norm of a sentence-transformers folder.

`export MODEL FOLDER` writes FOLDER/fp32 and FOLDER/int8, each with model.onnx and tokenizer.json. int8 is
onnxruntime's dynamic quantisation with weights per channel and no other choices made.
"""

# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import AutoModel

from benchmarks.common import tell


class Encoder(torch.nn.Module):
    """From token ids to unit vectors."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.model = AutoModel.from_pretrained(folder, attn_implementation="eager")

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Unit vectors, float32 (n, dim), of token ids, int64 (n, length)."""
        states = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weights = attention_mask.unsqueeze(-1).to(states.dtype)
        pooled = (states * weights).sum(1) / weights.sum(1)
        return torch.nn.functional.normalize(pooled, dim=-1)


def main() -> None:
    """Write both files."""
    source, target = sys.argv[1], Path(sys.argv[2])
    for kind in ("fp32", "int8"):
        (target / kind).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(source) / "tokenizer.json", target / kind / "tokenizer.json")
    plain = target / "fp32" / "model.onnx"
    ids = torch.tensor([[0, 5, 6, 7, 2], [0, 8, 9, 2, 1]])
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]])
    free = {0: "batch", 1: "length"}
    with torch.no_grad():
        torch.onnx.export(
            Encoder(source).eval(),
            (ids, mask),
            str(plain),
            input_names=["input_ids", "attention_mask"],
            output_names=["embedding"],
            dynamic_axes={"input_ids": free, "attention_mask": free, "embedding": {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )
    quantize_dynamic(plain, target / "int8" / "model.onnx", per_channel=True, weight_type=QuantType.QInt8)
    tell({kind: (target / kind / "model.onnx").stat().st_size for kind in ("fp32", "int8")})


if __name__ == "__main__":
    main()
