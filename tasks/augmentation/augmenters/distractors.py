"""Distractors: the right passage among passages of other documents; the answer stays.

A model that always saw exactly the right passage learns to answer from whatever it is given.
Retrieval gives it several, most of them wrong (RAFT, Zhang et al. 2024, arXiv:2403.10131).
"""

from collections.abc import Iterator
from random import Random
from typing import ClassVar, Literal

from pydantic import Field

from tasks.augmentation.augmenter import AUGMENTERS, Example, Passage, RuleAugmenter, Variant
from tasks.grounding.claims import content_sequence


@AUGMENTERS.register
class DistractorsAugmenter(RuleAugmenter):
    """Puts passages of other training documents around the passage of a row."""

    like_parent: ClassVar[bool] = True
    wants_around: ClassVar[bool] = True

    augmenter: Literal["distractors"] = "distractors"
    passages: int = Field(
        2, ge=1, le=8, description="Passages of other documents that are added, at most."
    )

    def augment(self, example: Example, random: Random) -> Iterator[Variant]:
        """Yield the row with as many passages as wished for, then with fewer, in random order."""
        if not example.context:
            return
        strange = [p for p in example.around if not _may_answer(p, example)]
        for count in range(min(self.passages, len(strange)), 0, -1):
            others = strange[:count]
            texts = [example.context, *(passage.text for passage in others)]
            random.shuffle(texts)
            context = "\n\n".join(texts)
            yield Variant(example.question, example.answer, context, tuple(others))


def _may_answer(passage: Passage, example: Example) -> bool:
    """Whether a passage speaks of all that is asked: it might answer, and differently."""
    asked = set(content_sequence(example.question))
    return passage.text in str(example.context) or asked <= set(content_sequence(passage.text))
