"""What a variant must hold before it counts: it says what its parent says, and no more."""

from dataclasses import dataclass

from tasks.augmentation.augmenter import Augmenter, Example, LLMAugmenter, Variant
from tasks.augmentation.config import AugmentationConfig
from tasks.grounding.claims import content_sequence
from tasks.grounding.judge import judge
from tasks.text.facts import facts
from tasks.text.language import detect_language
from tasks.text.normalise import normalise
from tasks.text.shingles import character_shingles, jaccard

# A question with fewer of the parent's content words asks for something else. Half: "What
# does a lost badge cost?" and "How much must be paid for a badge that was lost?" share it.
_LEAST_SHARED = 0.5

# Answers that are shorter or longer by more have left something out, or made it up.
_LENGTH = (0.5, 2.0)


@dataclass(frozen=True)
class Finding:
    """What was found about a variant.

    Attributes:
        grounding: Support of the answer by the passage; None where it was not judged anew.
        reason: Why it must be dropped, in one word, or None.
        detail: A sentence for a person.
        similarity: To the row it repeats, where it is dropped as a repetition.
    """

    grounding: float | None = None
    reason: str | None = None
    detail: str = ""
    similarity: float | None = None


def check(
    example: Example, variant: Variant, augmenter: Augmenter, config: AugmentationConfig
) -> Finding:
    """Check a variant against its parent; what a rule made keeps question and answer by design.

    Args:
        example: The parent.
        variant: What was made of it.
        augmenter: Who made it.
        config: Thresholds.
    """
    if isinstance(augmenter, LLMAugmenter):
        said = _says_the_same(example, variant) or _grounded(example, variant, config)
        if said.reason is not None or said.grounding is None:
            return said
    else:
        said = Finding()
    if not augmenter.like_parent:
        found = likeness(
            (example.question, example.answer, None),
            (variant.question, variant.answer, None),
            config,
        )
        if found >= config.duplicate_threshold:
            return Finding(None, "near_parent", "It repeats the row it was made from.", found)
    return said


def _says_the_same(example: Example, variant: Variant) -> Finding | None:
    told = detect_language(f"{variant.question}\n{variant.answer}")
    if told and example.language and told != example.language:
        return Finding(
            None, "other_language", f"It is in {told}, its parent in {example.language}."
        )
    for name, before, after in (
        ("question", example.question, variant.question),
        ("answer", example.answer, variant.answer),
    ):
        changed = changed_facts(before, after)
        if changed:
            words = ", ".join(sorted(changed))
            return Finding(None, "facts_differ", f"Parent and {name} differ in: {words}.")
    asked = set(content_sequence(example.question))
    kept = len(asked & set(content_sequence(variant.question))) / max(len(asked), 1)
    if kept < _LEAST_SHARED:
        detail = f"The question has {kept:.0%} of the words that its parent asks about."
        return Finding(None, "other_question", detail)
    length = len(variant.answer.split()) / max(len(example.answer.split()), 1)
    if not _LENGTH[0] <= length <= _LENGTH[1]:
        return Finding(None, "other_length", f"The answer is {length:.1f} times as long.")
    return None


def changed_facts(before: str, after: str) -> frozenset[str]:
    """Return the numbers, names and negations that one of two texts has and the other lacks.

    A name may open a sentence in one text only, where its capital says nothing: it need not
    be a name there, only a word.
    """
    there, here = set(normalise(before).split()), set(normalise(after).split())
    return frozenset((facts(before) - here) | (facts(after) - there))


def _grounded(example: Example, variant: Variant, config: AugmentationConfig) -> Finding:
    """Judge by the passage; a row without one is held against its parent's own words."""
    passage = example.passage or f"{example.question}\n{example.answer}"
    found = judge(variant.question, variant.answer, passage, example.headings, config.min_grounding)
    return Finding(found.score, found.reason, found.detail)


Said = tuple[str, str, str | None]


def likeness(left: Said, right: Said, config: AugmentationConfig) -> float:
    """Return how alike two rows are in what they say: 0 where facts or contexts differ.

    Args:
        left: Question, answer and context of a row.
        right: The same of another.
        config: Length of the shingles.

    With equal answers it is the questions that count: a long answer would drown them.
    """
    one, other = f"{left[0]}\n{left[1]}", f"{right[0]}\n{right[1]}"
    if left[2] != right[2] or changed_facts(one, other):
        return 0.0
    if normalise(left[1]) == normalise(right[1]):
        one, other = left[0], right[0]
    length = config.similarity.shingle_length
    return jaccard(character_shingles(one, length), character_shingles(other, length))
