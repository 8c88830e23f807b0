"""Replay: general rows among the training rows, so that what the model knew is said again.

They come from a dataset, and from the base model itself. They have no parent, lie in a group
of their own each, and are of the kind `replay`, by which evaluation leaves them out.
"""

import logging
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from data_contracts.base import digest
from data_contracts.results import BaseModelRef
from data_contracts.schemas import EXAMPLE, REPLAY, blank_row, dropped_schema
from tasks.augmentation.across import Checked, without_leaks, without_near
from tasks.augmentation.checks import Finding
from tasks.augmentation.config import AugmentationConfig
from tasks.augmentation.document import dropped, repeating
from tasks.partitions import Partition, cached_partition
from tasks.text.language import detect_language

if TYPE_CHECKING:
    from tasks.augmentation.sampling import Said, Sampler

logger = logging.getLogger(__name__)

# Raise when other rows come of the same model and configuration.
VERSION = 1

# What rows that the base model wrote are made by.
SYNTHESISED = "self_synthesised"

# Instructions sampled at once: one step reads all weights, whatever the number of rows.
BATCH = 16

# A text of so many words with a smaller share of distinct ones goes round in circles.
_LOOP_WORDS, _LOOP_SHARE = 20, 0.3

# Fewer words ask for nothing.
_FEWEST_WORDS = 3

# A token that is part of a character, or a control character, that a model came upon.
_GARBLED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufffd]")

Row = dict[str, Any]


@dataclass(frozen=True)
class Stock:
    """Where general rows come from.

    Attributes:
        general: Rows of a dataset in the schema EXAMPLE, or None.
        base: The base model, or None if it is not to write any.
    """

    general: pa.Table | None = None
    base: BaseModelRef | None = None


def add_replay(
    examples: pa.Table,
    variants: Sequence[Row],
    config: AugmentationConfig,
    stock: Stock,
    cache: Path,
) -> Checked:
    """Return general rows to add, and those that were looked at and dropped.

    Args:
        examples: All rows that came in.
        variants: The new rows so far.
        config: Share, seed, thresholds.
        stock: Where general rows come from.
        cache: Folder for what the base model wrote.
    """
    share = config.replay.share
    training = examples.column("split").to_pylist().count("train") + len(variants)
    wanted = math.floor(share / (1 - share) * training + 1e-9)
    mixing = _Mixing(examples, variants, config, wanted)
    for batch in _batches(stock, config, cache, mixing):
        mixing.add(*batch)
    if wanted and len(mixing.kept) < wanted:
        logger.warning(
            "Replay: %d of %d general rows. Name a dataset under `general`, or raise "
            "augmentation.replay.attempts.", len(mixing.kept), wanted,
        )  # fmt: skip
    return mixing.kept, mixing.dropped


class _Mixing:
    """Collects general rows until there are enough."""

    def __init__(
        self,
        examples: pa.Table,
        variants: Sequence[Row],
        config: AugmentationConfig,
        wanted: int,
    ) -> None:
        self.examples, self.config, self.wanted = examples, config, wanted
        self.kept: list[Row] = []
        self.dropped: list[Row] = []
        given = examples.select(["question", "example_id"]).to_pylist()
        ordered = sorted([*given, *variants], key=lambda r: str(r["example_id"]), reverse=True)
        self._asked: dict[str, str] = {row["question"]: row["example_id"] for row in ordered}

    @property
    def missing(self) -> int:
        """How many rows are still wanted."""
        return self.wanted - len(self.kept)

    def add(self, rows: Sequence[Row], gone: Sequence[Row]) -> None:
        """Check rows and keep what is wanted of them; `gone` was dropped before."""
        self.dropped += gone
        fresh = [row for row in rows if not self._repeats(row)]
        before = len(self.kept)
        distinct, near = without_near([*self.kept, *fresh], self.config, "replay")
        clean, leaking = without_leaks(distinct[before:], self.examples, self.config)
        surplus = Finding(None, "over_share", f"{self.wanted} general rows are enough.")
        self.dropped += [*near, *leaking, *(dropped(row, surplus) for row in clean[self.missing :])]
        self.kept += clean[: self.missing]

    def _repeats(self, row: Row) -> bool:
        earlier = self._asked.get(row["question"])
        if earlier is None:
            self._asked[row["question"]] = row["example_id"]
            return False
        self.dropped.append(repeating(row, earlier))
        return True


def _batches(
    stock: Stock, config: AugmentationConfig, cache: Path, mixing: _Mixing
) -> Iterator[Checked]:
    """Yield rows as long as some are missing: a dataset's first, then the base model's."""
    rows = _general(stock, config)
    while mixing.missing > 0 and (batch := list(islice(rows, mixing.missing))):
        yield batch, []
    if stock.base is None or not config.replay.synthesise or mixing.missing <= 0:
        return
    writing = _Writing(stock.base, config, cache)
    most = math.ceil(mixing.missing * config.replay.attempts / BATCH)
    for number in range(most):
        if mixing.missing <= 0:
            return
        logger.info("Replay: the base model writes batch %d of at most %d", number + 1, most)
        yield writing.batch(number)


def _general(stock: Stock, config: AugmentationConfig) -> Iterator[Row]:
    """Yield a dataset's rows in an order drawn by hash."""
    rows = stock.general.to_pylist() if stock.general is not None else []
    for row in sorted(rows, key=lambda r: digest([config.seed, r["example_id"]])):
        yield row | _placed(row["example_id"])


def _placed(name: str) -> Row:
    return {"kind": REPLAY, "split": "train", "group_id": f"{REPLAY}-{name}", "parent_id": None}


class _Writing:
    """Has the base model write rows, batch by batch, each kept on disk."""

    def __init__(self, base: BaseModelRef, config: AugmentationConfig, cache: Path) -> None:
        self.base, self.config, self.cache = base, config, cache
        self._sampler: Sampler | None = None

    def batch(self, number: int) -> Checked:
        """Return the rows of a batch, and those that are of no use."""
        options = self.config.replay.model_dump(
            mode="json", exclude={"share", "synthesise", "attempts"}
        )
        key = digest([VERSION, self.base.fingerprint, options, self.config.seed, BATCH, number])
        found = cached_partition(self.cache, key, partial(self._write, number))
        return found.kept.to_pylist(), found.dropped.to_pylist()

    def _write(self, number: int) -> Partition:
        from tasks.augmentation.sampling import Sampler

        if self._sampler is None:
            self._sampler = Sampler(self.base, self.config.replay, self.config.seed)
        kept, gone = [], []
        for place, (question, answer) in enumerate(self._sampler.pairs(number, BATCH)):
            row = self._row(question, answer, f"{number}-{place}")
            finding = _flaw(question, answer)
            if finding is None:
                kept.append(row)
            else:
                gone.append(dropped(row, finding))
        return Partition(
            pa.Table.from_pylist(kept, schema=EXAMPLE),
            pa.Table.from_pylist(gone, schema=dropped_schema(EXAMPLE)),
        )

    def _row(self, question: "Said", answer: "Said | None", place: str) -> Row:
        said = answer.text if answer else ""
        name = digest([SYNTHESISED, self.base.fingerprint, place, question.text, said], length=16)
        return (
            blank_row(EXAMPLE)
            | _placed(name)
            | {
                "example_id": name,
                "question": question.text,
                "answer": said,
                "document_id": REPLAY,
                "chunk_id": REPLAY,
                "generator": SYNTHESISED,
                "generator_model": self.base.name,
                "language": detect_language(f"{question.text}\n{said}"),
            }
        )


def _flaw(question: "Said", answer: "Said | None") -> Finding | None:
    """Return what makes a pair that the base model wrote unfit to train on."""
    if not question.stopped or (answer is not None and not answer.stopped):
        part = "answer" if question.stopped else "instruction"
        return Finding(None, "no_end", f"The {part} came to no end within its tokens.")
    if answer is None or not answer.text or len(question.text.split()) < _FEWEST_WORDS:
        return Finding(None, "too_short", "The instruction or the answer says nothing.")
    for text in (question.text, answer.text):
        if _GARBLED.search(text):
            return Finding(None, "garbled", "It holds characters that are no text.")
        words = text.lower().split()
        if len(words) >= _LOOP_WORDS and len(set(words)) < _LOOP_SHARE * len(words):
            return Finding(None, "repetitive", "It says the same words over and over.")
    return None
