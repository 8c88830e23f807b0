"""Order of the training rows: rows of like length together, so that little is padded."""

from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Sampler

# Rows are shuffled, cut into pools of so many batches, and sorted by length within a pool:
# large enough to save padding, small enough to stay random.
BATCHES_IN_A_POOL = 16


class LengthGroupedSampler(Sampler[int]):
    """Yields row indices; the order depends on seed and epoch alone.

    transformers' own sampler draws from the global generator, so a resumed run would see
    another order than an undisturbed one.

    Args:
        lengths: Tokens of each row.
        batch_size: Rows in a batch.
        seed: Of the shuffle.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self.lengths, self.batch_size, self.seed, self.epoch = lengths, batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of that epoch; called by the trainer."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        """Yield every row index once."""
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        shuffled: list[int] = torch.randperm(len(self.lengths), generator=generator).tolist()
        pool = self.batch_size * BATCHES_IN_A_POOL
        batches: list[list[int]] = []
        for start in range(0, len(shuffled), pool):
            rows = sorted(shuffled[start : start + pool], key=lambda row: -self.lengths[row])
            batches += [rows[i : i + self.batch_size] for i in range(0, len(rows), self.batch_size)]
        # A short last batch must stay last: batches are cut from this order again.
        full = [batch for batch in batches if len(batch) == self.batch_size]
        rest = [row for batch in batches if len(batch) < self.batch_size for row in batch]
        for position in torch.randperm(len(full), generator=generator).tolist():
            yield from full[position]
        yield from rest
