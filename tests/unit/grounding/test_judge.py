"""Grounding: right rows pass, rows made wrong on purpose do not."""

import pytest

from tasks.grounding.judge import judge

PASSAGE = (
    "Every full-time employee has 28 days of annual leave per calendar year. A request for more "
    "than fifteen days must be approved by Isolde Marrin. A receipt below EUR 10 is not paid. "
    "Sign-in is allowed at least 30 minutes before departure."
)
QUESTION = "How many days of annual leave does every full-time employee have?"
ANSWER = "Every full-time employee has 28 days of annual leave per calendar year."


def reason(answer: str = ANSWER, question: str = QUESTION) -> str | None:
    return judge(question, answer, PASSAGE, ("Leave policy", "Annual leave"), 0.75).reason


@pytest.mark.parametrize(
    "answer",
    [
        ANSWER,
        "28 days",
        "28 days of annual leave.",
        "Every full-time employee gets 28 days.",
        "Employees who work full-time have 28 days of annual leave.",
    ],
)
def test_supported_answers_pass(answer: str) -> None:
    assert reason(answer) is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (ANSWER.replace("28", "30"), "number_mismatch"),
        (ANSWER.replace("days", "weeks"), "number_mismatch"),
        (ANSWER.replace("has", "does not have"), "negation_mismatch"),
        (ANSWER.rstrip(".") + " and a free bicycle from the company garage.", "ungrounded"),
        ("The company garage lends free bicycles to 28 visitors.", "number_mismatch"),
    ],
)
def test_wrong_answers_fail(answer: str, expected: str) -> None:
    assert reason(answer) == expected


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        ("Who approves a request for more than fifteen days?", "Tobias Quern", "name_mismatch"),
        ("Who approves a request for more than fifteen days?", "Isolde Marrin", None),
        ("Which receipt is not paid?", "A receipt below EUR 10 is paid.", "negation_mismatch"),
        ("Which receipt is not paid?", "A receipt below USD 10 is not paid.", "number_mismatch"),
        ("When is sign-in allowed?", "At most 30 minutes before departure.", "number_mismatch"),
        ("When is sign-in allowed?", "At least 30 minutes before departure.", None),
    ],
)
def test_names_units_negations_and_bounds(question: str, answer: str, expected: str | None) -> None:
    assert reason(answer, question) == expected


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many days of annual leave does the passage mention?", "not_self_contained"),
        ("How many days does it give to every employee?", "not_self_contained"),
        ("How many days of annual leave are listed above?", "not_self_contained"),
        ("Annual leave of every full-time employee.", "malformed"),
        ("You: I have leave. How many days is it?", "malformed"),
        ("How many days? And how many weeks of annual leave?", "malformed"),
        ("The annual leave has how many days?", "malformed"),
        ("How many many days of annual leave are there?", "malformed"),
        ("How many days of annual leave does Barnaby have?", "name_mismatch"),
        ("Why?", "too_short"),
    ],
)
def test_questions_that_do_not_stand_fail(question: str, expected: str) -> None:
    assert reason(question=question) == expected


def test_an_answer_that_repeats_the_question_fails() -> None:
    question = "Who may have 28 days of annual leave per calendar year as a full-time employee?"
    assert reason("Every full-time employee has 28 days of annual leave.", question) == (
        "answer_in_question"
    )


def test_an_answer_of_the_wrong_sort_fails() -> None:
    assert reason("Isolde Marrin approves the request.") == "wrong_type"


def test_a_question_copied_from_the_prompt_fails() -> None:
    shown = ("How many days of leave does an employee have?",)
    question = "How many days of leave does every employee have?"
    judged = judge(question, ANSWER, PASSAGE, (), 0.75, shown)
    assert judged.reason == "copies_example"


def test_the_score_falls_with_what_the_passage_does_not_support() -> None:
    whole = judge(QUESTION, ANSWER, PASSAGE, (), 0.0).score
    half = judge(QUESTION, ANSWER + " Wages rise each spring.", PASSAGE, (), 0.0).score
    assert whole == 1.0
    assert half < 0.6
