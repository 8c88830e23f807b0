"""Shares the rows of each batch among processes, so that all together see what one would."""

from collections.abc import Iterator, Sequence
from typing import Any

from torch.utils.data import Sampler

from tasks.modeling.chat import IGNORED, EncodedExample


class SharedOut(Sampler[int]):
    """Yields the rows of a sampler so that equal slices of a batch are the processes' parts.

    A short batch is filled up with the blank row, whose index is the number of rows, and each
    process gets every n-th row: those of a batch are sorted by length.

    Args:
        rows: Order of the rows for one process.
        count: Number of rows.
        batch_size: Rows in a batch, over all processes.
        processes: How many share it.
    """

    def __init__(
        self, rows: Sampler[int] | range, count: int, batch_size: int, processes: int
    ) -> None:
        self.rows, self.count, self.batch_size, self.processes = rows, count, batch_size, processes

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of that epoch; called by the trainer."""
        set_epoch: Any = getattr(self.rows, "set_epoch", None)
        if set_epoch is not None:
            set_epoch(epoch)

    def __len__(self) -> int:
        """Return the number of rows, blank ones included."""
        return -(-self.count // self.batch_size) * self.batch_size

    def __iter__(self) -> Iterator[int]:
        """Yield every row index once, and the blank row where there are too few."""
        order = list(self.rows)
        order += [self.count] * (len(self) - len(order))
        for start in range(0, len(order), self.batch_size):
            batch = order[start : start + self.batch_size]
            for first in range(self.processes):
                yield from batch[first :: self.processes]


def with_blank(rows: Sequence[EncodedExample], pad_token_id: int) -> list[EncodedExample]:
    """Return the rows and, as the last one, a row that nothing is learned from."""
    return [*rows, EncodedExample((pad_token_id,) * 2, (IGNORED,) * 2)]


def without_blanks(rows: list[EncodedExample]) -> list[EncodedExample]:
    """Return the rows that carry labels, or one blank row if a process has no other."""
    return [row for row in rows if row.supervised] or rows[:1]
