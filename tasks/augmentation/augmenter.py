"""What an augmenter is: a plug-in that says a row's question, or answer, in another way."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from data_contracts.base import Config
from tasks.llm.request import Complete
from tasks.registry import Registry


@dataclass(frozen=True)
class Passage:
    """A passage that training rows come with, and where it stands."""

    document_id: str
    chunk_id: str
    text: str


@dataclass(frozen=True)
class Example:
    """What an augmenter is given of a training row.

    Attributes:
        kind: What sort of question it is.
        question: The question.
        answer: The answer.
        context: The passage given with the question, if there is one.
        language: ISO 639-1 code, where it is known.
        passage: What the answer rests on: the context, else its chunks' text; may be empty.
        headings: Title and headings of its chunk.
        around: Passages of other training documents, drawn for this row.
    """

    kind: str
    question: str
    answer: str
    context: str | None
    language: str | None = None
    passage: str = ""
    headings: tuple[str, ...] = ()
    around: tuple[Passage, ...] = ()


@dataclass(frozen=True)
class Variant:
    """A question and an answer with the meaning of the row they were made from.

    Attributes:
        question: The question.
        answer: The answer.
        context: Another context than the row's; None leaves it as it is.
        others: The passages that stand in the context beside the row's own.
    """

    question: str
    answer: str
    context: str | None = None
    others: tuple[Passage, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a language model made of a row: a variant, or the reason why there is none.

    Attributes:
        variant: What it said.
        prompt_sha256: Digest of what it was sent last.
        failure: Why there is no variant; empty if there is one.
        replied: Whether it replied at all; if not, a later run may get its reply.
    """

    variant: Variant | None
    prompt_sha256: str
    failure: str = ""
    replied: bool = True


class Augmenter(Config):
    """Base of all augmenters; `augmenter` is the plug-in's name."""

    augmenter: str

    # Whether its rows look like their parents on purpose, so that likeness is no fault.
    like_parent: ClassVar[bool] = False
    # Whether it needs passages of other documents.
    wants_around: ClassVar[bool] = False


class RuleAugmenter(Augmenter):
    """An augmenter that needs no language model."""

    def augment(self, example: Example, random: Random) -> Iterator[Variant]:
        """Yield variants of a row, the best first; none where nothing fits.

        Args:
            example: The training row.
            random: Source of chance, seeded for this row and this augmenter.
        """
        raise NotImplementedError


class LLMAugmenter(Augmenter):
    """An augmenter that asks a language model: one variant a row, checked like no rule's."""

    def applies(self, example: Example) -> bool:
        """Whether the model is asked about a row."""
        raise NotImplementedError

    def ask(self, example: Example, complete: Complete, repairs: int) -> Outcome:
        """Have the conversation about a row.

        Args:
            example: The training row.
            complete: Asks the model.
            repairs: How often an unusable reply is sent back with the error shown.
        """
        raise NotImplementedError


AUGMENTERS: Registry[Augmenter] = Registry(
    kind="augmenter", package="tasks.augmentation.augmenters", discriminator="augmenter"
)
"""The ways to say a training row again: one plug-in a file."""
