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
from itertools import accumulate, pairwise
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
from tasks.remembered_rows import RememberedRows, UnitRows, rows_of
from tasks.row_names import joined_names, row_names
from tasks.text.rows import strings

logger = logging.getLogger(__name__)

# Raise when this package gives other rows for the same rows and configuration.
VERSION = 4

RESPONSES, SHIFT = "responses.jsonl", "shift.json"

# What a chat template puts around a message, as for imported rows.
_TOKENS_OF_A_MESSAGE = 6

Row = dict[str, Any]

# What a language model made of rows, by example_id and the augmenter's name.
Asked = dict[tuple[str, str], Outcome]

_DROPPED = dropped_schema(EXAMPLE)

# What the change to the training rows is measured on.
_MEASURED = ["question", "answer", "kind", "language"]


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
    rows = _training(examples)
    work = _Work(config, materials)
    found, usage = work.rows(rows)
    made, gone = found.kept.table.to_pylist(), found.dropped.table.to_pylist()
    variants, more = check_across(made, examples, config)
    replay, refused = add_replay(examples, variants, config, materials.stock, materials.cache)
    new, dropped = [*variants, *replay], [*gone, *more, *refused]
    training = rows.select(_MEASURED).to_pylist()
    shifts = measure_shift(training, new, config.shift)
    _warn(shifts)
    return StageResult(
        kept=pa.concat_tables([examples.cast(EXAMPLE), pa.Table.from_pylist(new, schema=EXAMPLE)]),
        dropped=pa.Table.from_pylist(dropped, schema=dropped_schema(EXAMPLE)),
        rows_in=examples.num_rows + len(new) + len(dropped),
        figures=measure(training, new, shifts) | usage,
        unanswered=work.unanswered,
        artifacts={SHIFT: canonical_json([shift.model_dump() for shift in shifts])},
    )


def needs_model(config: AugmentationConfig) -> bool:
    """Whether any of the configured augmenters asks a language model."""
    return bool(config.asking) and config.share > 0


def _training(examples: pa.Table) -> pa.Table:
    splits, names = strings(examples, "split"), strings(examples, "example_id")
    places = [place for place, split in enumerate(splits) if split == "train"]
    return examples.take(pa.array(sorted(places, key=names.__getitem__), pa.int64()))


def _by_document(training: pa.Table) -> list[list[int]]:
    """Return the places of each document's rows, in the order of the documents."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(strings(training, "document_id")):
        places[name].append(place)
    return [places[name] for name in sorted(places)]


class _Work:
    """Makes each document's new rows, or finds them made.

    Attributes:
        unanswered: Requests that got no reply.
    """

    def __init__(self, config: AugmentationConfig, materials: Materials) -> None:
        self.config, self.materials = config, materials
        self.unanswered = 0
        self._around = any(augmenter.wants_around for augmenter in config.augmenters)
        across = {"max_share", "replay", "shift", "llm"}
        options = config.model_dump(mode="json", exclude=across)
        self._basis = digest([VERSION, SCHEMA_VERSION, materials.tokenizer, options])

    def rows(self, training: pa.Table) -> tuple[UnitRows, dict[str, float]]:
        """Return every document's new rows, and what asking for them amounted to."""
        remembered = RememberedRows(self.materials.cache, self._basis, EXAMPLE, _DROPPED)
        documents = _by_document(training)
        asks = needs_model(self.config)
        if asks or self._around or self.materials.chunks is not None:
            sources = self._sources(training.to_pylist(), documents)
            asked, usage = self._ask(turns(sources, self.config) if asks else [])
            names = [self._name(source, asked) for source in sources]
            chosen = partial(_at, sources)
        else:  # rules that look at nothing but the row: only new documents become objects
            cells, asked, usage = row_names(training), {}, {}
            names = [joined_names([cells[row] for row in rows]) for rows in documents]
            chosen = partial(self._taken, training, documents)

        def make(places: list[int]) -> UnitRows:
            tracked = track(chosen(places), "Augmenting documents", len(places))
            return rows_of([self._partition(s, asked) for s in tracked], EXAMPLE, _DROPPED)

        return remembered.rows(names, make), usage

    def _taken(
        self, training: pa.Table, documents: Sequence[Sequence[int]], places: Sequence[int]
    ) -> list[Source]:
        """Return some documents with their rows."""
        taken = [row for place in places for row in documents[place]]
        rows = training.take(pa.array(taken, pa.int64())).to_pylist()
        ends = list(accumulate((len(documents[place]) for place in places), initial=0))
        return self._sources(rows, [range(*pair) for pair in pairwise(ends)])

    def _sources(self, rows: Sequence[Row], documents: Sequence[Sequence[int]]) -> list[Source]:
        around = rows if self._around else ()
        passages = Passages(self.materials.chunks, around, self.config.seed)
        example = partial(passages.example, around=self._around)
        found = []
        for places in documents:
            own = tuple(rows[place] for place in places)
            examples = {row["example_id"]: example(row) for row in own}
            found.append(Source(own[0]["document_id"], own, examples))
        return found

    def _ask(self, wanted: Sequence[Turn]) -> tuple[Asked, dict[str, float]]:
        if not wanted:
            return {}, {}
        if self.materials.complete is None:
            raise ValueError("An augmenter needs a language model, but none was given.")
        log = ResponseLog(self.materials.cache / RESPONSES)
        model = LoggedModel(self.materials.complete, log, self.config.llm)
        outcomes = ask(wanted, model, self.config)
        self.unanswered = model.unanswered
        figures: dict[str, float] = {"asked": len(wanted)}
        return outcomes, figures | model.usage.figures()

    def _name(self, source: Source, asked: Asked) -> bytes:
        """Name a document's new rows; where a later run may get a reply they have no name."""
        outcomes = _outcomes(source, asked)
        replied = all(outcome.replied for outcome in outcomes.values())
        return self._key(source, outcomes).encode() if replied else b""

    def _partition(self, source: Source, asked: Asked) -> Partition:
        outcomes = _outcomes(source, asked)
        make = partial(augment_document, source, self.config, outcomes, self._tokens)
        if any(not outcome.replied for outcome in outcomes.values()):
            return make()  # a later run may get the reply
        return cached_partition(self.materials.cache, self._key(source, outcomes), make)

    def _key(self, source: Source, outcomes: Asked) -> str:
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


def _at(sources: Sequence[Source], places: Sequence[int]) -> list[Source]:
    return [sources[place] for place in places]


def _outcomes(source: Source, asked: Asked) -> Asked:
    names = {row["example_id"] for row in source.rows}
    return {key: outcome for key, outcome in asked.items() if key[0] in names}


def _warn(shifts: Sequence[Shift]) -> None:
    for shift in shifts:
        if shift.warning:
            logger.warning("%s", shift.warning)
