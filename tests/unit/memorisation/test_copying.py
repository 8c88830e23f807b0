import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.memorisation.copying import TrainingText

TEXT = TrainingText(["The ferry leaves at nine in the morning.", "Dogs travel free of charge."])

words = st.lists(st.sampled_from(["ferry", "dog", "nine", "quay", "rope"]), max_size=12)


@pytest.mark.parametrize(
    ("written", "longest"),
    [
        ("The ferry leaves at nine.", 4),  # articles do not count
        ("A FERRY leaves; at nine in morning", 6),
        ("It leaves at noon", 2),
        ("nine dogs", 1),
        ("in the morning dogs travel", 2),  # no run reaches from one text into the next
        ("rabbit", 0),
        ("ferr", 0),  # a part of a word is no word
        ("", 0),
    ],
)
def test_the_longest_run_of_words_that_stands_in_one_training_text(
    written: str, longest: int
) -> None:
    assert TEXT.longest_run(written) == longest


def test_the_share_of_ngrams_that_are_copied() -> None:
    assert TEXT.copied_ngrams("dogs travel free of charge", 3) == 1.0
    assert TEXT.copied_ngrams("dogs travel free today", 3) == 0.5
    assert TEXT.copied_ngrams("nine", 3) == 1.0
    assert TEXT.copied_ngrams("...", 3) == 0.0


@given(st.lists(words, min_size=1, max_size=4), words)
def test_it_is_the_longest_common_substring(texts: list[list[str]], written: list[str]) -> None:
    found = TrainingText(" ".join(text) for text in texts).longest_run(" ".join(written))
    runs = [
        end - start
        for start in range(len(written))
        for end in range(start + 1, len(written) + 1)
        for text in texts
        if any(text[at : at + end - start] == written[start:end] for at in range(len(text)))
    ]
    assert found == max(runs, default=0)
