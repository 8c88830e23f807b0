"""Format: the same question, put the way different people put a request."""

from collections.abc import Iterator
from random import Random
from typing import ClassVar, Literal

from pydantic import Field

from tasks.augmentation.augmenter import AUGMENTERS, Example, RuleAugmenter, Variant

_FRAMES = (
    "Question: {}",
    "Q: {}",
    "Please answer this question: {}",
    "Answer the following question. {}",
    "I have a question: {}",
    "{} Please answer.",
)
_FRAMES_LONG = ("Answer in full: {}", "Please explain in detail. {}")
_FRAMES_SHORT = ("Answer briefly: {}", "In a few words: {}")


@AUGMENTERS.register
class FormatAugmenter(RuleAugmenter):
    """Puts a question into a frame that asks for an answer of the length the row has."""

    like_parent: ClassVar[bool] = True

    augmenter: Literal["format"] = "format"
    short: int = Field(8, ge=1, description="An answer of at most this many words is brief.")
    long: int = Field(30, ge=1, description="An answer of at least this many words is full.")

    def augment(self, example: Example, random: Random) -> Iterator[Variant]:
        """Yield the question in each fitting frame, in random order."""
        question = example.question
        if not question.endswith("?") or "\n" in question:
            return
        words = len(example.answer.split())
        frames = list(_FRAMES)
        frames += _FRAMES_SHORT if words <= self.short else ()
        frames += _FRAMES_LONG if words >= self.long else ()
        random.shuffle(frames)
        for frame in frames:
            yield Variant(frame.replace("{}", question), example.answer)
