"""Train the reader: `python training/train.py --data DIR` (prepare, train, shrink, export, score).

`--minutes` bounds the training itself: the learning rate falls in a straight line to nothing as they pass. It stops
and goes on again from its last checkpoint in `--work`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any, TextIO

import score
import shrink
import torch
import written
from batches import Batch, Batcher
from data import Mix
from model import ReaderNet, parameter_groups
from prepare import prepared
from torch.nn import functional

from dispatch_qa.models import FINGERPRINT, prepare_default_model
from dispatch_qa.reader import load_reader
from dispatch_qa.settings import default_cache

CHECKPOINT = "checkpoint.pt"
PARTS = ("span", "here", "which")  # of the loss
WARM_UP = 0.04  # of the time
EVERY_STEPS, EVERY_SECONDS = 20, 240  # a line in the log; a checkpoint


def losses(model: ReaderNet, batch: Batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Cross-entropy of the answer among all spans where the passage answers, halved; of whether it does; and of which.

    The last is that of the right passage among those of its question in the batch, as often as there are such
    (localized contrastive estimation, Gao, Dai and Callan, 2021).
    """
    with torch.autocast("cpu", torch.bfloat16):
        ends, here = model(batch.ids, batch.kinds, batch.mask)
    ends, here = ends.float(), here.float()
    found = batch.span[:, 0] >= 0
    span = here.sum() * 0
    if found.any():
        logits = ends[found, :, None, 0] + ends[found, None, :, 1]
        backwards = torch.ones(logits.shape[1:], dtype=torch.bool).tril(-1)
        first, last = batch.span[found].T
        # Halved: so it weighs what the cross-entropy of either end alone would.
        logits = logits.masked_fill(backwards, -1e4).flatten(1)
        span = functional.cross_entropy(logits, first * len(backwards) + last) / 2
    alike = batch.asked[:, None] == batch.asked
    which = torch.where(alike, here, -torch.inf).logsumexp(1) - here  # 0 where there is but one
    return (
        span,
        functional.binary_cross_entropy_with_logits(here, batch.here),
        (which * batch.here * alike.sum(1)).mean(),
    )


def train(model: ReaderNet, batches: Callable[[int], Iterator[Batch]], minutes: float, work: Path, rate: float) -> int:
    """The number of steps made: train until `minutes` have passed in all, those before a stop counted in."""
    optimizer = torch.optim.AdamW(parameter_groups(model, rate), betas=(0.9, 0.98), fused=True)
    file, seconds, step, epoch = work / CHECKPOINT, 0.0, 0, 0
    if file.exists():
        kept = torch.load(file, weights_only=True)
        model.load_state_dict(kept["model"], strict=False)
        optimizer.load_state_dict(kept["optimizer"])
        # What is left of the epoch is not made up for: the next one draws anew.
        seconds, step, epoch = kept["seconds"], kept["step"], kept.get("epoch", 0) + 1
    began = saved = time.monotonic()
    stream = ((number, batch) for number in count(epoch) for batch in batches(number))
    before, sums = seconds, defaultdict[str, float](float)
    model.train()
    with (work / "log.jsonl").open("a", encoding="utf-8") as log:
        while (done := seconds / (60 * minutes)) < 1:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * min(done / WARM_UP, (1 - done) / (1 - WARM_UP))
            epoch, batch = next(stream)
            parts = losses(model, batch)
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(parts)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step += 1
            seconds = before + time.monotonic() - began
            counted = {"steps": 1, "examples": len(batch.ids), "tokens": batch.ids.numel()}
            for name, value in (counted | {name: part.item() for name, part in zip(PARTS, parts, strict=True)}).items():
                sums[name] += value
            if step % EVERY_STEPS == 0:
                _tell(log, step, seconds, sums)
                sums.clear()
            if time.monotonic() - saved > EVERY_SECONDS:
                _save(file, model, optimizer, seconds, step, epoch)
                saved = time.monotonic()
    _save(file, model, optimizer, seconds, step, epoch)
    return step


def _tell(log: TextIO, step: int, seconds: float, sums: Mapping[str, float]) -> None:
    means = {name: round(sums[name] / sums["steps"], 4) for name in PARTS}
    told = {"step": step, "seconds": round(seconds), **means}
    line = json.dumps({**told, "examples": sums["examples"], "tokens": sums["tokens"]})
    print(line, flush=True)
    log.write(line + "\n")
    log.flush()


def _save(
    file: Path, model: ReaderNet, optimizer: torch.optim.Optimizer, seconds: float, step: int, epoch: int
) -> None:
    trained = {name: value.detach() for name, value in model.named_parameters() if value.requires_grad}
    state: dict[str, Any] = {"model": trained, "optimizer": optimizer.state_dict()}
    torch.save({**state, "seconds": seconds, "step": step, "epoch": epoch}, file.with_suffix(".new"))
    file.with_suffix(".new").replace(file)


def main() -> None:
    """Parse the arguments and run the steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a folder with the sets, each in BEIR layout")
    parser.add_argument("--work", type=Path, default=Path("training/work"), help="checkpoints and the log")
    parser.add_argument("--minutes", type=float, default=70)
    parser.add_argument("--rate", type=float, default=1.5e-4)
    parser.add_argument("--frozen", type=int, default=3, help="how many of the lowest layers stay as they are")
    parser.add_argument("--start", type=Path, help="a checkpoint whose weights to begin with")
    parser.add_argument("--translators", type=Path, help="OPUS-MT between English and French, see training/opus.py")
    parser.add_argument("--share-of-wire", type=float, default=1.0, help="of the questions as a wire is asked")
    parser.add_argument("--share-of-others", type=float, default=1.0, help="of all other examples")
    parser.add_argument("--share-of-written", type=float, default=1.0, help="of those from the texts of `written/`")
    parser.add_argument("--share-of-asked", type=float, default=1.0, help="of those from the questions of `asked/`")
    files = [file.stem for file in written.FOLDER.glob("*.txt")]
    parser.add_argument("--new", default="", choices=sorted(files), help="the file of texts from which on all is taken")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    arguments.work.mkdir(parents=True, exist_ok=True)
    folder = prepare_default_model(default_cache(), print)
    pool, nearest, versions = prepared(arguments.data, arguments.work, arguments.translators)
    shares = (arguments.share_of_wire, arguments.share_of_others, arguments.share_of_written, arguments.share_of_asked)
    mix = Mix(pool, nearest, versions, arguments.seed, *shares, new=arguments.new)
    print(json.dumps(Counter(example.kind for example in mix.epoch(0))), flush=True)
    batcher = Batcher(folder, arguments.seed)

    def batches(number: int) -> Iterator[Batch]:
        return batcher.batches(mix.epoch(number), number)

    model = ReaderNet(folder, arguments.frozen)
    if arguments.start:
        model.load_state_dict(torch.load(arguments.start, weights_only=True)["model"], strict=False)
    steps = train(model, batches, arguments.minutes, arguments.work, arguments.rate)
    told = {name: getattr(arguments, name) for name in ("minutes", "rate", "frozen", "seed")}
    shrink.write(arguments.work / CHECKPOINT, folder, {"training": told | {"steps": steps, "on": "cpu, bfloat16"}})
    reader = load_reader(FINGERPRINT, default_cache(), print)
    if reader:
        score.write(score.figures(pool, reader, "test"), reader.name)


if __name__ == "__main__":
    main()
