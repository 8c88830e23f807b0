import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import given
from hypothesis import strategies as st

from tasks.text.hash_rows import HashRows
from tasks.text.normalise import normalise
from tasks.text.shingle_batch import character_shingles as batch_of_characters
from tasks.text.shingle_batch import (
    distinct_shingles,
    normal_words,
    word_shingles,
)
from tasks.text.shingles import Hashes, character_shingles, word_ngrams
from tasks.text.signatures import RECALL, band_hashes, bands, signatures

TEXTS = st.lists(
    st.one_of(st.text(max_size=60), st.text(alphabet="ab cdÉ.1 ", max_size=60)), max_size=6
)


def rows_of(batch: HashRows) -> list[Hashes]:
    return np.split(batch.hashes, batch.offsets[1:-1]) if batch.offsets.size > 1 else []


def by_datasketch(row: Hashes) -> np.ndarray:
    sketch = MinHash(32, seed=3, hashfunc=int, scheme="affine32")
    sketch.update_batch((row >> np.uint64(32)).tolist())
    return sketch.hashvalues


@given(st.text())
def test_words_are_those_of_the_normal_form(text: str) -> None:
    assert normal_words(text) == normalise(text).encode().split()


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_ascii_has_the_same_words_as_the_normal_form(text: str) -> None:
    assert normal_words(text) == normalise(text).encode().split()


@given(TEXTS)
def test_a_batch_has_the_shingles_of_each_text(texts: list[str]) -> None:
    words = [normal_words(text) for text in texts]
    characters = rows_of(distinct_shingles(batch_of_characters(words, 5)))
    ngrams = rows_of(distinct_shingles(word_shingles(words, 3)))
    for text, own, ngram in zip(texts, characters, ngrams, strict=True):
        assert own.tolist() == character_shingles(text, 5).tolist()
        count = len(normalise(text).split())
        assert ngram.tolist() == word_ngrams(text, min(3, max(count, 1))).tolist()


@given(TEXTS)
def test_signatures_are_those_of_datasketch(texts: list[str]) -> None:
    batch = word_shingles([normal_words(text) for text in texts], 2)
    found = signatures(batch, 32, seed=3)
    assert found.shape == (len(texts), 32)
    for row, signature in zip(rows_of(batch), found, strict=True):
        assert signature.tolist() == by_datasketch(row).tolist()


def test_signatures_of_long_sets_are_those_of_datasketch() -> None:
    row = np.random.default_rng(1).integers(0, 2**64, 5000, np.uint64)
    found = signatures(HashRows(row, np.array([0, 5000])), 32, seed=3)
    assert found[0].tolist() == by_datasketch(row).tolist()


def test_bands_are_equal_where_their_part_of_the_signature_is() -> None:
    found = np.random.default_rng(2).integers(0, 2, (200, 8)).astype(np.uint32)
    hashes = band_hashes(found, 4, 2)
    parts = found.reshape(200, 4, 2)
    equal = (parts[:, None] == parts[None]).all(axis=3)
    assert ((hashes[:, None] == hashes[None]) == equal).all()
    assert np.unique(hashes).size == 16, "two bands at different places have the same hash"


@pytest.mark.parametrize("threshold", [0.3, 0.55, 0.8, 0.95, 1.0])
@pytest.mark.parametrize("num_perm", [64, 128, 256])
def test_bands_fit_the_permutations_and_keep_their_recall(threshold: float, num_perm: int) -> None:
    count, rows = bands(threshold, num_perm)
    assert count * rows <= num_perm
    assert 1 - (1 - threshold**rows) ** count >= RECALL
