"""The forms in which a test question is asked."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pyarrow as pa

from data_contracts.schemas import EXAMPLE
from tasks.augmentation.augmenter import Example
from tasks.augmentation.augmenters.rewording import reword
from tasks.augmentation.augmenters.typos import TyposAugmenter
from tasks.evaluation.predict import pick
from tasks.robustness.config import RobustnessConfig

Row = dict[str, Any]

ORIGINAL, REWORDED, MISTYPED, REORDERED = "original", "reworded", "mistyped", "reordered"
FORMS = (REWORDED, MISTYPED, REORDERED)

# Parts the row from the form in a variant's identifier.
_BORDER = "|"


def variants(examples: pa.Table, config: RobustnessConfig) -> pa.Table:
    """Return some test rows as they are and in every form that fits them.

    The form is the row's kind, and part of its identifier.

    Args:
        examples: Rows in the EXAMPLE schema with `split` set.
        config: How many rows.
    """
    tests = [row for row in examples.to_pylist() if row["split"] == "test"]
    chosen = pick(tests, lambda row: str(row["example_id"]), config.rows)
    rows = [variant for row in chosen for variant in _forms(row, config.seed)]
    return pa.Table.from_pylist(rows, schema=EXAMPLE)


def row_of(variant_id: str) -> str:
    """Return the identifier of the row that a variant was made from."""
    return variant_id.rsplit(_BORDER, 1)[0]


def _forms(row: Row, seed: int) -> Iterator[Row]:
    yield _form(row, ORIGINAL, row["question"])
    random = Random(f"{seed}-{row['example_id']}")  # noqa: S311 - repeatable, no secret
    reworded = list(reword(row["question"], row["kind"]))
    if reworded:
        yield _form(row, REWORDED, random.choice(reworded))
    mistyped = list(TyposAugmenter().augment(_as_example(row), random))
    if mistyped:
        yield _form(row, MISTYPED, mistyped[0].question)
    if row["context"]:
        asked = f"{row['question']}\n\n{row['context']}"
        yield _form(row, REORDERED, asked) | {"context": None}


def _form(row: Row, form: str, question: str) -> Row:
    name = f"{row['example_id']}{_BORDER}{form}"
    return row | {"example_id": name, "kind": form, "question": question, "parent_id": None}


def _as_example(row: Row) -> Example:
    return Example(row["kind"], row["question"], row["answer"], row["context"])
