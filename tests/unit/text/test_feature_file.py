"""Features of known texts are looked up; what was not used is gone."""

import numpy as np
import pytest

from tasks.text import feature_file
from tasks.text.feature_file import FeatureFile
from tasks.text.shingles import EMPTY, character_shingles
from tasks.text.texts import Texts

TEXTS = ["The ferry sails at eight.", "", "It has two decks.", "The ferry sails at eight."]


class Maker:
    """Makes features, and notes of what."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def __call__(self, text: str):
        self.made.append(text)
        return character_shingles(text, 5)


def used(path, texts):
    """Return the features of texts and what was made for them, as a run does."""
    make, file = Maker(), FeatureFile(path)
    found = file.of(Texts(texts), make)
    file.write()
    return found, make.made


def same(found, texts) -> bool:
    fresh = [character_shingles(text, 5) for text in texts]
    return all(map(np.array_equal, found, fresh)) and len(found) == len(fresh)


def test_equal_texts_are_worked_on_once_and_known_ones_not_at_all(tmp_path) -> None:
    path = tmp_path / "a.memo"
    found, made = used(path, TEXTS)
    assert made == TEXTS[:3]
    assert same(found, TEXTS)
    found, made = used(path, [*TEXTS, "A new one."])
    assert made == ["A new one."]
    assert same(found, [*TEXTS, "A new one."])


def test_what_was_not_used_is_gone(tmp_path) -> None:
    path = tmp_path / "a.memo"
    used(path, TEXTS)
    before = path.stat().st_size
    used(path, TEXTS[2:3])
    assert path.stat().st_size < before
    assert used(path, TEXTS)[1] == TEXTS[:2]


def test_nothing_is_written_where_nothing_changed(tmp_path) -> None:
    path = tmp_path / "a.memo"
    used(path, TEXTS)
    before = path.stat()
    used(path, TEXTS)
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


@pytest.mark.parametrize(
    "content", [b"", b"damaged", b"serutaef" + bytes(90), b"serutaef" + bytes(96)]
)
def test_a_damaged_file_counts_as_none(tmp_path, content) -> None:
    path = tmp_path / "a.memo"
    path.write_bytes(content)
    found, made = used(path, TEXTS)
    assert made == TEXTS[:3]
    assert same(found, TEXTS)


def test_a_file_has_a_largest_size_and_the_features_stay_right(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(feature_file, "_BATCH", 1)
    path = tmp_path / "a.memo"
    first = character_shingles(TEXTS[0], 5).nbytes
    monkeypatch.setattr(feature_file, "MOST_BYTES", first)
    used(path, TEXTS)
    found, made = used(path, TEXTS)
    assert made == [TEXTS[2]]
    assert same(found, TEXTS)


def test_a_text_without_features_is_known_too(tmp_path) -> None:
    path = tmp_path / "a.memo"
    assert np.array_equal(used(path, [""])[0][0], EMPTY)
    assert used(path, [""])[1] == []
