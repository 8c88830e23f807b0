import pytest

from tasks.text.config import SimilarityConfig
from tasks.text.fact_words import fact_features, subject_words
from tasks.text.rows import RowTexts
from tasks.text.shingles import jaccard
from tasks.text.template import Templates

ROW = {
    "question": "How many hinges of the Wren's ramp are greased each week?",
    "answer": "The deckhand greases 12 hinges.",
}


def closeness(table, first: dict, second: dict, **config) -> float:
    left, right = fact_features(RowTexts(table([first, second])), SimilarityConfig(**config))
    return jaccard(left, right) if left.size and right.size else 0.0


def test_another_wording_of_the_same_fact_is_near(table) -> None:
    other = {
        "question": "Weekly job on the ramp of the Wren: which hinge does a deckhand see to?",
        "answer": "12 of them, by greasing: hinges of the ramp, each week.",
    }
    assert closeness(table, ROW, other) >= SimilarityConfig().fact_threshold


@pytest.mark.parametrize("value", ["16 hinges", "no hinges", "hinges", "twelve or 12 hinges"])
def test_rows_that_differ_in_a_number_or_a_negation_state_different_facts(table, value) -> None:
    other = ROW | {"answer": ROW["answer"].replace("12 hinges", value)}
    assert closeness(table, ROW, other) == 0


def test_short_generic_rows_state_no_fact(table) -> None:
    yes = {"question": "Is it so?", "answer": "Yes."}
    assert closeness(table, yes, yes) == 0
    wordy = {"question": "Is this what you would have if they could?", "answer": "Yes, it is that."}
    assert closeness(table, wordy, wordy) == 0


def test_words_of_many_documents_are_no_subject(table) -> None:
    rows = [{"question": "Harbour office timetable, monthly?", "answer": "Harbour"}] * 6
    assert all(
        found.size == 0 for found in fact_features(RowTexts(table(rows)), SimilarityConfig())
    )
    some = fact_features(RowTexts(table(rows)), SimilarityConfig(template_documents=7))
    assert all(found.size == 4 for found in some)


def test_template_words_are_counted_over_the_first_table_only(table) -> None:
    rows = [{"question": "Harbour office timetable, monthly?", "answer": "Harbour"}] * 6
    templates = Templates()
    fact_features(RowTexts(table(rows[:1])), SimilarityConfig(), templates)
    counted = fact_features(RowTexts(table(rows)), SimilarityConfig(), templates)
    assert all(found.size == 4 for found in counted)


def test_singular_plural_case_and_function_words_do_not_matter() -> None:
    assert subject_words("The HINGES of a ramp") == subject_words("which hinge, and what ramps?")
