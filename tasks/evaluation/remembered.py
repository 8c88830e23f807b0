"""What a base model scored and wrote, kept from run to run: only new rows are measured.

A base model does not change, and most rows of a dataset that grows are those of yesterday. What
is kept goes by what the model saw: the tokens, how they were batched at most, and in which pass.
The noise floor's pass is kept apart, or a model would be compared with its own memory.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from data_contracts.base import digest
from tasks.memo import Memo

T = TypeVar("T")

# Raise when scores or answers of the same tokens change.
_VERSION = 1
_LIBRARIES = ("torch", "transformers", "tokenizers")


def base_memory(folder: Path, fingerprint: str, split: str | None) -> Memo:
    """Return what is kept of a base model's measurements.

    Args:
        folder: Where the files lie.
        fingerprint: The model's.
        split: Whose rows alone are measured; each has a file of its own, since a file holds
            what the last run used.

    Raises:
        StorageError: On leaving it, the file cannot be written.
    """
    import torch

    libraries = [version(name) for name in _LIBRARIES]
    return Memo(folder, [_VERSION, fingerprint, split, libraries, torch.cuda.is_available()])


@dataclass(frozen=True)
class Memory:
    """A model's measurements in one pass over rows.

    Attributes:
        memo: Where they are kept; None to measure all of them.
        part: Names the pass.
    """

    memo: Memo | None = None
    part: str = "first"

    def measured(
        self,
        what: Sequence[object],
        rows: Sequence[T],
        tokens: Callable[[T], object],
        measure: Callable[[list[T]], Sequence[Any]],
    ) -> list[Any]:
        """Return the measurement of each row; rows that are known are not measured.

        Args:
            what: Names the measurement and its options.
            rows: What is measured.
            tokens: What the model sees of a row.
            measure: Measures some of the rows; what it returns can be written as JSON.
        """
        if self.memo is None:
            return list(measure(list(rows)))
        keys = [digest([self.part, *what, tokens(row)], length=32) for row in rows]
        kept = {key: self.memo.get(key) for key in keys}
        new = {key: row for key, row in zip(keys, rows, strict=True) if kept[key] is None}
        made = dict(zip(new, measure(list(new.values())) if new else (), strict=True))
        for key, value in made.items():
            self.memo.put(key, json.dumps(value).encode())
        known = {key: json.loads(value) for key, value in kept.items() if value is not None}
        return [made[key] if key in made else known[key] for key in keys]
