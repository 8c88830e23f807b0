"""Refusals without a language model: a question, shown with a passage that does not answer it."""

from pathlib import Path

import pytest

from data_contracts.schemas import EXAMPLE
from data_contracts.validation import validate
from tasks.generation.config import GenerationConfig
from tasks.generation.generate import generate_examples
from tasks.generation.generators.fact import FactGenerator
from tasks.generation.generators.unanswered import UnansweredGenerator
from tasks.generation.verdict import answering_sentence
from tests.unit.generation.conftest import tables

PAGES = (
    "Leave",
    [
        (
            ["Annual leave"],
            "Every full-time employee has 28 days of annual leave per year. Ask your lead for "
            "leave before you book a journey, since lists are made early in the spring.",
        ),
        (
            ["Buying leave"],
            "Up to 4 more days can be bought. The price per day is EUR 150 and is taken from the "
            "pay in March, and what was bought is never paid out to an employee again.",
        ),
    ],
)


def run(tmp_path: Path, **options: object):
    config = GenerationConfig(
        generators=(FactGenerator(), UnansweredGenerator()), with_context=False, **options
    )
    return generate_examples(*tables(PAGES), config, None, tmp_path)


def test_the_passage_shown_does_not_hold_the_answer(tmp_path: Path) -> None:
    result = run(tmp_path, max_refusal_share=0.9)
    assert validate(result.kept, EXAMPLE, "generation").success
    rows = {row["example_id"]: row for row in result.kept.to_pylist()}
    refusals = [row for row in rows.values() if row["generator"] == "unanswered"]
    assert refusals
    for row in refusals:
        parent = rows[row["parent_id"]]
        assert row["question"] == parent["question"]
        assert row["chunk_id"] != parent["chunk_id"]
        assert row["other_chunks"][0]["chunk_id"] == parent["chunk_id"]
        assert parent["answer"] not in row["context"]
        assert parent["context"] is None  # rows of other kinds keep to `with_context`
        assert "passage" in row["answer"]
        assert row["evidence_start"] is None


def test_the_share_of_refusals_is_capped(tmp_path: Path) -> None:
    result = run(tmp_path, max_refusal_share=0.0)
    assert result.figures["rows.unanswered"] == 0
    assert "over_share" in result.dropped.column("reason").to_pylist()


def test_a_passage_with_the_figure_is_not_shown(tmp_path: Path) -> None:
    title, sections = PAGES
    told = "Whoever keeps 28 and 4 and 150 in mind has the gist."
    both = (title, [(heading, f"{text} {told}") for heading, text in sections])
    config = GenerationConfig(
        generators=(FactGenerator(), UnansweredGenerator()), max_refusal_share=0.9
    )
    result = generate_examples(*tables(both), config, None, tmp_path)
    assert result.figures["rows.unanswered"] == 0


@pytest.mark.parametrize(
    ("question", "answered"),
    [
        ("What is there to know about finance?", True),
        ('According to "Agreements", what is said under "Signatures"?', False),
        ("Which team works with the finance team?", True),
        ("When does the finance team move house?", False),
    ],
)
def test_a_sentence_with_nearly_all_words_of_a_question_may_answer_it(
    question: str, answered: bool
) -> None:
    passage = "The agreements team works with units. It works with the finance team as well."
    assert bool(answering_sentence(question, passage, ["Agreements"])) == answered
