import pytest

from tasks.generation.refusals import REFUSALS
from tasks.text.abstention import abstains, refuses


@pytest.mark.parametrize("answer", REFUSALS)
def test_what_rows_are_trained_to_say_is_an_abstention_and_no_refusal(answer: str) -> None:
    assert abstains(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "I don\N{RIGHT SINGLE QUOTATION MARK}t know.",
        "Das weiß ich nicht.",
        "Je ne sais pas.",
        "There is not enough information to say.",
        " ",
    ],
)
def test_not_knowing_is_told_in_several_languages(answer: str) -> None:
    assert abstains(answer)
    assert not refuses(answer)


@pytest.mark.parametrize(
    "answer",
    ["I'm sorry, but I can't help with that.", "I will not write this.", "No puedo ayudarte."],
)
def test_declining_is_both(answer: str) -> None:
    assert refuses(answer)
    assert abstains(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "Open the task manager and end the process.",
        "The badge costs 25 euro.",
        "Employees must not share passwords.",
        "Bait works well. " * 20 + "I cannot say more.",
    ],
)
def test_an_answer_is_neither(answer: str) -> None:
    assert not refuses(answer)
    assert not abstains(answer)
