"""The texts of example rows that are compared, and the features made of them."""

from collections.abc import Iterable
from functools import cache, partial
from typing import Any, cast

import numpy as np
import pyarrow as pa

from tasks.text.config import SimilarityConfig
from tasks.text.normalise import normalise
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
    """Return each row's own identifier and its parent's: parent, child, siblings share one."""
    own = value_features(examples.column("example_id").to_pylist())
    parents = value_features(examples.column("parent_id").to_pylist())
    return [np.unique(np.concatenate(pair)) for pair in zip(own, parents, strict=True)]


def shingle_features(texts: Iterable[str], config: SimilarityConfig) -> list[Hashes]:
    """Return the character shingles of each text."""
    shingles = cache(partial(character_shingles, length=config.shingle_length))
    return [shingles(text) for text in texts]


def ngram_features(examples: pa.Table, config: SimilarityConfig) -> list[Hashes]:
    """Return the word n-grams of each row: of every field by itself, the passage included."""
    ngrams = cache(partial(word_ngrams, length=config.ngram_length))  # rows share passages
    rows = examples.select(["history", "context", "question", "answer"]).to_pylist()
    return [np.unique(np.concatenate([ngrams(field) for field in _fields(row)])) for row in rows]


def _fields(row: dict[str, Any]) -> list[str]:
    return [*_turns(row["history"]), row["context"] or "", row["question"], row["answer"]]


def _turns(history: list[dict[str, str]]) -> list[str]:
    return [turn["content"] for turn in history]
