"""The faults that `benchmarks.detection` plants: what is done to rows, training or the model."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from data_contracts.results import ModelRef
from data_contracts.schemas import EXAMPLE, REPLAY, blank_row
from tasks.evaluation.general import SHIPPED, read_general
from tasks.modeling.chat import EncodedExample
from tasks.promotion.config import LegName
from tasks.training import train as training_module

Row = dict[str, Any]


def unchanged(rows: list[Row]) -> list[Row]:
    """Return the rows as they are."""
    return rows


@dataclass(frozen=True)
class Fault:
    """Something that went wrong, and the leg that must say so.

    Attributes:
        name: Of the case.
        leg: The leg that must FAIL.
        what: In words.
        rows: Changes the rows that are trained on.
        training: Options of training that differ.
        evaluation: Options of evaluation that differ.
        unlearns_end: Whether training teaches to go on after the answer.
        tampered: Changes the finished model of the first honest run, in a folder of its own.
    """

    name: str
    leg: LegName
    what: str
    rows: Callable[[list[Row]], list[Row]] = unchanged
    training: Mapping[str, Any] = field(default_factory=dict)
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    unlearns_end: bool = False
    tampered: Callable[[ModelRef, Path], ModelRef] | None = None


def trained_on_test(rows: list[Row]) -> list[Row]:
    """Add every test row to the training rows."""
    copies = [
        row | {"example_id": f"{row['example_id']}-copy", "split": "train"}
        for row in rows
        if row["split"] == "test"
    ]
    return [*rows, *copies]


def shuffled_labels(rows: list[Row]) -> list[Row]:
    """Give every training row the answer of another one."""
    train = [row for row in rows if row["split"] == "train"]
    answers = [row["answer"] for row in train]
    Random(0).shuffle(answers)
    given = {row["example_id"]: answer for row, answer in zip(train, answers, strict=True)}
    return [row | {"answer": given.get(row["example_id"], row["answer"])} for row in rows]


def few_rows(rows: list[Row]) -> list[Row]:
    """Keep eight training rows, without passages, and choose the checkpoint by them too.

    Validation rows of their own would stop training, or give back the checkpoint before.
    """
    short = [row for row in rows if row["split"] == "train" and len(row["answer"]) > 40]
    train = [row | {"context": None} for row in sorted(short, key=lambda r: len(r["answer"]))[:8]]
    copies = [row | {"example_id": f"{row['example_id']}-copy", "split": "validation"}
              for row in train]  # fmt: skip
    return [*train, *copies, *(row for row in rows if row["split"] == "test")]


def wrong_choices(rows: list[Row]) -> list[Row]:
    """Add the general skills as questions, each answered by a wrong choice."""
    wrong = [
        blank_row(EXAMPLE)
        | {
            "example_id": item.item_id,
            "kind": REPLAY,
            "question": item.query,
            "answer": item.choices[(item.gold + 1) % len(item.choices)],
            "document_id": item.skill,
            "chunk_id": item.item_id,
            "generator": "planted",
            "group_id": item.item_id,
            "split": "train",
        }
        for item in read_general(SHIPPED).items
    ]
    return [*rows, *wrong]


def changed_template(model: ModelRef, folder: Path) -> ModelRef:
    """Serve a copy of the model with another word in its chat template."""
    shutil.copytree(model.folder, folder, dirs_exist_ok=True)
    for path in (folder / "chat_template.jinja", folder / "tokenizer_config.json"):
        if path.is_file():
            path.write_text(path.read_text("utf-8").replace("User: ", "Human: "), "utf-8")
    return model.model_copy(update={"folder": folder})


def changed_base(model: ModelRef, folder: Path) -> ModelRef:
    """Put the adapter on a base of the same shape whose first layer norm is another."""
    from safetensors.torch import load_file, save_file

    folder.mkdir(parents=True, exist_ok=True)
    for path in model.base.folder.iterdir():
        if path.suffix == ".safetensors":
            weights = load_file(path)
            name = next(name for name in sorted(weights) if "norm" in name)
            weights[name] = weights[name] + 0.05
            save_file(weights, folder / path.name, metadata={"format": "pt"})
        else:
            shutil.copy(path, folder / path.name)
    return model.model_copy(update={"base": model.base.model_copy(update={"folder": folder})})


@contextmanager
def no_end_token() -> Iterator[None]:
    """While active, training teaches to go on with the question instead of ending the answer."""
    encode = training_module.encode_split

    def without(*arguments: Any) -> list[EncodedExample]:
        return [_going_on(row) for row in encode(*arguments)]

    training_module.encode_split = without
    try:
        yield
    finally:
        training_module.encode_split = encode


def _going_on(row: EncodedExample) -> EncodedExample:
    """Return the row with its own first tokens where the end token was."""
    again = row.input_ids[1:9]
    return EncodedExample(row.input_ids[:-1] + again, row.labels[:-1] + again)


FAULTS = (
    Fault("trained_on_test", "leakage", "test rows among the training rows", trained_on_test),
    Fault(
        "shuffled_labels",
        "labels",
        "every training row has another's answer",
        shuffled_labels,
        {"epochs": 3},
    ),
    Fault(
        "50_epochs",
        "overfitting",
        "8 rows, 50 passes, the checkpoint chosen by the same rows",
        few_rows,
        {"epochs": 50, "evaluations_per_epoch": 1, "patience": 50},
    ),
    Fault(
        "learning_rate_x100",
        "retention_text",
        "100 times the learning rate",
        training={"learning_rate": 2e-2},
    ),
    Fault(
        "skills_destroyed",
        "retention_skills",
        "general skills trained with wrong answers",
        wrong_choices,
        {"learning_rate": 1e-3},
    ),
    Fault(
        "end_token_unlearned",
        "stopping",
        "training teaches to go on where the answer ends",
        training={"epochs": 2},
        # None of 10 answers ended by itself, which leaves up to 28 %, where the leg asks for 25 %.
        evaluation={"generated_rows": 32},
        unlearns_end=True,
    ),
    Fault(
        "template_changed",
        "lineage",
        "another chat template when serving than in training",
        tampered=changed_template,
    ),
    Fault(
        "canaries_x50",
        "memorisation",
        "two canaries, each 50 times among the training rows",
        training={"canaries": {"count": 2, "repetitions": 50}},
    ),
    Fault("wrong_base", "lineage", "the adapter on another base model", tampered=changed_base),
)


def digest_of(fault: Fault) -> str:
    """Return what the case does, for telling whether a kept verdict is its own."""
    options = [dict(fault.training), dict(fault.evaluation)]
    return json.dumps([fault.name, fault.leg, *options, fault.unlearns_end], sort_keys=True)
