"""One training method on given rows in a process of its own; writes what it measured as JSON.

python -m benchmarks.methods_run JOB.json

The job names the base, the rows, the method with its options and the file for the result.
"""

import json
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.parquet as pq
import torch
from torch import nn
from transformers import PreTrainedTokenizerBase

from data_contracts.results import BaseModelRef, TrainingPoint, TrainingResult
from tasks.evaluation.general import SHIPPED, read_general
from tasks.evaluation.likelihood import summed_losses, text_windows
from tasks.modeling.base_model import load_model, load_tokenizer
from tasks.modeling.chat import EncodedExample
from tasks.modeling.tuned import WEIGHTS
from tasks.training.config import TrainingConfig
from tasks.training.method import TrainingMethod
from tasks.training.train import encode_split, train_model

SCORED_TOKENS = 256
PROMPT = "When may bicycles travel free of charge?"
NEW_TOKENS, ROUNDS = 4, 5


def main() -> None:
    """Train, evaluate and time one method."""
    logging.basicConfig(level=logging.WARNING)
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    found = measure(job)
    Path(job["result"]).write_text(json.dumps(found, indent=1), encoding="utf-8")


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of one method."""
    base = BaseModelRef.model_validate(job["base"])
    config = TrainingConfig.model_validate(job["training"])
    examples = pq.read_table(job["rows"])
    clock = Clock()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        result = train_model(examples, base, config, folder, clock)
        tokenizer = load_tokenizer(base)
        test = encode_split(tokenizer, examples, "test", config)
        rows = [row for row in examples.to_pylist() if row["split"] == "test"]
        weights = folder / WEIGHTS
        return {
            **trained(result, weights, clock.seconds_of_a_step()),
            **quality(config.method, base, weights, tokenizer, test, job["texts"]),
            **latency(config.method, base, weights, tokenizer),
            "test_clusters": [row["document_id"] for row in rows],
        }


class Clock:
    """Takes the processor time at each point of a training."""

    def __init__(self) -> None:
        self.marks: list[tuple[int, bool, float]] = []

    def __call__(self, point: TrainingPoint) -> None:
        """Remember when the point came, and whether a validation came with it."""
        validated = point.validation_loss is not None
        self.marks.append((point.step, validated, time.process_time()))

    def seconds_of_a_step(self) -> float:
        """Return the median of the stretches that hold steps and no validation; NaN without any."""
        stretches = [
            (there - here) / (after - before)
            for (before, validated, here), (after, also, there) in pairwise(self.marks)
            if after > before and not validated and not also
        ]
        return median(stretches) if stretches else float("nan")


def trained(result: TrainingResult, weights: Path, step_seconds: float) -> dict[str, float]:
    """Return what training cost."""
    return {
        "trainable": result.trainable_parameters,
        "total": result.total_parameters,
        "peak_bytes": result.peak_memory_bytes,
        "stored_bytes": sum(p.stat().st_size for p in weights.rglob("*") if p.is_file()),
        "tokens_per_second": result.tokens / result.steps / step_seconds,
        "steps": result.steps,
        "validation_loss": result.best_validation_loss,
    }


def quality(
    method: TrainingMethod,
    base: BaseModelRef,
    weights: Path,
    tokenizer: PreTrainedTokenizerBase,
    test: Sequence[EncodedExample],
    texts: int,
) -> dict[str, Any]:
    """Return the loss of a token in nats, and that of each row, on the task and on general text."""
    general = [
        row
        for text in read_general(SHIPPED).texts[:texts]
        for row in text_windows(tokenizer, text.text, 128)[:1]
    ]
    found: dict[str, Any] = {}
    for name, model in (("base", load_model(base)), ("tuned", loaded(method, base, weights))):
        for what, rows in (("test", test), ("general", general)):
            tokens = [len(row.supervised) for row in rows]
            losses = losses_of(model.eval(), tokenizer, rows)
            found[f"{what}_{name}"] = sum(losses) / sum(tokens)
            found[f"{what}_{name}_rows"] = [a / b for a, b in zip(losses, tokens, strict=True)]
            found[f"{what}_tokens"] = tokens
    return found


def losses_of(
    model: nn.Module, tokenizer: PreTrainedTokenizerBase, rows: Sequence[EncodedExample]
) -> list[float]:
    """Return the summed loss of each row's supervised tokens, in nats."""
    with torch.no_grad():
        return summed_losses(model, rows, int(tokenizer.pad_token_id), SCORED_TOKENS, "rows")


def loaded(method: TrainingMethod, base: BaseModelRef, weights: Path) -> nn.Module:
    """Return the tuned model."""
    return method.load(load_model(base, **method.base_options()), weights).eval()


def latency(
    method: TrainingMethod,
    base: BaseModelRef,
    weights: Path,
    tokenizer: PreTrainedTokenizerBase,
) -> dict[str, Any]:
    """Return processor seconds of a generated token: base, adapter on it, merged; in turns.

    Those of each round are kept, too: what is compared is what was measured in one round.
    """
    models = {"base": load_model(base).eval(), "unmerged": loaded(method, base, weights)}
    found: dict[str, Any] = {}
    if method.merges:
        merged = method.merge(method.load(load_model(base), weights)).eval()
        models["merged"] = merged
        found["merged_parameters"] = sum(p.numel() for p in merged.parameters())
    found["base_parameters"] = sum(p.numel() for p in models["base"].parameters())
    ids = torch.tensor([tokenizer(PROMPT)["input_ids"]])
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(ROUNDS):
        for name, model in models.items():
            seconds[name].append(timed(partial(generate, model, ids)))
    for name, rounds in seconds.items():
        found[f"latency_{name}"] = median(rounds) / NEW_TOKENS
        found[f"latency_{name}_rounds"] = [each / NEW_TOKENS for each in rounds]
    return found


def generate(model: Any, ids: torch.Tensor) -> None:
    """Generate so many tokens, greedily."""
    with torch.no_grad():
        model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=NEW_TOKENS,
            min_new_tokens=NEW_TOKENS,
            do_sample=False,
        )


def timed(work: Callable[[], None]) -> float:
    """Return the processor seconds that work takes."""
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main()
