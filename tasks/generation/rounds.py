"""Asks the language model in rounds until the rows wanted are there, or cannot be had."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa

from data_contracts.base import digest
from data_contracts.errors import EndpointError
from data_contracts.schemas import EXAMPLE, SCHEMA_VERSION, dropped_schema
from tasks.crew import OpenCrew
from tasks.generation.base import LLMGenerator, Subject
from tasks.generation.config import GenerationConfig
from tasks.generation.conversation import ask_about
from tasks.generation.document_rows import Asked, DocumentRows, rows_by_rules
from tasks.generation.documents import SourceDocument, Sources
from tasks.generation.rows import NO_REPLY
from tasks.generation.topup import Progress, next_round
from tasks.llm.logged import LoggedModel
from tasks.llm.request import Request
from tasks.llm.structured import ask_all
from tasks.partitions import Partition, cached_partition, find_partition, store_partition
from tasks.progress import track
from tasks.remembered_rows import RememberedRows, UnitRows, rows_of

logger = logging.getLogger(__name__)

# Raise when this package gives other rows for the same chunks and configuration.
VERSION = 7

# What decides how many rows are asked for or kept, but not which rows a document gives.
_OUTSIDE_DOCUMENTS = {
    "llm": True,
    "rows_per_kind": True,
    "max_refusal_share": True,
    "max_loss_rate": True,
    "min_yield": True,
}

_DROPPED = dropped_schema(EXAMPLE)

# Documents that a process of a crew is given at a time: seconds of work. Fewer are done here.
TOGETHER = 16

# Fewer conversations than these prove nothing about a model.
_FEWEST_CONVERSATIONS = 20


class _Unfinished(Exception):
    """A document's rows lack replies that a later run may get: they must not be stored."""

    def __init__(self, partition: Partition) -> None:
        self.partition = partition


@dataclass
class Rounds:
    """The work of asking.

    Attributes:
        sources: The documents.
        subjects: What each generator with a language model can be asked about, in order.
        config: Which rows to make, and how many.
        model: Asks; None where no generator needs it.
        cache: Folder for finished documents.
        crew: Opens processes that share the work of rules. Where a language model is asked, the
            work is waiting for its replies, and they are not needed.
    """

    sources: Sources
    subjects: Mapping[str, Sequence[Subject]]
    config: GenerationConfig
    model: LoggedModel | None
    cache: Path
    crew: OpenCrew | None = None

    def __post_init__(self) -> None:
        self.asked: dict[str, int] = dict.fromkeys(self.subjects, 0)
        self._rows = DocumentRows(self.config, self.model)
        self._unfinished: dict[bytes, Partition] = {}
        options = self.config.model_dump(mode="json", exclude=_OUTSIDE_DOCUMENTS)
        llm = [self.config.llm.model, self.config.llm.repairs]
        self._basis = digest([VERSION, SCHEMA_VERSION, options, llm])
        self._names = self.sources.names()
        self._remembered = RememberedRows(self.cache, self._basis, EXAMPLE, _DROPPED)

    def run(self) -> UnitRows:
        """Return the documents' rows once no further round is of use.

        Raises:
            EndpointError: The model cannot be reached, or its replies are of no use.
        """
        sizes = self._sizes(rows_of([], EXAMPLE, _DROPPED))
        while True:
            for name, size in sizes.items():
                self.asked[name] += size
            asked = self._chosen()
            self._ask_ahead(asked)
            rows = self._make(asked)
            self._check_losses(rows.dropped.table)
            sizes = self._sizes(rows)
            if not any(sizes.values()):
                return rows
            logger.info("Asking again: %s", _listed(sizes))

    def progress(self, name: str, rows: UnitRows) -> Progress:
        """Return how far a kind of rows has come."""
        kept = rows.kept.table.column("generator").to_pylist().count(name)
        return Progress(
            wanted=self.config.rows_per_kind.get(name),
            kept=kept,
            asked=self.asked[name],
            usable=len(self.subjects[name]),
            limit=self.config.llm.max_calls,
            min_yield=self.config.min_yield,
            spent=bool(self.model and self.model.usage.over_budget),
        )

    def _sizes(self, rows: UnitRows) -> dict[str, int]:
        return {name: next_round(self.progress(name, rows)) for name in self.subjects}

    def _chosen(self) -> Asked:
        return {
            name: {s.chunk.chunk_id: s for s in subjects[: self.asked[name]]}
            for name, subjects in self.subjects.items()
        }

    def _ask_ahead(self, asked: Asked) -> None:
        """Ask everything at full concurrency; documents are then made from the log."""
        if self.model is None:
            return
        work = {
            digest([generator.generator, generator.messages(subject)]): partial(
                ask_about, generator, subject, self.model, self.config.llm.repairs
            )
            for generator in self._generators()
            for subject in asked[generator.generator].values()
        }
        ask_all(list(work.values()), self.config.llm.at_once, _progress, self.model)

    def _generators(self) -> list[LLMGenerator]:
        return [g for g in self.config.generators if isinstance(g, LLMGenerator)]

    def _make(self, asked: Asked) -> UnitRows:
        """Make the rows of all documents; those without a new question are as before."""
        keys = [self._key(place, asked) for place in range(len(self.sources))]

        def make(places: list[int]) -> UnitRows:
            if self.crew is not None and self.model is None:
                self._share_out(self.crew, places, keys)
            sources = zip(places, self.sources.at(places), strict=True)
            tracked = track(sources, "Generating from documents", len(places))
            found = [self._document(source, asked, keys[place]) for place, source in tracked]
            return rows_of(found, EXAMPLE, _DROPPED)

        names = [key.encode() for key in keys]
        return self._remembered.rows(names, make, self._unfinished.keys)

    def _share_out(self, open_crew: OpenCrew, places: Sequence[int], keys: Sequence[str]) -> None:
        """Have the rows of documents made by a crew; they are stored as they come."""
        new = [place for place in places if find_partition(self.cache, keys[place]) is None]
        parts = [new[at : at + TOGETHER] for at in range(0, len(new), TOGETHER)]
        if len(parts) < 2:
            return
        with open_crew() as crew:
            calls = ((self.sources.at(part), self.config) for part in parts)
            done = crew.results(rows_by_rules, calls)
            tracked = track(zip(parts, done, strict=True), "Generating side by side", len(parts))
            for part, partitions in tracked:
                for place, partition in zip(part, partitions, strict=True):
                    store_partition(self.cache, keys[place], partition)

    def _document(self, source: SourceDocument, asked: Asked, key: str) -> Partition:
        """Return a document's rows; they are kept on disk only if every reply is there."""
        try:
            return self._unfinished.get(key.encode()) or cached_partition(
                self.cache, key, partial(self._finished, source, asked)
            )
        except _Unfinished as unfinished:
            self._unfinished[key.encode()] = unfinished.partition
            return unfinished.partition

    def _finished(self, source: SourceDocument, asked: Asked) -> Partition:
        partition = self._rows.make(source, asked)
        if NO_REPLY in partition.dropped.column("reason").to_pylist():
            raise _Unfinished(partition)
        return partition

    def _key(self, place: int, asked: Asked) -> str:
        generators = self._generators()
        chunks = self.sources.at([place])[0].chunks if generators else ()
        questions = [
            [generator.generator, chunk.view.chunk_id, *self._request(generator, subject)]
            for generator in generators
            for chunk in chunks
            if (subject := asked[generator.generator].get(chunk.view.chunk_id)) is not None
        ]
        return digest([self._basis, self._names[place].hex(), questions])

    def _request(self, generator: LLMGenerator, subject: Subject) -> list[str]:
        """Return what the reply about a subject depends on, and what it is read with."""
        request = Request(generator.messages(subject) or [], generator.response_format)
        others = [f"{other.chunk_id} {other.text}" for other in subject.others]
        return [request.key(self.config.llm), *others]

    def _check_losses(self, dropped: pa.Table) -> None:
        """Stop where nearly all replies of a generator are of no use.

        Raises:
            EndpointError: They are.
        """
        if self.model is None:
            return
        invalid: Counter[str] = Counter()
        details: Counter[tuple[str, str]] = Counter()
        for row in dropped.select(["reason", "generator", "detail"]).to_pylist():
            if row["reason"] == "invalid_reply":
                invalid[row["generator"]] += 1
                details[row["generator"], row["detail"]] += 1
        for name, lost in sorted(invalid.items()):
            asked = self.asked[name]
            if asked >= _FEWEST_CONVERSATIONS and lost > self.config.max_loss_rate * asked:
                of_it = {d: n for (kind, d), n in details.items() if kind == name}
                raise _useless(name, lost, asked, max(of_it, key=lambda d: of_it[d]))


def _useless(name: str, lost: int, asked: int, detail: str) -> EndpointError:
    return EndpointError(
        f"{lost} of {asked} conversations of generator {name!r} gave no usable reply, so asking "
        f"was stopped. The commonest fault: {detail} Use a larger model (`llm.model`), take "
        f"{name!r} out of `generation.generators`, or raise `generation.max_loss_rate`. All "
        "replies so far are kept."
    )


def _listed(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{size} more for {name}" for name, size in sizes.items() if size)


def _progress(items: Iterable[object], total: int) -> Iterable[object]:
    return track(items, "Asking the language model", total)
