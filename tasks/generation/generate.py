"""Question-answer rows from chunks: generate, check, limit.

Each document is a partition of its own: what its rows depend on is its own chunks and the
configuration, so a changed document leaves the others' partitions valid.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa

from data_contracts.base import digest
from data_contracts.dataset import StageResult, count_reasons
from data_contracts.errors import TooFewRows
from data_contracts.schemas import EXAMPLE, SCHEMA_VERSION, dropped_schema
from tasks.generation.base import Generator, LLMGenerator, RuleGenerator
from tasks.generation.config import GenerationConfig
from tasks.generation.conversation import LoggedModel, Outcome, ask_all, converse
from tasks.generation.documents import SourceChunk, SourceDocument, source_documents
from tasks.generation.limit import take_turns
from tasks.generation.llm import Complete
from tasks.generation.response_log import ResponseLog
from tasks.generation.rows import RowMaker
from tasks.partitions import Partition, cached_partition
from tasks.progress import track

# Raise when this package gives other rows for the same chunks and configuration.
VERSION = 2

RESPONSES = "responses.jsonl"


def generate_examples(
    chunks: pa.Table,
    documents: pa.Table,
    config: GenerationConfig,
    complete: Complete | None,
    cache: Path,
) -> StageResult:
    """Make question-answer rows from chunks.

    Input columns: all of CHUNK; `document_id` and `pages` of DOCUMENT.
    Output columns: EXAMPLE, with `grounding` set.

    Args:
        chunks: The chunks.
        documents: The documents they come from.
        config: Which rows to make, and how many.
        complete: Asks the language model; needed only if a generator uses one.
        cache: Folder for finished documents and the model's replies.

    Raises:
        EndpointError: The language model cannot be reached or keeps failing.
        StorageError: The cache cannot be written.
        TooFewRows: Not one row was kept.
    """
    sources = list(source_documents(chunks, documents))
    asked = _asked(sources, config)
    model = _model(complete, config, cache) if any(asked.values()) else None
    if model is not None:
        _ask_ahead(sources, asked, config, model)
    make = partial(_document_rows, config=config, asked=asked, model=model)
    partitions = [
        cached_partition(cache, _key(source, asked, config), partial(make, source))
        for source in track(sources, "Generating from documents", len(sources))
    ]
    return _result(partitions, config, model)


def _model(complete: Complete | None, config: GenerationConfig, cache: Path) -> LoggedModel:
    if complete is None:
        raise ValueError("A generator needs a language model, but none was given.")
    return LoggedModel(complete, ResponseLog(cache / RESPONSES), config.llm)


def _asked(
    sources: Sequence[SourceDocument], config: GenerationConfig
) -> dict[str, frozenset[str]]:
    """Return which chunks each generator with a language model asks about.

    The chunks with the smallest hashes are taken, so a changed document displaces few.
    """
    chosen = {}
    for generator in _llm_generators(config):
        usable = [
            chunk.view.chunk_id
            for source in sources
            for chunk in source.chunks
            if generator.messages(chunk.view) is not None
        ]
        ranked = sorted(usable, key=lambda chunk_id: digest([config.seed, chunk_id]))
        chosen[generator.generator] = frozenset(ranked[: config.llm.max_calls])
    return chosen


def _llm_generators(config: GenerationConfig) -> list[LLMGenerator]:
    return [g for g in config.generators if isinstance(g, LLMGenerator)]


def _ask_ahead(
    sources: Sequence[SourceDocument],
    asked: dict[str, frozenset[str]],
    config: GenerationConfig,
    model: LoggedModel,
) -> None:
    """Ask everything at full concurrency; documents are then made from the log."""
    work = [
        (generator, chunk.view)
        for generator in _llm_generators(config)
        for source in sources
        for chunk in source.chunks
        if chunk.view.chunk_id in asked[generator.generator]
    ]

    def progress(items: Iterable[object], total: int) -> Iterable[object]:
        return track(items, "Asking the language model", total)

    ask_all(work, model, progress)


def _key(source: SourceDocument, asked: dict[str, frozenset[str]], config: GenerationConfig) -> str:
    own = {chunk.view.chunk_id for chunk in source.chunks}
    questions = {name: sorted(own & chunk_ids) for name, chunk_ids in asked.items()}
    options = config.model_dump(mode="json")
    return digest([VERSION, SCHEMA_VERSION, source.content(), options, questions])


def _document_rows(
    source: SourceDocument,
    config: GenerationConfig,
    asked: dict[str, frozenset[str]],
    model: LoggedModel | None,
) -> Partition:
    """Make, check and limit the rows of one document."""
    maker = RowMaker(source, config)
    for chunk in source.chunks:
        for generator in config.generators:
            for outcome in _outcomes(generator, chunk, asked, model, config):
                maker.add(generator, chunk, outcome)
    names = list(dict.fromkeys(generator.generator for generator in config.generators))
    limit = config.max_rows_per_document
    maker.drop_all_but(take_turns(maker.kept, names, limit, config.seed), limit)
    return Partition(
        pa.Table.from_pylist(maker.kept, EXAMPLE),
        pa.Table.from_pylist(maker.dropped, dropped_schema(EXAMPLE)),
    )


def _outcomes(
    generator: Generator,
    chunk: SourceChunk,
    asked: dict[str, frozenset[str]],
    model: LoggedModel | None,
    config: GenerationConfig,
) -> Iterator[Outcome]:
    if isinstance(generator, RuleGenerator):
        yield Outcome(tuple(generator.generate(chunk.view)), "")
    elif (
        isinstance(generator, LLMGenerator)
        and model is not None
        and chunk.view.chunk_id in asked[generator.generator]
    ):
        outcome = converse(generator, chunk.view, model, config.llm.repairs)
        if outcome is not None:
            yield outcome


def _result(
    partitions: Sequence[Partition], config: GenerationConfig, model: LoggedModel | None
) -> StageResult:
    kept = _concatenated([p.kept for p in partitions], EXAMPLE)
    dropped = _concatenated([p.dropped for p in partitions], dropped_schema(EXAMPLE))
    if not kept.num_rows:
        reasons = ", ".join(f"{n} {reason}" for reason, n in count_reasons(dropped).items())
        raise TooFewRows(
            f"Generation kept no row from {len(partitions)} documents: "
            f"{dropped.num_rows} candidates, dropped as {reasons or 'none at all'}. Add documents, "
            "add generators to `generation.generators`, or lower `generation.min_grounding`."
        )
    figures: dict[str, float] = {f"rows.{g.generator}": 0 for g in config.generators}
    for name in kept.column("generator").to_pylist():
        figures[f"rows.{name}"] += 1
    return StageResult(
        kept=kept,
        dropped=dropped,
        rows_in=kept.num_rows + dropped.num_rows,
        figures=figures | (model.usage.figures() if model else {}),
    )


def _concatenated(tables: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    return pa.concat_tables([schema.empty_table(), *tables]).combine_chunks()


def needs_model(config: GenerationConfig) -> bool:
    """Whether any of the configured generators asks a language model."""
    return bool(_llm_generators(config))
