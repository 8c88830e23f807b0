"""The variants of one document's training rows: made in turn, checked, within its budget."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from random import Random
from typing import Any

import pyarrow as pa

from data_contracts.base import digest
from data_contracts.schemas import EXAMPLE, dropped_schema
from tasks.augmentation.augmenter import (
    Augmenter,
    Example,
    LLMAugmenter,
    Outcome,
    RuleAugmenter,
    Variant,
)
from tasks.augmentation.checks import Finding, Said, check, likeness
from tasks.augmentation.config import AugmentationConfig
from tasks.partitions import Partition

Row = dict[str, Any]

# Why a row was dropped that a later run may well get.
NO_REPLY = "no_reply"

# Rows and augmenters that are asked about, by example_id and the augmenter's name.
Outcomes = Mapping[tuple[str, str], Outcome]


@dataclass(frozen=True)
class Source:
    """The training rows of a document, in the order of their identifiers, with their passages."""

    document_id: str
    rows: tuple[Row, ...]
    examples: Mapping[str, Example]


@dataclass(frozen=True)
class Candidate:
    """A new row before it is judged."""

    parent: Row
    augmenter: Augmenter
    variant: Variant | None
    row: Row
    outcome: Outcome | None = None


def budget(source: Source, config: AugmentationConfig) -> int:
    """Return how many new rows a document may have."""
    return math.floor(config.share * len(source.rows) + 1e-9)  # 0.3 * 10 is 2.9999...


def drawn(source: Source, config: AugmentationConfig) -> list[Row]:
    """Return a document's rows in the order in which they get their turn."""
    return sorted(source.rows, key=lambda row: digest([config.seed, row["example_id"]]))


def order(row: Row, config: AugmentationConfig) -> list[Augmenter]:
    """Return the augmenters in the order drawn for a row."""
    random = Random(f"{config.seed}:{row['example_id']}")  # noqa: S311 - no secret
    return random.sample(config.augmenters, len(config.augmenters))


def augment_document(
    source: Source, config: AugmentationConfig, outcomes: Outcomes, tokens: Callable[[Row], int]
) -> Partition:
    """Make a document's new rows: one of each row, then a second of each, and so on.

    What is dropped leaves its place in the budget to the next.

    Args:
        source: The document's training rows.
        config: Augmenters, share, limits.
        outcomes: What a language model made of rows, where it was asked.
        tokens: Counts the tokens of a row.
    """
    filing = _Filing(source, config, tokens)
    for candidate in _candidates(source, config, outcomes):
        if len(filing.kept) >= budget(source, config):
            break
        filing.file(candidate)
    return Partition(
        pa.Table.from_pylist(filing.kept, schema=EXAMPLE),
        pa.Table.from_pylist(filing.dropped, schema=dropped_schema(EXAMPLE)),
    )


class _Filing:
    """Collects a document's new rows, kept and dropped."""

    def __init__(
        self, source: Source, config: AugmentationConfig, tokens: Callable[[Row], int]
    ) -> None:
        self.source, self.config, self.tokens = source, config, tokens
        self.kept: list[Row] = []
        self.dropped: list[Row] = []
        self._asked = {question_key(row, row): row["example_id"] for row in reversed(source.rows)}
        self._children = Counter[str]()

    def file(self, candidate: Candidate) -> None:
        """Keep a candidate, or drop it with its reason; a parent with enough is passed over."""
        parent = candidate.parent["example_id"]
        if self._children[parent] >= self.config.max_per_parent:
            return
        row, variant, outcome = candidate.row, candidate.variant, candidate.outcome
        if variant is None:
            self._drop_failed(row, outcome)
            return
        finding = check(self.source.examples[parent], variant, candidate.augmenter, self.config)
        row["grounding"] = row["grounding"] if finding.grounding is None else finding.grounding
        if finding.reason is not None:
            self.dropped.append(dropped(row, finding, parent if finding.similarity else None))
        elif not self._repeats(row, candidate.parent) and not self._is_too_long(row):
            self.kept.append(row)
            self._asked[question_key(row, candidate.parent)] = row["example_id"]
            self._children[parent] += 1

    def _drop_failed(self, row: Row, outcome: Outcome | None) -> None:
        failure = outcome.failure.rstrip(".") if outcome else ""
        replied = outcome is not None and outcome.replied
        found = "The model's reply is of no use" if replied else "There is no reply"
        reason = "invalid_reply" if replied else NO_REPLY
        self.dropped.append(dropped(row, Finding(None, reason, f"{found}: {failure}.")))

    def _repeats(self, row: Row, parent: Row) -> bool:
        earlier = self._asked.get(question_key(row, parent))
        if earlier is not None:
            self.dropped.append(repeating(row, earlier))
            return True
        for other in self.kept:
            found = likeness(said(row), said(other), self.config)
            if found >= self.config.duplicate_threshold:
                self.dropped.append(near(row, other["example_id"], found))
                return True
        return False

    def _is_too_long(self, row: Row) -> bool:
        most = self.config.max_tokens
        if most is None or (count := self.tokens(row)) <= most:
            return False
        finding = Finding(None, "too_long", f"It has about {count} tokens, more than {most}.")
        self.dropped.append(dropped(row, finding))
        return True


def _candidates(
    source: Source, config: AugmentationConfig, outcomes: Outcomes
) -> Iterator[Candidate]:
    """Yield candidates of a document: one of each row, then a second of each, and so on."""
    streams = [_of_row(row, source, config, outcomes) for row in drawn(source, config)]
    for turn in zip_longest(*streams):
        yield from (candidate for candidate in turn if candidate is not None)


def _of_row(
    row: Row, source: Source, config: AugmentationConfig, outcomes: Outcomes
) -> Iterator[Candidate]:
    """Yield candidates of a row: one by each augmenter, then a second by each, and so on."""
    example = source.examples[row["example_id"]]
    streams = [_stream(a, example, row, config, outcomes) for a in order(row, config)]
    for turn in zip_longest(*streams):
        yield from (candidate for candidate in turn if candidate is not None)


def _stream(
    augmenter: Augmenter,
    example: Example,
    row: Row,
    config: AugmentationConfig,
    outcomes: Outcomes,
) -> Iterator[Candidate]:
    if isinstance(augmenter, RuleAugmenter):
        random = Random(f"{config.seed}:{row['example_id']}:{augmenter.augmenter}")  # noqa: S311
        for variant in augmenter.augment(example, random):
            yield Candidate(row, augmenter, variant, _derive(row, variant, augmenter.augmenter))
        return
    outcome = outcomes.get((row["example_id"], augmenter.augmenter))
    if outcome is not None and isinstance(augmenter, LLMAugmenter):
        variant = outcome.variant or Variant(row["question"], row["answer"])
        derived = _derive(row, variant, augmenter.augmenter) | {
            "generator_model": config.llm.model,
            "prompt_sha256": outcome.prompt_sha256,
        }
        yield Candidate(row, augmenter, outcome.variant, derived, outcome)


def _derive(row: Row, variant: Variant, name: str) -> Row:
    identity = [row["example_id"], name, variant.question, variant.answer]
    further = [] if variant.context is None else [variant.context]
    others = [{"document_id": p.document_id, "chunk_id": p.chunk_id} for p in variant.others]
    return row | {
        "example_id": digest([*identity, *further], length=16),
        "question": variant.question,
        "answer": variant.answer,
        "context": row["context"] if variant.context is None else variant.context,
        "other_chunks": [*row["other_chunks"], *others],
        "generator": name,
        "generator_model": None,
        "prompt_sha256": None,
        "parent_id": row["example_id"],
        "grounding": row["grounding"] if variant.answer == row["answer"] else None,
        "scores": row["scores"] if variant.answer == row["answer"] else [],  # of other words
    }


def question_key(row: Row, parent: Row) -> tuple[str, str | None]:
    """Return what no other row may ask: the question, with its context if that is a new one."""
    return row["question"], row["context"] if row["context"] != parent["context"] else None


def said(row: Row) -> Said:
    """Return what a row says."""
    return row["question"], row["answer"], row["context"]


def dropped(row: Row, finding: Finding, duplicate_of: str | None = None) -> Row:
    """Return a row as it is dropped."""
    return row | {
        "reason": finding.reason,
        "detail": finding.detail,
        "duplicate_of": duplicate_of,
        "similarity": finding.similarity,
    }


def repeating(row: Row, earlier: str) -> Row:
    """Return a row that is dropped because another asks its question."""
    finding = Finding(None, "repeated_question", f"Row {earlier} asks the same question.", 1.0)
    return dropped(row, finding, earlier)


def near(row: Row, other: str, similarity: float) -> Row:
    """Return a row that is dropped because another new one says nearly the same."""
    detail = f"New row {other} says nearly the same ({similarity:.2f})."
    return dropped(row, Finding(None, "near_duplicate", detail, similarity), other)
