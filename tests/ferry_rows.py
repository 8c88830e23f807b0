"""A few rows that a tiny model can learn, for tests of training."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from data_contracts.schemas import EXAMPLE, blank_row


def ferry_rows(
    rows: int, train: int, cells: Callable[[int], dict[str, Any]] = lambda number: {}
) -> pa.Table:
    """Return rows of five lengths: the first for training, the rest for validation.

    Args:
        rows: How many.
        train: How many of them are for training.
        cells: What a row has otherwise, by its number.
    """
    made = [
        blank_row(EXAMPLE)
        | {
            "example_id": f"e{number}",
            "kind": "fact",
            "question": "What is a ferry" + " that is slow" * (number % 5) + "?",
            "answer": "A ferry is a ship that carries cars and people.",
            "document_id": "d",
            "chunk_id": "c",
            "generator": "fact",
            "split": "train" if number < train else "validation",
        }
        | cells(number)
        for number in range(rows)
    ]
    return pa.Table.from_pylist(made, schema=EXAMPLE)
