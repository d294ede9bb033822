"""Ship the mean of several trainings: `python training/average.py CHECKPOINT CHECKPOINT…`, each from its own `--work`.

Weights that one run left and another went on from lie in one valley: their mean generalises better than either.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import shrink
import torch
from torch import Tensor

from dispatch_qa.models import prepare_default_model
from dispatch_qa.settings import default_cache


def averaged(checkpoints: list[Path]) -> dict[str, Tensor]:
    """The mean of each trained tensor."""
    models = [torch.load(file, weights_only=True)["model"] for file in checkpoints]
    return {name: torch.stack([model[name] for model in models]).mean(0) for name in models[0]}


def main() -> None:
    """Average, shrink, write into the package; `score.py` and `fit.py` come next."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", nargs="+", type=Path)
    files = parser.parse_args().checkpoints
    mean = files[-1].with_name("average.pt")
    torch.save({"model": averaged(files)}, mean)
    shrink.write(mean, prepare_default_model(default_cache(), print), {"training": {"mean of": len(files)}})


if __name__ == "__main__":
    main()
