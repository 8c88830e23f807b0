"""Augmentation of an example table: training rows said again, all others untouched.

Each document has a budget of `share` new rows for each of its training rows, so that the
total never exceeds the share and a changed document changes no other document's rows
(unless one then repeats the other's question). Its rows are visited in an order drawn by
hash, each with the augmenters in an order drawn for it: the first variant of every row
comes before the second of any. Each document is a partition of its own, kept on disk.
"""

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_contracts.base import canonical_json, digest
from data_contracts.dataset import StageResult
from data_contracts.schemas import EXAMPLE, SCHEMA_VERSION, dropped_schema
from tasks.augmentation.across import check_across
from tasks.augmentation.augmenter import Outcome
from tasks.augmentation.config import AugmentationConfig
from tasks.augmentation.document import Source, augment_document
from tasks.augmentation.figures import measure
from tasks.augmentation.passages import Passages
from tasks.augmentation.replay import Stock, add_replay
from tasks.augmentation.said_again import Turn, ask, turns
from tasks.augmentation.shift import Shift, measure_shift
from tasks.llm.logged import LoggedModel
from tasks.llm.request import Complete
from tasks.llm.response_log import ResponseLog
from tasks.modeling.tokens import TokenCounter
from tasks.partitions import Partition, cached_partition
from tasks.progress import track

logger = logging.getLogger(__name__)

# Raise when this package gives other rows for the same rows and configuration.
VERSION = 2

RESPONSES, SHIFT = "responses.jsonl", "shift.json"

# What a chat template puts around a message, as for imported rows.
_TOKENS_OF_A_MESSAGE = 6

Row = dict[str, Any]


@dataclass(frozen=True)
class Materials:
    """What augmentation works with beside the rows.

    Attributes:
        cache: Folder for finished documents and the model's replies.
        chunks: The chunks that rows name; None where there are none.
        complete: Asks the language model; needed only if an augmenter does.
        count: Counts tokens as the base model does; needed only with `max_tokens`.
        stock: Where general rows come from.
        tokenizer: Names what `count` does: a changed name makes rows anew.
    """

    cache: Path
    chunks: pa.Table | None = None
    complete: Complete | None = None
    count: TokenCounter | None = None
    stock: Stock = field(default_factory=Stock)
    tokenizer: str = ""


def augment_examples(
    examples: pa.Table, config: AugmentationConfig, materials: Materials
) -> StageResult:
    """Add variants of training rows; every row that came in goes out unchanged.

    A variant keeps its parent's document, chunk, evidence, group and split, and names it in
    `parent_id`. Variants that repeat a row, say something else or come near a held-out row
    are dropped. General rows come in as they are, each in a group of its own.

    Args:
        examples: Rows in the EXAMPLE schema with `split` and `group_id` set.
        config: Augmenters, shares, limits, seed.
        materials: What there is beside the rows.

    Raises:
        EndpointError: The language model cannot be reached or keeps failing.
        StorageError: The cache cannot be written.
    """
    training = _training(examples)
    work = _Work(config, materials, Passages(materials.chunks, training, config.seed))
    partitions, usage = work.partitions(training)
    made = [row for partition in partitions for row in partition.kept.to_pylist()]
    gone = [row for partition in partitions for row in partition.dropped.to_pylist()]
    variants, more = check_across(made, examples, config)
    replay, refused = add_replay(examples, variants, config, materials.stock, materials.cache)
    new, dropped = [*variants, *replay], [*gone, *more, *refused]
    shifts = measure_shift(training, [*training, *new], config.shift)
    _warn(shifts)
    return StageResult(
        kept=pa.concat_tables([examples.cast(EXAMPLE), pa.Table.from_pylist(new, schema=EXAMPLE)]),
        dropped=pa.Table.from_pylist(dropped, schema=dropped_schema(EXAMPLE)),
        rows_in=examples.num_rows + len(new) + len(dropped),
        figures=measure(training, new, shifts) | usage,
        artifacts={SHIFT: canonical_json([shift.model_dump() for shift in shifts])},
    )


def needs_model(config: AugmentationConfig) -> bool:
    """Whether any of the configured augmenters asks a language model."""
    return bool(config.asking) and config.share > 0


def _training(examples: pa.Table) -> list[Row]:
    rows = [row for row in examples.to_pylist() if row["split"] == "train"]
    return sorted(rows, key=lambda row: str(row["example_id"]))


class _Work:
    """Makes each document's new rows, or finds them made."""

    def __init__(
        self, config: AugmentationConfig, materials: Materials, passages: Passages
    ) -> None:
        self.config, self.materials, self.passages = config, materials, passages
        self._around = any(augmenter.wants_around for augmenter in config.augmenters)
        across = {"max_share", "replay", "shift", "llm"}
        options = config.model_dump(mode="json", exclude=across)
        self._basis = digest([VERSION, SCHEMA_VERSION, materials.tokenizer, options])

    def partitions(self, training: Sequence[Row]) -> tuple[list[Partition], dict[str, float]]:
        """Return every document's new rows, and what asking for them amounted to."""
        sources = self._sources(training)
        asked, usage = self._ask(turns(sources, self.config) if needs_model(self.config) else [])
        tracked = track(sources, "Augmenting documents", len(sources))
        return [self._partition(source, asked) for source in tracked], usage

    def _sources(self, training: Sequence[Row]) -> list[Source]:
        documents: dict[str, list[Row]] = defaultdict(list)
        for row in training:
            documents[row["document_id"]].append(row)
        return [self._source(name, documents[name]) for name in sorted(documents)]

    def _source(self, name: str, rows: Sequence[Row]) -> Source:
        example = partial(self.passages.example, around=self._around)
        return Source(name, tuple(rows), {row["example_id"]: example(row) for row in rows})

    def _ask(
        self, wanted: Sequence[Turn]
    ) -> tuple[dict[tuple[str, str], Outcome], dict[str, float]]:
        if not wanted:
            return {}, {}
        if self.materials.complete is None:
            raise ValueError("An augmenter needs a language model, but none was given.")
        log = ResponseLog(self.materials.cache / RESPONSES)
        model = LoggedModel(self.materials.complete, log, self.config.llm)
        outcomes = ask(wanted, model, self.config)
        figures: dict[str, float] = {"asked": len(wanted)}
        return outcomes, figures | model.usage.figures()

    def _partition(self, source: Source, asked: dict[tuple[str, str], Outcome]) -> Partition:
        names = {row["example_id"] for row in source.rows}
        outcomes = {key: outcome for key, outcome in asked.items() if key[0] in names}
        make = partial(augment_document, source, self.config, outcomes, self._tokens)
        if any(not outcome.replied for outcome in outcomes.values()):
            return make()  # a later run may get the reply
        return cached_partition(self.materials.cache, self._key(source, outcomes), make)

    def _key(self, source: Source, outcomes: dict[tuple[str, str], Outcome]) -> str:
        """Name what a document's new rows depend on; rows of other documents are no part."""
        seen = [
            [e.passage, e.headings, [[p.chunk_id, p.text] for p in e.around]]
            for e in (source.examples[row["example_id"]] for row in source.rows)
        ]
        replies = [[*key, repr(outcome)] for key, outcome in sorted(outcomes.items())]
        model = self.config.llm.model if outcomes else ""
        return digest([self._basis, model, source.rows, seen, replies])

    def _tokens(self, row: Row) -> int:
        if self.materials.count is None:
            raise ValueError("`max_tokens` needs a token counter, but none was given.")
        texts = [turn["content"] for turn in row["history"]]
        messages = len(texts) + 2
        texts += [row["context"] or "", row["question"], row["answer"]]
        return sum(self.materials.count(texts)) + _TOKENS_OF_A_MESSAGE * messages


def _warn(shifts: Sequence[Shift]) -> None:
    for shift in shifts:
        if shift.warning:
            logger.warning("%s", shift.warning)
