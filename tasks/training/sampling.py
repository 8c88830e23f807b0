"""Order of the training rows: rows of like length together, and known facts before new ones."""

from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Sampler

from data_contracts.errors import TrainingError

# Rows are shuffled, cut into pools of so many batches, and sorted by length within a pool:
# large enough to save padding, small enough to stay random.
BATCHES_IN_A_POOL = 16


# From what the model knows best to what it does not know (Gekhman et al. 2024, arXiv 2405.05904).
_CLASSES = ("HighlyKnown", "MaybeKnown", "WeaklyKnown", "Unknown")


def stages_of(knowledge: Sequence[str | None], order: str, seed: int) -> list[int]:
    """Return when each row has its turn: 0 for the first rows of an epoch, and so on.

    Rows without a class (replayed ones, say) are spread over all stages at random.

    Args:
        knowledge: Class of each row, None where nobody asked.
        order: `random`, `known_first` or `unknown_first`.
        seed: Of the spreading.

    Raises:
        TrainingError: An order by class is wanted and no row has one.
    """
    if order == "random":
        return [0] * len(knowledge)
    if not any(knowledge):
        raise TrainingError(
            f"training.order is {order}, and no training row has a knowledge class. Set "
            "selection.objective to knowledge, so that the base model is asked what it knows, or "
            "training.order to random."
        )
    classes = _CLASSES if order == "known_first" else _CLASSES[::-1]
    generator = torch.Generator().manual_seed(seed)
    anywhere = torch.randint(len(classes), (len(knowledge),), generator=generator).tolist()
    return [
        classes.index(known) if known else place
        for known, place in zip(knowledge, anywhere, strict=True)
    ]


class LengthGroupedSampler(Sampler[int]):
    """Yields row indices; the order depends on seed and epoch alone.

    transformers' own sampler draws from the global generator, so a resumed run would see
    another order than an undisturbed one.

    Args:
        lengths: Tokens of each row.
        batch_size: Rows in a batch.
        seed: Of the shuffle.
        stages: When each row has its turn within an epoch; all at once where none are given.
    """

    def __init__(
        self, lengths: Sequence[int], batch_size: int, seed: int, stages: Sequence[int] = ()
    ) -> None:
        self.lengths, self.batch_size, self.seed, self.epoch = lengths, batch_size, seed, 0
        self.stages = stages or [0] * len(lengths)

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
        rest: list[int] = []
        for stage in sorted(set(self.stages)):
            # Batches are cut from this order again, so what does not fill one goes on with the
            # next stage, and a short batch comes last.
            rows = rest + [row for row in shuffled if self.stages[row] == stage]
            full, rest = self._batches(rows)
            for position in torch.randperm(len(full), generator=generator).tolist():
                yield from full[position]
        yield from rest

    def _batches(self, rows: list[int]) -> tuple[list[list[int]], list[int]]:
        """Return full batches of rows of like length, and the rows that fill none."""
        pool = self.batch_size * BATCHES_IN_A_POOL
        batches: list[list[int]] = []
        for start in range(0, len(rows), pool):
            alike = sorted(rows[start : start + pool], key=lambda row: -self.lengths[row])
            batches += [
                alike[i : i + self.batch_size] for i in range(0, len(alike), self.batch_size)
            ]
        full = [batch for batch in batches if len(batch) == self.batch_size]
        return full, [row for batch in batches if len(batch) < self.batch_size for row in batch]
