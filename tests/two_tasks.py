"""A small world for forgetting: general text first, then one task, then another.

The text is drawn from a grammar whose words go together in pairs, so there is something to
know; the tasks are questions about pairs of their own. All are drawn by a seed, weights
included: what holds over seeds is no accident of one model.
"""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pyarrow as pa
import torch
from scipy.stats import t
from torch import nn

from data_contracts.results import BaseModelRef
from data_contracts.schemas import EXAMPLE, blank_row
from tasks.augmentation.config import AugmentationConfig
from tasks.augmentation.replay import Stock, add_replay
from tasks.modeling.base_model import load_model, load_tokenizer, resolve_base_model
from tasks.modeling.chat import IGNORED, EncodedExample, encode_example
from tasks.modeling.supervised import collate, token_losses
from tasks.modeling.tuned import WEIGHTS
from tasks.training.config import TrainingConfig
from tasks.training.mitigation import MITIGATIONS
from tasks.training.train import train_model
from tests.tiny_models import tiny_base

_BEGIN, _MIDDLE, _END = "bdfgkl", "aeiou", "mnprst"
# Words of each sort in the grammar, and pairs that a task asks about.
SORT, PAIRS = 12, 16
PRETRAINING_ROWS = 32
# Rates at which either method learns a task in 40 steps.
RATES = {"full": 3e-3, "lora": 1e-2}


@dataclass(frozen=True)
class World:
    """What one seed gives.

    Attributes:
        base: Knows the text and neither task.
        taught: Sentences that the base was taught.
        text: Sentences that the base never saw, encoded with a label at every token.
        tasks: Rows of two tasks, with splits.
    """

    base: BaseModelRef
    taught: list[str]
    text: list[EncodedExample]
    tasks: tuple[pa.Table, pa.Table]


def make_world(folder: Path, seed: int, steps: int = 150) -> World:
    """Draw words, text and tasks, and teach a tiny model the text in so many steps."""
    draw = random.Random(seed)
    words = _words(draw, 4 * SORT + 4 * PAIRS)
    sorts = [words[at * SORT : (at + 1) * SORT] for at in range(4)]
    sentences = _sentences(draw, sorts, 1_264)
    blank = tiny_base(folder / "blank", "llama")
    tokenizer = load_tokenizer(blank)
    encoded = [text_row(tokenizer, sentence) for sentence in sentences]
    torch.manual_seed(seed)
    model = load_model(blank)
    teach(model, encoded[64:], draw, steps)
    model.save_pretrained(folder / "base")
    tokenizer.save_pretrained(folder / "base")
    rest = words[4 * SORT :]
    tasks = (_task(draw, rest[: 2 * PAIRS], "chief"), _task(draw, rest[2 * PAIRS :], "price"))
    base = resolve_base_model(str(folder / "base"), folder)
    return World(base, sentences[64:], encoded[:64], tasks)


def _words(draw: random.Random, count: int) -> list[str]:
    parts = [a + b + c for a in _BEGIN for b in _MIDDLE for c in _END]
    return draw.sample(parts, count)


def _sentences(draw: random.Random, sorts: list[list[str]], count: int) -> list[str]:
    """Return distinct sentences: each noun has a verb and an adjective of its own, mostly."""
    found: dict[str, None] = {}
    while len(found) < count:
        one, two = draw.randrange(SORT), draw.randrange(SORT)
        adjective = one if draw.random() < 0.8 else draw.randrange(SORT)
        other = sorts[3][(two + adjective) % SORT]
        first = f"the {sorts[0][adjective]} {sorts[1][one]} will {sorts[2][one]}"
        found[f"{first} the {other} {sorts[1][two]} and {sorts[2][draw.randrange(SORT)]}."] = None
    return list(found)


def text_row(tokenizer: Any, text: str) -> EncodedExample:
    """Return a text with a label at every token but the first."""
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
    ids = (tokenizer.bos_token_id, *tokens, tokenizer.eos_token_id)
    return EncodedExample(ids, (IGNORED, *ids[1:]))


def teach(model: nn.Module, rows: list[EncodedExample], draw: random.Random, steps: int) -> None:
    """Draw the model's weights anew, by torch's seed, and train all of them on the rows."""
    for parameter in model.parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=0.08)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, steps)
    model.train()
    for _ in range(steps):
        token_losses(model, collate(draw.sample(rows, PRETRAINING_ROWS), 0))[0].mean().backward()
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()


def _task(draw: random.Random, words: list[str], what: str) -> pa.Table:
    """Return a question about each pair, worded in ways of which one is for validation."""
    wordings = (
        "who is the {what} of {name}?",
        "tell me the {what} of {name}.",
        "{name}: its {what}?",
    )
    cells = {"kind": "fact", "document_id": "d", "chunk_id": "c", "generator": "fact"}
    pairs = list(zip(words[::2], words[1::2], strict=True))
    draw.shuffle(pairs)
    rows = [
        blank_row(EXAMPLE)
        | cells
        | {
            "example_id": f"{what}-{at}-{name}",
            "question": wording.format(what=what, name=name),
            "answer": f"the {what} of {name} is {value}.",
            "split": "validation" if at == 2 else "train",
        }
        for at, wording in enumerate(wordings)
        for name, value in pairs
    ]
    return pa.Table.from_pylist(rows, schema=EXAMPLE)


@dataclass(frozen=True)
class Start:
    """A model that knows one thing and is about to learn another.

    Attributes:
        base: The model.
        known: Rows on which forgetting is measured; in no training.
        task: What is learnt next.
        earlier: Folder of the training that taught the first task; None where none was taught.
    """

    base: BaseModelRef
    known: list[EncodedExample]
    task: pa.Table
    earlier: Path | None = None


def after_text(world: World) -> Start:
    """Return the start that knows general text; the second task comes next."""
    return Start(world.base, world.text, world.tasks[1])


def after_first_task(
    world: World,
    folder: Path,
    seed: int,
    method: str = "lora",
    mitigations: Sequence[dict[str, Any]] = (),
) -> Start:
    """Teach the first task, merge, and return the start that knows it."""
    config = task_config(method, seed=seed + 1_000, mitigations=list(mitigations))
    train_model(world.tasks[0], world.base, config, folder / "first", lambda point: None)
    tuned = config.method.load(load_model(world.base), folder / "first" / WEIGHTS)
    merged: Any = config.method.merge(tuned)
    merged.save_pretrained(folder / "merged")
    load_tokenizer(world.base).save_pretrained(folder / "merged")
    base = resolve_base_model(str(folder / "merged"), folder)
    return Start(base, task_rows(world.base, world.tasks[0]), world.tasks[1], folder / "first")


@dataclass(frozen=True)
class Learnt:
    """How learning the next task went.

    Attributes:
        forgotten: Rise of the loss on what was known, in nats per token.
        gained: Fall of the loss on the task's validation rows.
        seconds: Processor time of training.
    """

    forgotten: float
    gained: float
    seconds: float


def learn(start: Start, config: TrainingConfig, folder: Path) -> Learnt:
    """Train on the next task and measure."""
    rows = task_rows(start.base, start.task)
    base = load_model(start.base)
    known, task = loss_on(base, start.known), loss_on(base, rows)
    started = time.process_time()
    train_model(start.task, start.base, config, folder, lambda point: None)
    seconds = time.process_time() - started
    tuned = config.method.load(load_model(start.base), folder / WEIGHTS)
    return Learnt(loss_on(tuned, start.known) - known, task - loss_on(tuned, rows), seconds)


def mitigated(name: str, strength: float, start: Start) -> dict[str, Any]:
    """Return a mitigation's options at a strength."""
    options: dict[str, Any] = {"mitigation": name}
    options[MITIGATIONS.get(name).strength_option] = strength
    if name == "o_lora":
        options["adapters"] = [start.earlier]
    if name == "online_ewc":
        options["earlier"] = start.earlier
    return options


def general_rows(sentences: Sequence[str]) -> pa.Table:
    """Return sentences as rows of a general dataset: the first five words ask for the rest."""
    cells = {"kind": "text", "document_id": "g", "chunk_id": "g", "generator": "text"}
    rows = []
    for at, sentence in enumerate(sentences):
        words = sentence.split()
        said = {"question": " ".join(words[:5]), "answer": " ".join(words[5:])}
        rows.append(blank_row(EXAMPLE) | cells | said | {"example_id": f"general-{at}"})
    return pa.Table.from_pylist(rows, schema=EXAMPLE)


def with_replay(start: Start, share: float, stock: Stock, folder: Path) -> Start:
    """Return the start whose task has general rows among its training rows.

    Args:
        start: Of which the task is learnt next.
        share: Of the training rows that are to be general ones.
        stock: Where they come from.
        folder: Where what the base writes is kept.

    Raises:
        ValueError: There are fewer such rows.
    """
    told = {"share": share, "synthesise": stock.base is not None, "attempts": 50}
    told |= {"question_tokens": 24, "answer_tokens": 24}
    config = AugmentationConfig.model_validate({"replay": told})
    kept, _ = add_replay(start.task, [], config, stock, folder)
    train = start.task.column("split").to_pylist().count("train")
    wanted = round(share / (1 - share) * train)
    if len(kept) < wanted:
        raise ValueError(f"Of {wanted} rows to replay there are {len(kept)}.")
    added = pa.Table.from_pylist(kept, schema=EXAMPLE)
    return replace(start, task=pa.concat_tables([start.task, added]))


def paired_interval(values: list[float]) -> tuple[float, float, float]:
    """Return the mean of differences over seeds and its 95 % interval by Student's t."""
    half = float(t.ppf(0.975, len(values) - 1)) * stdev(values) / sqrt(len(values))
    return mean(values), mean(values) - half, mean(values) + half


def task_config(method: str, /, **changes: Any) -> TrainingConfig:
    """Return options by which a task is learnt in 40 steps."""
    options = {
        "method": {"method": method},
        "learning_rate": RATES[method],
        "epochs": 5,
        "batch_size": 4,
        "evaluations_per_epoch": 1,
        "patience": 100,
        "weight_decay": 0.0,
        "anchors": {"texts": 48, "tokens": 24},
    }
    return TrainingConfig.model_validate(options | changes)


def task_rows(base: BaseModelRef, task: pa.Table) -> list[EncodedExample]:
    """Return the validation rows of a task, encoded."""
    tokenizer = load_tokenizer(base)
    return [encode_example(tokenizer, r, 512) for r in task.to_pylist() if r["split"] != "train"]


def loss_on(model: nn.Module, rows: list[EncodedExample]) -> float:
    """Return a model's mean loss per supervised token, in nats."""
    with torch.no_grad():
        return float(token_losses(model.eval(), collate(rows, 0))[0].mean())
