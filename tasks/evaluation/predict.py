"""Everything measured on one model, row by row, in the PREDICTION schema.

Which rows are measured depends on the rows alone, never on the model, so that base and
tuned model are compared on the same ones.
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
from torch import nn

from data_contracts.dataset import StageResult
from data_contracts.errors import ModelError, TooFewRows
from data_contracts.schemas import PREDICTION, REPLAY, dropped_schema
from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.general import ChoiceItem, GeneralSets, TextItem
from tasks.evaluation.likelihood import text_windows
from tasks.evaluation.measured_model import MeasuredModel
from tasks.evaluation.metrics import exact_match, token_f1
from tasks.evaluation.multiple_choice import EncodedItem, encode_item
from tasks.evaluation.remembered import Memory
from tasks.evaluation.timing import timed
from tasks.modeling.chat import encode_example, prompt_ids, prompt_messages

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

T = TypeVar("T")
Row = dict[str, Any]

# No row is longer: length is judged here, so that too long a row is dropped, not refused.
_ANY_LENGTH = 2**31


def predict(
    model: nn.Module,
    tokenizer: "PreTrainedTokenizerBase",
    examples: pa.Table,
    general: GeneralSets,
    config: EvaluationConfig,
    memory: Memory | None = None,
    order: int | None = None,
) -> StageResult:
    """Measure one model on held-out and training rows, general text and general skills.

    Args:
        model: A causal language model, wrapped or not.
        tokenizer: Its tokenizer, with chat template and padding token.
        examples: Rows in the EXAMPLE schema with `split` set.
        general: General skills and text.
        config: How many rows, how long.
        memory: What is known of the model already; None if nothing is kept.
        order: Seed by which rows are drawn into batches; by length alone if None.

    Raises:
        ModelError: The model gives losses that are not finite.
        TrainingError: The chat template breaks the label mask.
    """
    model.eval()
    subject = MeasuredModel(model, tokenizer, config, memory or Memory(), order)
    seconds: dict[str, float] = {}
    chosen = _choose_examples(examples, config)
    with timed(seconds, "answers"):
        rows = _answer_rows(subject, chosen)
    with timed(seconds, "generation"):
        _add_generated(subject, rows, chosen["test"])
    with timed(seconds, "general_text"):
        rows += _text_rows(subject, general.texts)
    with timed(seconds, "general_skill"):
        rows += _skill_rows(subject, general.items)
    return _result(rows, seconds)


def of_split(examples: pa.Table, split: str) -> pa.Table:
    """Return the rows of one split."""
    return examples.filter(pc.field("split") == split)


def training_losses(
    model: nn.Module,
    tokenizer: "PreTrainedTokenizerBase",
    examples: pa.Table,
    config: EvaluationConfig,
) -> Callable[[], float]:
    """Return what measures the model, as it stands, on a few training rows.

    Raises:
        TooFewRows: There is no training row.
    """
    subject = MeasuredModel(model, tokenizer, config)
    rows = _choose_examples(examples, config)["train"][: config.sharpness.rows]
    if not rows:
        raise TooFewRows("Sharpness is measured on training rows, and there are none.")
    encoded = [encode_example(tokenizer, row, _ANY_LENGTH) for row in rows]
    tokens = sum(len(row.supervised) for row in encoded)
    return lambda: sum(subject.losses(encoded, "Scoring training answers")) / tokens


def pick(rows: Iterable[T], identifier: Callable[[T], str], most: int | None) -> list[T]:
    """Return at most `most` rows, chosen by the hash of their identifiers."""
    ordered = sorted(rows, key=lambda row: hashlib.sha256(identifier(row).encode()).digest())
    return ordered[:most]


def _result(rows: Sequence[Row], seconds: dict[str, float]) -> StageResult:
    kept = [row for row in rows if "reason" not in row]
    dropped = [row for row in rows if "reason" in row]
    _check_finite(kept)
    return StageResult(
        kept=pa.Table.from_pylist(kept, schema=PREDICTION),
        dropped=pa.Table.from_pylist(dropped, schema=dropped_schema(PREDICTION)),
        rows_in=len(rows),
        figures=seconds,
    )


def _choose_examples(examples: pa.Table, config: EvaluationConfig) -> dict[str, list[Row]]:
    """Return the measured rows of each split; of training rows only original ones.

    An augmented row is a reworded training row: it would make the gap between seen and
    unseen rows one between kinds of wording. A general row is no part of the task.
    """
    originals = [
        row for row in examples.to_pylist() if row["parent_id"] is None and row["kind"] != REPLAY
    ]
    most = {
        "test": config.test_rows,
        "validation": config.validation_rows,
        "train": config.train_rows,
    }
    return {
        split: pick((row for row in originals if row["split"] == split), _example_id, most[split])
        for split in most
    }


def _example_id(example: Row) -> str:
    return str(example["example_id"])


def _answer_rows(subject: MeasuredModel, chosen: Mapping[str, Sequence[Row]]) -> list[Row]:
    """Score the reference answers of all splits, together: so batches need less padding."""
    pairs = [(split, example) for split, examples in chosen.items() for example in examples]
    rows = [_example_row(split, example) for split, example in pairs]
    encoded = [encode_example(subject.tokenizer, example, _ANY_LENGTH) for _, example in pairs]
    scored = _within_length(rows, encoded, lambda e: len(e.input_ids), subject.config.max_length)
    losses = subject.losses([encoded[at] for at in scored], "Scoring answers")
    for at, loss in zip(scored, losses, strict=True):
        rows[at] |= _mean(loss, len(encoded[at].supervised))
    return rows


def _example_row(split: str, example: Row) -> Row:
    return {
        "set": split,
        "name": example["kind"],
        "row_id": example["example_id"],
        # Rows of one group share a document or near-duplicate text: they rise and fall together.
        "cluster": example["group_id"] or example["document_id"],
        "prompt": "\n\n".join(message["content"] for message in prompt_messages(example)),
        "reference": example["answer"],
    }


def _within_length(
    rows: Sequence[Row], encoded: Sequence[T], length: Callable[[T], int], most: int
) -> list[int]:
    """Return which rows are short enough; give the others their reason to be dropped."""
    short = []
    for at, (row, item) in enumerate(zip(rows, encoded, strict=True)):
        if length(item) <= most:
            short.append(at)
        else:
            detail = f"{length(item)} tokens, more than evaluation.max_length {most}"
            row |= {"reason": "too_long", "detail": detail}
    return short


def _mean(loss: float, tokens: int) -> Row:
    return {"n_tokens": tokens, "cross_entropy": loss / tokens}


def _add_generated(subject: MeasuredModel, rows: Sequence[Row], test: Sequence[Row]) -> None:
    """Let the model answer some of the test rows, and compare with their references."""
    scored = {row["row_id"]: row for row in rows if row["set"] == "test" and "reason" not in row}
    answered = [example for example in test if example["example_id"] in scored]
    answered = pick(answered, _example_id, subject.config.generated_rows)
    prompts = [prompt_ids(subject.tokenizer, example) for example in answered]
    for example, answer in zip(answered, subject.answers(prompts), strict=True):
        row = scored[example["example_id"]]
        row |= {
            "generated": answer.text,
            "stopped": answer.stopped,
            "exact_match": exact_match(answer.text, row["reference"]),
            "token_f1": token_f1(answer.text, row["reference"]),
        }


def _text_rows(subject: MeasuredModel, texts: Sequence[TextItem]) -> list[Row]:
    """Score all tokens of general text."""
    config = subject.config
    chosen = pick(texts, lambda item: item.item_id, config.general_texts)
    windows = [
        text_windows(subject.tokenizer, item.text, config.max_length, config.general_text_tokens)
        for item in chosen
    ]
    flat = [window for of_item in windows for window in of_item]
    losses = iter(subject.losses(flat, "Scoring general text"))
    rows = []
    for item, of_item in zip(chosen, windows, strict=True):
        tokens = sum(len(window.supervised) for window in of_item)
        mean = _mean(sum(next(losses) for _ in of_item), tokens)
        rows.append(_general_row("general_text", item.source, item.item_id) | mean)
    return rows


def _skill_rows(subject: MeasuredModel, items: Sequence[ChoiceItem]) -> list[Row]:
    """Score multiple-choice items; their cross-entropy is that of the right choice."""
    config = subject.config
    chosen = _choose_items(items, config.general_items_per_skill)
    rows = [_general_row("general_skill", item.skill, item.item_id) for item in chosen]
    encoded = [encode_item(subject.tokenizer, item) for item in chosen]
    scored = _within_length(rows, encoded, lambda e: e.longest, config.max_length)
    short: list[EncodedItem] = [encoded[at] for at in scored]
    for at, score in zip(scored, subject.choice_scores(short), strict=True):
        gold = chosen[at].gold
        mean = _mean(-score[gold], len(encoded[at].choices[gold]))
        rows[at] |= {**mean, "correct": _is_best(score, gold)}
    return rows


def _choose_items(items: Sequence[ChoiceItem], most: int | None) -> list[ChoiceItem]:
    skills = sorted({item.skill for item in items})
    return [
        item
        for skill in skills
        for item in pick((i for i in items if i.skill == skill), lambda i: i.item_id, most)
    ]


def _is_best(scores: Sequence[float], gold: int) -> bool:
    """Say whether the right choice beats all others; a tie is not knowing."""
    return all(scores[gold] > score for at, score in enumerate(scores) if at != gold)


def _general_row(set_: str, name: str, item_id: str) -> Row:
    return {"set": set_, "name": name, "row_id": item_id, "cluster": item_id}


def _check_finite(rows: Sequence[Row]) -> None:
    broken = [str(row["row_id"]) for row in rows if not math.isfinite(row["cross_entropy"])]
    if broken:
        raise ModelError(
            f"The model gives losses that are not finite on {len(broken)} of {len(rows)} rows, "
            f"first {', '.join(broken[:3])}: its weights are damaged or training diverged. "
            "Lower the learning rate and train again."
        )
