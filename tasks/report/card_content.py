"""What a data card says: a dataset described by its own tables and manifests."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from data_contracts.base import Result, digest
from data_contracts.dataset import DatasetRef, Manifest, read_dropped, read_kept, read_manifest
from data_contracts.schemas import DOCUMENT
from tasks.report.content import DroppedRow, SampleRow
from tasks.report.samples import dropped_samples, sample_rows
from tasks.text.rows import listed

TokenCounter = Callable[[Sequence[str]], list[int]]

# Rows whose tokens are counted: the median of 1,000 rows is one of the 47th to 53rd hundredth.
_COUNTED_ROWS = 1_000

# Bars of a histogram, and entries of a list: more are not read.
_BARS = 20
_ENTRIES = 12

_SCRUBBED = "scrubbed."


class Count(Result):
    """How often something occurs."""

    name: str
    count: int
    share: float  # of the rows that were counted


class Lengths(Result):
    """How long a part of the rows is, in the base model's tokens."""

    part: str
    least: int
    tenth: int
    median: int
    ninetieth: int
    most: int
    edges: list[float]  # of the histogram's bars, one more than bars
    bars: list[int]


class Scores(Result):
    """What a judge gave the rows that were kept."""

    judge: str
    rows: int
    mean: float
    tenth: float


class Shift(Result):
    """How augmentation moved one measure of the training rows."""

    measure: str
    before: float
    after: float
    divergence: float | None  # Jensen-Shannon, 0 to 1, of what has a distribution
    warning: str


class DataCard(Result):
    """Everything the card shows."""

    title: str
    objective: str
    fingerprint: str
    content_sha256: str
    created: str
    warnings: list[str]
    manifests: list[Manifest]  # in the order of the pipeline
    splits: list[Count]
    kinds: dict[str, dict[str, int]]  # kind to rows of each split
    lengths: list[Lengths]
    languages: list[Count]
    formats: list[Count]  # by the parser that read them
    sources: list[Count]  # documents that most rows come from
    documents: int
    generators: list[Count]
    scores: list[Scores]
    knowledge: list[Count]
    duplicates: dict[str, int]  # dropped duplicates by reason
    groups: int
    largest_group: int
    scrubbed: dict[str, int]  # personal data and secrets replaced in documents, by kind
    cleaned: dict[str, int]  # other changes to documents, by kind
    flags: list[Count]
    licences: list[Count]
    coverage: list[tuple[int, float]]  # (rows, mean similarity of all rows to the nearest)
    shifts: list[Shift] = Field(default_factory=list)  # training rows before and after augmentation
    dropped: dict[str, list[DroppedRow]] = Field(default_factory=dict)
    rows: list[SampleRow] = Field(default_factory=list)


def describe(
    title: str, objective: str, stages: Sequence[DatasetRef], count_tokens: TokenCounter
) -> DataCard:
    """Describe the last of a pipeline's datasets, and how it came about.

    Args:
        title: Name of the dataset.
        objective: What it is for.
        stages: The datasets of every stage, in order; documents first where there are any.
        count_tokens: Counts tokens as the base model does.
    """
    manifests = [read_manifest(Path(ref.folder)) for ref in stages]
    examples, documents = read_kept(stages[-1]), _documents(stages)
    names = (documents.column(name).to_pylist() for name in ("document_id", "path"))
    paths = dict(zip(*names, strict=True))
    changes = _changes(documents)
    shifts = [Shift.model_validate(s) for s in _artifact(stages, "augmentation", "shift.json")]
    return DataCard(
        title=title,
        objective=objective,
        fingerprint=stages[-1].fingerprint,
        content_sha256=stages[-1].content_sha256,
        created=manifests[-1].created,
        warnings=[
            *_artifact(stages, "selection", "warnings.json"),
            *_artifact(stages, "splitting", "warnings.json"),
            *(shift.warning for shift in shifts if shift.warning),
        ],
        manifests=manifests,
        splits=_counts(_values(examples, "split")),
        kinds=_kinds(examples),
        lengths=_lengths(examples, count_tokens),
        languages=_counts(_values(examples, "language")),
        formats=_counts(_values(documents, "parser")),
        sources=_sources(examples, paths),
        documents=len(set(_values(examples, "document_id"))),
        generators=_counts(_values(examples, "generator")),
        scores=_scores(examples),
        knowledge=_counts(examples.column("knowledge").drop_null().to_pylist()),
        duplicates=_duplicates(manifests),
        groups=len(set(_values(examples, "group_id"))),
        largest_group=max(Counter(_values(examples, "group_id")).values(), default=0),
        scrubbed={k.removeprefix(_SCRUBBED): n for k, n in changes.items() if _is_scrub(k)},
        cleaned={k: n for k, n in changes.items() if not _is_scrub(k)},
        flags=_counts(_flags(examples)),
        licences=_counts(_values(documents, "licence"), of=documents.num_rows),
        coverage=_artifact(stages, "selection", "coverage.json"),
        shifts=shifts,
        dropped={ref.stage: dropped_samples(read_dropped(ref), 4) for ref in stages},
        rows=sample_rows(examples, paths, per_split=4),
    )


def _documents(stages: Sequence[DatasetRef]) -> pa.Table:
    """Return what is needed of the documents, their texts left on the disk."""
    columns = ["document_id", "path", "parser", "licence", "changes"]
    ingested = [ref for ref in stages if ref.stage == "ingestion"]
    if ingested:
        return read_kept(ingested[0], columns)
    return DOCUMENT.empty_table().select(columns)


def _values(table: pa.Table, column: str) -> list[Any]:
    """Return a column's values; what is not known is named so."""
    return ["unknown" if value is None else value for value in table.column(column).to_pylist()]


def _flags(examples: pa.Table) -> list[Any]:
    """Return the flags of all rows, one after the other."""
    flags: Any = pc.list_flatten(examples.column("flags"))
    found: list[Any] = flags.to_pylist()
    return found


def _counts(values: Iterable[Any], of: int | None = None) -> list[Count]:
    counts = Counter(values)
    total = max(of if of is not None else counts.total(), 1)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return [Count(name=str(name), count=n, share=n / total) for name, n in ranked]


def _kinds(examples: pa.Table) -> dict[str, dict[str, int]]:
    pairs = zip(_values(examples, "kind"), _values(examples, "split"), strict=True)
    kinds: dict[str, dict[str, int]] = {}
    for (kind, split), count in sorted(Counter(pairs).items()):
        kinds.setdefault(kind, {})[split] = count
    return kinds


def _lengths(examples: pa.Table, count_tokens: TokenCounter) -> list[Lengths]:
    names = list(map(digest, examples.column("example_id").to_pylist()))
    chosen = sorted(range(len(names)), key=names.__getitem__)[:_COUNTED_ROWS]
    texts_of = examples.select(["question", "answer", "context"])
    rows = texts_of.take(pa.array(chosen, pa.int64())).to_pylist()
    parts = {
        "question": [row["question"] for row in rows],
        "answer": [row["answer"] for row in rows],
        "passage": [row["context"] for row in rows if row["context"]],
    }
    return [_length(name, count_tokens(texts)) for name, texts in parts.items() if texts]


def _length(part: str, tokens: Sequence[int]) -> Lengths:
    values = np.array(tokens)
    low, tenth, median, ninetieth, most = np.quantile(values, [0, 0.1, 0.5, 0.9, 1])
    bars, edges = np.histogram(values, bins=min(_BARS, int(most - low) + 1))
    return Lengths(
        part=part,
        least=int(low),
        tenth=round(tenth),
        median=round(median),
        ninetieth=round(ninetieth),
        most=int(most),
        edges=[float(edge) for edge in edges],
        bars=[int(bar) for bar in bars],
    )


def _sources(examples: pa.Table, paths: Mapping[str, str]) -> list[Count]:
    names = [paths.get(name, name) for name in _values(examples, "document_id")]
    return _counts(names)[:_ENTRIES]


def _scores(examples: pa.Table) -> list[Scores]:
    given: dict[str, list[float]] = {}
    grounding: list[Any] = examples.column("grounding").drop_null().to_pylist()
    if grounding:
        given["grounding"] = grounding
    for name, score in listed(examples, "scores", "name", "score"):
        given.setdefault(name, []).append(score)
    return [
        Scores(
            judge=judge,
            rows=len(values),
            mean=round(float(np.mean(values)), 4),
            tenth=round(float(np.quantile(values, 0.1)), 4),
        )
        for judge, values in sorted(given.items())
    ]


def _duplicates(manifests: Sequence[Manifest]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for manifest in manifests:
        for reason, count in manifest.drop_reasons.items():
            if "duplicate" in reason:
                found[f"{manifest.stage}: {reason}"] += count
    return dict(found)


def _changes(documents: pa.Table) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for kind, count in listed(documents, "changes", "kind", "count"):
        counts[kind] += count
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _is_scrub(kind: str) -> bool:
    return kind.startswith(_SCRUBBED)


def _artifact(stages: Sequence[DatasetRef], stage: str, name: str) -> list[Any]:
    """Return what a stage left beside its rows, or nothing where it did not run."""
    for ref in stages:
        path = Path(ref.folder) / name
        if ref.stage == stage and path.is_file():
            found: list[Any] = json.loads(path.read_text(encoding="utf-8"))
            return found
    return []
