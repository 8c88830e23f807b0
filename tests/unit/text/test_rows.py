import numpy as np

from tasks.text.config import SimilarityConfig
from tasks.text.rows import RowTexts, ngram_features, shingle_features

CONFIG = SimilarityConfig(ngram_length=3)


def test_earlier_turns_belong_to_the_question(table) -> None:
    turns = [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Yes."}]
    (text,) = RowTexts(table([{"history": turns, "question": "Why?", "answer": "Fog."}])).said
    assert text == "Hello?\nYes.\nWhy?\nFog."


def test_a_run_of_words_lies_within_one_field(table) -> None:
    whole, parts, passage = ngram_features(
        RowTexts(
            table(
                [
                    {"answer": "red green blue", "question": "Why is it?"},
                    {"question": "Is it red?", "answer": "green blue"},
                    {"question": "Is it?", "answer": "No.", "context": "red green blue"},
                ]
            )
        ),
        CONFIG,
    )
    assert set(passage) < set(whole)
    assert not set(parts) & set(passage)


def test_equal_texts_have_equal_shingles() -> None:
    first, second = shingle_features(["a berth window", "a berth window"], CONFIG)
    assert first.size and np.array_equal(first, second)
