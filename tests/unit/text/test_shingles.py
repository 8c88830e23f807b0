import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.text import shingles
from tasks.text.normalise import normalise
from tasks.text.shingles import (
    among,
    character_shingles,
    distinct,
    found_among,
    jaccard,
    places_in,
    union,
    word_ngrams,
)

# Written down from a first run: signatures in old datasets must stay comparable.
PINNED = 1856924650487028396

TEXTS = st.text(alphabet="ab cdé.1", max_size=40)
# Few that are next to each other, and the ends of what there is: equal beginnings, equal values.
NUMBERS = st.one_of(
    st.integers(0, 20), st.integers(2**64 - 20, 2**64 - 1), st.integers(0, 2**64 - 1)
)
HASHES = st.lists(NUMBERS, max_size=30).map(lambda numbers: np.array(numbers, np.uint64))


def windows(text: str, length: int) -> set[str]:
    padded = f" {normalise(text)} " if normalise(text) else ""
    length = min(length, len(padded))
    return {padded[i : i + length] for i in range(len(padded) - length + 1)} - {""}


@given(TEXTS, TEXTS)
def test_jaccard_is_that_of_the_plain_sets_of_windows(left: str, right: str) -> None:
    ours, theirs = windows(left, 5), windows(right, 5)
    expected = len(ours & theirs) / len(ours | theirs) if ours | theirs else 0.0
    measured = jaccard(character_shingles(left, 5), character_shingles(right, 5))
    assert measured == pytest.approx(expected)


def test_hashes_are_sorted_distinct_and_the_same_on_every_machine() -> None:
    hashes = character_shingles("to be or not to be", 5)
    assert (np.diff(hashes.astype(object)) > 0).all()
    assert int(character_shingles("berth", 5)[0]) == PINNED


def test_short_texts_have_a_shingle_but_no_ngram() -> None:
    assert character_shingles("No", 5).size == 1
    assert character_shingles(" .", 5).size == 0
    assert word_ngrams("one two three", 4).size == 0
    assert word_ngrams("one two three four five", 4).size == 2


def test_normal_form_ignores_case_punctuation_spacing_and_width() -> None:
    assert normalise("  The\n ﬁrst—BERTH_window! ") == "the first berth window"


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(HASHES, HASHES, st.booleans())
def test_each_hash_is_found_at_its_place_and_no_other(
    values: np.ndarray, hashes: np.ndarray, many: bool
) -> None:
    known = union([values])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shingles, "_CACHED", -1 if many else 1 << 18)
        places = places_in(known, hashes)
        positions, found = found_among(known, hashes)
    listed = known.tolist()
    expected = [listed.index(h) if h in listed else -1 for h in hashes.tolist()]
    assert places.tolist() == expected
    assert among(hashes, known).tolist() == [place >= 0 for place in expected]
    assert positions.tolist() == [at for at, place in enumerate(expected) if place >= 0]
    assert found.tolist() == [place for place in expected if place >= 0]


@given(st.lists(HASHES, max_size=4))
def test_the_union_holds_each_hash_once_in_order(sets: list[np.ndarray]) -> None:
    assert union(sets).tolist() == sorted(set().union(*(row.tolist() for row in sets)))


def test_distinct_values_keep_their_type() -> None:
    found = distinct(np.array([3, -1, 3], np.int64))
    assert found.tolist() == [-1, 3]
    assert found.dtype == np.int64
