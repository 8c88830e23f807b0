"""The texts of example rows that are compared, and the features made of them."""

from collections.abc import Iterable, Sequence
from functools import cache, partial
from typing import Any, cast

import numpy as np
import pyarrow as pa

from tasks.text.config import SimilarityConfig
from tasks.text.normalise import normalise
from tasks.text.remembered import features
from tasks.text.shingles import EMPTY, Hashes, character_shingles, text_hash, word_ngrams


def strings(examples: pa.Table, column: str) -> list[str]:
    """Return the values of a text column that has no nulls."""
    return cast("list[str]", examples.column(column).to_pylist())


def questions(examples: pa.Table) -> list[str]:
    """Return each row's question, with the earlier turns before it."""
    rows = examples.select(["history", "question"]).to_pylist()
    return ["\n".join([*_turns(row["history"]), row["question"]]) for row in rows]


def questions_and_answers(examples: pa.Table) -> list[str]:
    """Return each row's question and answer as one text, without the passage given.

    With the passage, two different questions about one page would look alike.
    """
    answers = examples.column("answer").to_pylist()
    return [f"{q}\n{a}" for q, a in zip(questions(examples), answers, strict=True)]


def passages(examples: pa.Table) -> list[str]:
    """Return the passage given with each row's question; empty where there is none."""
    return [text or "" for text in examples.column("context").to_pylist()]


def value_features(values: Iterable[str | None]) -> list[Hashes]:
    """Return each value's hash as a set of one; None gives the empty set."""
    return [EMPTY if v is None else np.array([text_hash(v)], np.uint64) for v in values]


def question_features(examples: pa.Table) -> list[Hashes]:
    """Return the hash of each row's normalised question."""
    return value_features(normalise(text) for text in questions(examples))


def family_features(examples: pa.Table) -> list[Hashes]:
    """Return each row's own identifier, its parent's and its fact's.

    Parent, child and siblings share one, and so do rows made from the same sentences.
    """
    names = ("example_id", "parent_id", "fact_id")
    columns = [examples.column(name).to_pylist() for name in names]
    return [
        _names([name for name in row if name is not None]) for row in zip(*columns, strict=True)
    ]


def origin_features(examples: pa.Table, column: str) -> list[Hashes]:
    """Return all documents or chunks that each row rests on, its own first.

    Args:
        examples: Rows.
        column: `document_id` or `chunk_id`.
    """
    rows = examples.select([column, "other_chunks"]).to_pylist()
    named = [[row[column], *(other[column] for other in row["other_chunks"])] for row in rows]
    return list(map(_names, named))


def _names(names: Sequence[str]) -> Hashes:
    """Return the hashes of a few names; a set of Python's sorts these faster than an array."""
    return np.array(sorted({text_hash(name) for name in names}), np.uint64)


def shingle_features(texts: Iterable[str], config: SimilarityConfig) -> list[Hashes]:
    """Return the character shingles of each text."""
    length = config.shingle_length
    return features(f"shingles-{length}", texts, partial(character_shingles, length=length))


def whole_texts(examples: pa.Table) -> list[str]:
    """Return all that each row says as one text: earlier turns, passage, question, answer."""
    rows = examples.select(["history", "context", "question", "answer"]).to_pylist()
    return ["\n".join(_fields(row)) for row in rows]


def word_features(texts: Iterable[str], length: int) -> list[Hashes]:
    """Return the runs of `length` words of each text."""
    return features(f"words-{length}", texts, partial(word_ngrams, length=length))


def window_features(texts: Iterable[str], length: int) -> list[Hashes]:
    """Return the runs of `length` characters of each text; a shorter text has none."""

    def windows(text: str) -> Hashes:
        enough = len(normalise(text)) + 2 >= length
        return character_shingles(text, length) if enough else EMPTY

    return features(f"windows-{length}", texts, windows)


def ngram_features(examples: pa.Table, config: SimilarityConfig) -> list[Hashes]:
    """Return the word n-grams of each row: of every field by itself, the passage included."""
    rows = examples.select(["history", "context", "question", "answer"]).to_pylist()
    told = {repr(fields): fields for fields in map(_fields, rows)}
    ngrams = cache(partial(word_ngrams, length=config.ngram_length))  # rows share passages
    return features(
        f"fields-{config.ngram_length}",
        (repr(_fields(row)) for row in rows),
        lambda row: np.unique(np.concatenate(list(map(ngrams, told[row])))),
    )


def _fields(row: dict[str, Any]) -> list[str]:
    return [*_turns(row["history"]), row["context"] or "", row["question"], row["answer"]]


def _turns(history: list[dict[str, str]]) -> list[str]:
    return [turn["content"] for turn in history]
