"""What holds for every augmenter that is registered."""

from random import Random

import pytest

from tasks.augmentation.augmenter import (
    AUGMENTERS,
    Augmenter,
    Example,
    Passage,
    RuleAugmenter,
)

EXAMPLES = [
    Example("definition", "What is a berth window?", "A berth window is a period.", None),
    Example(
        "faq",
        "How many days do I have?",
        "You have 30 days of leave.",
        "Leave policy",
        around=(Passage("d", "c", "Ships sail at noon."),),
    ),
    Example("fact", "Who signs?", "The chief engineer signs.", None),
    Example("faq", "Tell me.\nNow", "No.", None),
]

RULES = [member for member in AUGMENTERS if issubclass(member, RuleAugmenter)]
members = pytest.mark.parametrize("member", list(AUGMENTERS), ids=AUGMENTERS.names())
rules = pytest.mark.parametrize("member", RULES, ids=lambda member: member.__name__)


@rules
def test_same_seed_same_variants(member: type[RuleAugmenter]) -> None:
    for example in EXAMPLES:
        once, again = (list(member().augment(example, Random("7"))) for _ in range(2))
        assert once == again


@rules
def test_variants_differ_from_the_row_and_are_not_empty(member: type[RuleAugmenter]) -> None:
    found = 0
    for example in EXAMPLES:
        for variant in member().augment(example, Random("7")):
            found += 1
            own = (example.question, example.answer, None)
            assert (variant.question, variant.answer, variant.context) != own
            assert variant.question == variant.question.strip() != ""
            assert variant.answer == variant.answer.strip() != ""
    assert found > 0


@members
def test_its_options_are_described(member: type[Augmenter]) -> None:
    for name, field in member.model_fields.items():
        assert field.description or name == "augmenter"
