import pytest

from tasks.text.facts import facts


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Grease the 12 hinges.", "Grease the 16 hinges."),
        ("Answer within five days.", "Answer within three days."),
        ("You may enter.", "You may not enter."),
        ("Take it to the Kessenhaven workshop.", "Take it to the Dunmarrow workshop."),
    ],
)
def test_numbers_names_and_negations_tell_texts_apart(left: str, right: str) -> None:
    assert facts(left) != facts(right)


def test_other_words_and_capitals_that_open_a_sentence_do_not() -> None:
    assert facts("Grease the hinges. Then rest.\n- Start") == facts("first rest, then one greases")
