"""The texts of example rows that are compared, and the features made of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.text.config import SimilarityConfig
from tasks.text.hash_rows import HashRows, offsets
from tasks.text.normalise import normalise
from tasks.text.remembered import features
from tasks.text.shingles import EMPTY, Hashes, character_shingles, text_hash, union, word_ngrams
from tasks.text.texts import Texts


def strings(examples: pa.Table, column: str) -> list[str]:
    """Return the values of a text column that has no nulls."""
    return cast("list[str]", examples.column(column).to_pylist())


def listed(table: pa.Table, column: str, *fields: str) -> list[tuple[Any, ...]]:
    """Return fields of the structs in a column's lists, those of all rows one after the other.

    No Python object is made for a row: most rows have none, or few.
    """
    structs: Any = pc.list_flatten(table.column(column))
    return list(zip(*(pc.struct_field(structs, name).to_pylist() for name in fields), strict=True))


@dataclass(frozen=True, eq=False)
class RowTexts:
    """What the rows of a table say, each text made once for all the features that are made of it.

    Attributes:
        examples: The rows.
    """

    examples: pa.Table

    @cached_property
    def documents(self) -> list[str]:
        """The document of each row."""
        return strings(self.examples, "document_id")

    @cached_property
    def questions(self) -> Texts:
        """Each row's question, with the earlier turns before it."""
        asked, turns = strings(self.examples, "question"), self._earlier_turns
        return Texts(
            "\n".join([*turns[row], text]) if row in turns else text
            for row, text in enumerate(asked)
        )

    @cached_property
    def answers(self) -> Texts:
        """Each row's answer."""
        return Texts(strings(self.examples, "answer"))

    @cached_property
    def said(self) -> Texts:
        """Each row's question and answer as one text, without the passage given.

        With the passage, two different questions about one page would look alike.
        """
        return Texts(f"{q}\n{a}" for q, a in zip(self.questions, self.answers, strict=True))

    @cached_property
    def passages(self) -> Texts:
        """The passage given with each row's question; empty where there is none."""
        return Texts(text or "" for text in self.examples.column("context").to_pylist())

    @cached_property
    def whole(self) -> Texts:
        """All that each row says as one text: earlier turns, passage, question, answer."""
        return Texts(map("\n".join, self.fields))

    @cached_property
    def fields(self) -> list[list[str]]:
        """All that each row says: earlier turns, passage, question, answer."""
        turns = self._earlier_turns
        rows = zip(self.passages, strings(self.examples, "question"), self.answers, strict=True)
        return [[*turns.get(place, ()), *row] for place, row in enumerate(rows)]

    @cached_property
    def _earlier_turns(self) -> dict[int, list[str]]:
        """The earlier turns of the rows that have any, by position."""
        history = self.examples.column("history")
        return {row: [turn["content"] for turn in history[row].as_py()] for row in _filled(history)}


def value_features(values: Iterable[str | None]) -> HashRows:
    """Return each value's hash as a set of one; None gives the empty set."""
    given = list(values)
    return HashRows.ones(_hashes(given), np.array([value is not None for value in given], bool))


def _hashes(values: Sequence[str | None]) -> Hashes:
    """Return each value's hash; that of None means nothing."""
    return np.array([0 if v is None else text_hash(v) for v in values], np.uint64)


def normal_features(texts: Iterable[str]) -> HashRows:
    """Return the hash of each normalised text as a set of one."""
    return features("normal", texts, lambda text: np.array([text_hash(normalise(text))], np.uint64))


def family_features(examples: pa.Table) -> HashRows:
    """Return each row's own identifier, its parent's and its fact's.

    Parent, child and siblings share one, and so do rows made from the same sentences.
    """
    own = _hashes(strings(examples, "example_id"))
    columns = [own]
    for name in ("parent_id", "fact_id"):
        given = examples.column(name)
        columns.append(np.where(given.is_null().to_numpy(), own, _hashes(given.to_pylist())))
    hashes = np.sort(np.stack(columns, axis=1), axis=1)
    first = np.ones(hashes.shape, bool)
    first[:, 1:] = hashes[:, 1:] != hashes[:, :-1]
    return HashRows(hashes[first], offsets(first.sum(axis=1)))


def origin_features(examples: pa.Table, column: str) -> HashRows:
    """Return all documents or chunks that each row rests on, its own first.

    Args:
        examples: Rows.
        column: `document_id` or `chunk_id`.
    """
    own, others = strings(examples, column), examples.column("other_chunks")
    filled, found = _filled(others), value_features(own)
    if not filled:
        return found
    sets = list(found)
    for row in filled:
        names = {own[row], *(other[column] for other in others[row].as_py())}
        sets[row] = np.array(sorted(map(text_hash, names)), np.uint64)
    return HashRows.of(sets)


def shingle_features(texts: Iterable[str], config: SimilarityConfig) -> HashRows:
    """Return the character shingles of each text."""
    length = config.shingle_length
    return features(f"shingles-{length}", texts, partial(character_shingles, length=length))


def word_features(texts: Iterable[str], length: int) -> HashRows:
    """Return the runs of `length` words of each text."""
    return features(f"words-{length}", texts, partial(word_ngrams, length=length))


def window_features(texts: Iterable[str], length: int) -> HashRows:
    """Return the runs of `length` characters of each text; a shorter text has none."""

    def windows(text: str) -> Hashes:
        enough = len(normalise(text)) + 2 >= length
        return character_shingles(text, length) if enough else EMPTY

    return features(f"windows-{length}", texts, windows)


def ngram_features(rows: RowTexts, config: SimilarityConfig) -> HashRows:
    """Return the word n-grams of each row: of every field by itself, the passage included."""
    texts = Texts(map(_delimited, rows.fields))
    told = dict(zip(texts, rows.fields, strict=True))
    ngrams = cache(partial(word_ngrams, length=config.ngram_length))  # rows share passages
    return features(
        f"fields-{config.ngram_length}",
        texts,
        lambda row: union(map(ngrams, told[row])),
    )


def _delimited(fields: Sequence[str]) -> str:
    """Return fields as one text whose parts can be told apart, as no other fields are."""
    return "".join([f"{len(field)}:{field}" for field in fields])


def _filled(lists: Any) -> list[int]:
    """Return the positions of lists that are not empty."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0)
    return np.flatnonzero(lengths.to_numpy()).tolist()
