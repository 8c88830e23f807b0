"""Augmentation of an example table: training rows said again, all others untouched.

Each document has a budget of `share` new rows for each of its training rows, so that the
total never exceeds the share and a changed document changes no other document's rows
(unless one then repeats the other's question). Its rows are visited in an order drawn by
hash, each with the augmenters in an order drawn for it: the first variant of every row
comes before the second of any.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from random import Random
from typing import Any

import pyarrow as pa

from data_contracts.base import digest
from data_contracts.dataset import StageResult
from data_contracts.schemas import EXAMPLE, dropped_schema
from tasks.augmentation.augmenter import Augmenter, Example, Variant
from tasks.augmentation.config import AugmentationConfig
from tasks.augmentation.figures import measure
from tasks.augmentation.leaks import Leak, find_leaks
from tasks.text.rows import strings

Row = dict[str, Any]


def augment_examples(examples: pa.Table, config: AugmentationConfig) -> StageResult:
    """Add variants of training rows; every row that came in goes out unchanged.

    A variant keeps its parent's document, chunk, evidence, group and split, and names it in
    `parent_id`. Variants that repeat a question or come near a held-out row are dropped.

    Args:
        examples: Rows in the EXAMPLE schema with `split` and `group_id` set.
        config: Augmenters, share, seed.
    """
    chosen, repeated = _choose(examples, config)
    candidates = pa.Table.from_pylist(chosen, schema=EXAMPLE)
    leaks = find_leaks(candidates, examples, config.similarity)
    new = candidates.take(pa.array([i for i in range(len(chosen)) if i not in leaks], pa.int64()))
    dropped = repeated + [_leaking(chosen[i], leak) for i, leak in sorted(leaks.items())]
    return StageResult(
        kept=pa.concat_tables([examples.cast(EXAMPLE), new]),
        dropped=pa.Table.from_pylist(dropped, schema=dropped_schema(EXAMPLE)),
        rows_in=examples.num_rows + len(chosen) + len(repeated),
        figures=measure(
            [row["question"] for rows in _training_documents(examples) for row in rows],
            strings(new, "question"),
            strings(new, "generator"),
        ),
    )


def _choose(examples: pa.Table, config: AugmentationConfig) -> tuple[list[Row], list[Row]]:
    """Return the new rows within every document's budget, and those that repeat a question."""
    asked = dict(zip(strings(examples, "question"), strings(examples, "example_id"), strict=True))
    chosen: list[Row] = []
    repeated: list[Row] = []
    for rows in _training_documents(examples):
        budget = math.floor(config.share * len(rows) + 1e-9)  # 0.3 * 10 is 2.9999...
        for candidate in _candidates(rows, config):
            if budget == 0:
                break
            earlier = asked.setdefault(candidate["question"], candidate["example_id"])
            if earlier != candidate["example_id"]:
                repeated.append(_repeating(candidate, earlier))
                continue
            chosen.append(candidate)
            budget -= 1
    return chosen, repeated


def _training_documents(examples: pa.Table) -> list[list[Row]]:
    """Return the training rows of each document, in the order of their identifiers."""
    documents: dict[str, list[Row]] = defaultdict(list)
    for row in examples.to_pylist():
        if row["split"] == "train":
            documents[row["document_id"]].append(row)
    ordered = [documents[name] for name in sorted(documents)]
    return [sorted(rows, key=lambda row: str(row["example_id"])) for rows in ordered]


def _candidates(rows: Sequence[Row], config: AugmentationConfig) -> Iterator[Row]:
    """Yield new rows of a document: one of each row, then a second of each, and so on."""
    drawn = sorted(rows, key=lambda row: digest([config.seed, row["example_id"]]))
    for turn in zip_longest(*(_variants(row, config) for row in drawn)):
        yield from (candidate for candidate in turn if candidate is not None)


def _variants(row: Row, config: AugmentationConfig) -> Iterator[Row]:
    """Yield new rows of a row: one by each augmenter, then a second by each, and so on."""
    random = Random(f"{config.seed}:{row['example_id']}")  # noqa: S311 - no secret
    augmenters = random.sample(config.augmenters, len(config.augmenters))
    example = Example(row["kind"], row["question"], row["answer"], row["context"])
    streams = [_stream(augmenter, example, row, config.seed) for augmenter in augmenters]
    for turn in zip_longest(*streams):
        yield from (candidate for candidate in turn if candidate is not None)


def _stream(augmenter: Augmenter, example: Example, row: Row, seed: int) -> Iterator[Row]:
    random = Random(f"{seed}:{row['example_id']}:{augmenter.augmenter}")  # noqa: S311
    for variant in augmenter.augment(example, random):
        yield _derive(row, variant, augmenter.augmenter)


def _derive(row: Row, variant: Variant, name: str) -> Row:
    identity = [row["example_id"], name, variant.question, variant.answer]
    return row | {
        "example_id": digest(identity, length=16),
        "question": variant.question,
        "answer": variant.answer,
        "generator": name,
        "generator_model": None,
        "prompt_sha256": None,
        "parent_id": row["example_id"],
        "grounding": row["grounding"] if variant.answer == row["answer"] else None,
    }


def _repeating(row: Row, earlier: str) -> Row:
    detail = f"Row {earlier} asks the same question."
    return row | {
        "reason": "repeated_question",
        "detail": detail,
        "duplicate_of": earlier,
        "similarity": 1.0,
    }


def _leaking(row: Row, leak: Leak) -> Row:
    detail = f"Too close to held-out row {leak.held_out_id} by {leak.detector}: {leak.measure:.2f}."
    return row | {
        "reason": "near_held_out",
        "detail": detail,
        "duplicate_of": leak.held_out_id,
        "similarity": min(leak.measure, 1.0),
    }
