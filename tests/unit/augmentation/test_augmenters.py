"""What holds for every augmenter that is registered."""

from random import Random

import pytest

from tasks.augmentation.augmenter import AUGMENTERS, Augmenter, Example

EXAMPLES = [
    Example("definition", "What is a berth window?", "A berth window is a period.", None),
    Example("faq", "How many days do I have?", "You have 30 days of leave.", "Leave policy"),
    Example("fact", "Who signs?", "The chief engineer signs.", None),
    Example("faq", "Tell me.\nNow", "No.", None),
]

members = pytest.mark.parametrize("member", list(AUGMENTERS), ids=AUGMENTERS.names())


@members
def test_same_seed_same_variants(member: type[Augmenter]) -> None:
    for example in EXAMPLES:
        once, again = (list(member().augment(example, Random("7"))) for _ in range(2))
        assert once == again


@members
def test_variants_differ_from_the_row_and_are_not_empty(member: type[Augmenter]) -> None:
    found = 0
    for example in EXAMPLES:
        for variant in member().augment(example, Random("7")):
            found += 1
            assert (variant.question, variant.answer) != (example.question, example.answer)
            assert variant.question == variant.question.strip() != ""
            assert variant.answer == variant.answer.strip() != ""
    assert found > 0


@members
def test_its_options_are_described(member: type[Augmenter]) -> None:
    for name, field in member.model_fields.items():
        assert field.description or name == "augmenter"
