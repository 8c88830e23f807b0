import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tasks.text.config import SimilarityConfig
from tasks.text.rows import RowTexts, listed, ngram_features, shingle_features

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


@given(st.text(":ab", max_size=8), st.integers(0, 8), st.integers(0, 8), st.integers(0, 1))
def test_rows_with_other_fields_are_not_taken_for_each_other(table, text, one, other, cut) -> None:
    """Also where they say the same one after the other, or with a mark of ours between."""
    rows = [{"question": text[:at], "answer": text[at + cut :]} for at in (one, other)]
    pairs = CONFIG.model_copy(update={"ngram_length": 2})
    together = ngram_features(RowTexts(table(rows)), pairs)
    for row, found in zip(rows, together, strict=True):
        assert np.array_equal(found, ngram_features(RowTexts(table([row])), pairs)[0])


def test_the_lists_of_all_rows_are_one(table) -> None:
    scores = [{"name": "relevance", "score": 0.5}, {"name": "clarity", "score": 1.0}]
    rows = table([{"scores": scores}, {}, {"scores": scores[:1]}])
    assert listed(rows, "scores", "name", "score") == [
        ("relevance", 0.5), ("clarity", 1.0), ("relevance", 0.5),
    ]  # fmt: skip
    assert listed(rows.slice(1, 1), "scores", "name") == []
