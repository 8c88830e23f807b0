"""The kind for small models: which sentences are asked about, which questions are accepted."""

import pytest

from tasks.generation.base import Subject
from tasks.generation.fit import flaws
from tasks.generation.generators.answer_first import AnswerFirstGenerator, QuestionReply
from tasks.generation.targets import find_target
from tests.unit.generation.conftest import view

SENTENCE = "Lost objects are stored behind the net loft for 60 days."


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (SENTENCE, "60 days"),
        ("The new gangway was delivered for EUR 64,000.", "EUR 64,000"),
        ("Whites are washed on board at 60 degrees and are changed daily.", "60 degrees"),
        ("It is stored behind the net loft for 60 days.", None),
        ("Ask for leave at least three weeks before the first day.", None),
        ("Objects are stored for 60 days if nobody asks for them.", None),
        ("Objects are stored for 60 days and medicine for 7 days.", None),
        ("A battery lasts ten hours.", None),  # the rules of `fact` ask about this one
    ],
)
def test_targets(text: str, answer: str | None) -> None:
    target = find_target(view(text))
    assert (target.answer if target else None) == answer


def found_flaws(question: str) -> list[str]:
    target = find_target(view(SENTENCE))
    assert target is not None
    return list(flaws(question, target, 0.6))


@pytest.mark.parametrize(
    "question",
    [
        "How long are lost objects stored behind the net loft?",
        "For how many days are lost objects stored behind the net loft?",
    ],
)
def test_fitting_questions(question: str) -> None:
    assert found_flaws(question) == []


@pytest.mark.parametrize(
    ("question", "flaw"),
    [
        ("Where are lost objects stored behind the net loft?", "does not ask for"),
        ("How long are lost objects stored for 60 days behind the net loft?", "holds the answer"),
        ("How long are lost books stored behind the net loft?", "words of its own"),
        ("How long is the net loft?", "leaves out"),
        ("How long does the net loft store lost objects behind?", "leaves out 'are'"),
        ("How long are lost the net loft behind stored objects?", "turns the sentence round"),
        ("How long were lost objects stored behind the net loft?", "verb"),
    ],
)
def test_questions_that_miss_the_answer(question: str, flaw: str) -> None:
    assert any(flaw in found for found in found_flaws(question))


def test_the_prompt_shows_examples_of_the_same_sort_and_the_answer_is_the_sentence() -> None:
    generator = AnswerFirstGenerator()
    subject = Subject(view(SENTENCE, title="Lost property"))
    messages = generator.messages(subject)
    assert messages is not None
    assert messages[-1]["content"] == f"Sentence: {SENTENCE}\nAnswer: 60 days"
    assert "40 minutes" in messages[1]["content"]
    reply = QuestionReply(question="How long are lost objects stored behind the net loft?")
    (candidate,) = generator.parse(reply, subject)
    assert (candidate.answer, candidate.flaw) == (SENTENCE, "")
    assert candidate.question == (reply.question)
    assert "How long does the tour of the mill take?" in generator.shown_questions()
