"""What an augmenter is: a plug-in that says a row's question, or answer, in another way."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from data_contracts.base import Config
from tasks.registry import Registry


@dataclass(frozen=True)
class Example:
    """What an augmenter is given of a training row."""

    kind: str
    question: str
    answer: str
    context: str | None


@dataclass(frozen=True)
class Variant:
    """A question and an answer with the meaning of the row they were made from."""

    question: str
    answer: str


class Augmenter(Config):
    """Base of all augmenters; `augmenter` is the plug-in's name."""

    augmenter: str

    def augment(self, example: Example, random: Random) -> Iterator[Variant]:
        """Yield variants of a row, the best first; none where nothing fits.

        Args:
            example: The training row.
            random: Source of chance, seeded for this row and this augmenter.
        """
        raise NotImplementedError


AUGMENTERS: Registry[Augmenter] = Registry(
    kind="augmenter", package="tasks.augmentation.augmenters", discriminator="augmenter"
)
"""The ways to say a training row again: one plug-in a file."""
