"""Question-answer rows from chunks: generate, check, limit.

Each document is a partition of its own: what its rows depend on is its own chunks, what a
language model is asked about them, and the configuration. So a changed document leaves the
others' partitions valid. Limits that hold for the whole dataset are applied at the end.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.dataset import StageResult, count_reasons
from data_contracts.errors import TooFewRows
from data_contracts.schemas import EXAMPLE, dropped_schema
from tasks.crew import OpenCrew
from tasks.generation.base import LLMGenerator, Subject
from tasks.generation.config import GenerationConfig
from tasks.generation.documents import SourceDocument, Sources
from tasks.generation.limit import Surplus, surplus_rows
from tasks.generation.related import Related, find_related
from tasks.generation.rounds import VERSION as VERSION
from tasks.generation.rounds import Rounds
from tasks.generation.subjects import is_safe, ranked_subjects
from tasks.generation.topup import why_short
from tasks.llm.logged import LoggedModel
from tasks.llm.request import Complete
from tasks.llm.response_log import ResponseLog
from tasks.remembered_rows import UnitRows

logger = logging.getLogger(__name__)

RESPONSES = "responses.jsonl"


def generate_examples(
    chunks: pa.Table,
    documents: pa.Table,
    config: GenerationConfig,
    complete: Complete | None,
    cache: Path,
    crew: OpenCrew | None = None,
) -> StageResult:
    """Make question-answer rows from chunks, at least one.

    Input columns: all of CHUNK; `document_id`, `text` and `pages` of DOCUMENT.
    Output columns: EXAMPLE, with `grounding` set.

    Args:
        chunks: The chunks.
        documents: The documents they come from.
        config: Which rows to make, and how many.
        complete: Asks the language model; needed only if a generator uses one.
        cache: Folder for finished documents and the model's replies.
        crew: Opens processes that share the work of rules.

    Raises:
        ConfigError: The crew cannot be had.
        EngineError: It was lost.
        EndpointError: The language model cannot be reached, keeps failing, or gives nearly
            nothing but unusable replies.
        StorageError: The cache cannot be written.
        TooFewRows: Not one row was kept.
    """
    result = generate_rows(chunks, documents, config, complete, cache, crew)
    if not result.kept.num_rows:
        raise _nothing(documents.num_rows, result.dropped)
    return result


def generate_rows(
    chunks: pa.Table,
    documents: pa.Table,
    config: GenerationConfig,
    complete: Complete | None,
    cache: Path,
    crew: OpenCrew | None = None,
) -> StageResult:
    """Do what `generate_examples` does, but allow that no row is kept."""
    sources = Sources(chunks, documents)
    asking = [g for g in config.generators if isinstance(g, LLMGenerator)]
    seen = list(sources) if asking else []
    related = find_passages(seen, config)
    subjects: dict[str, list[Subject]] = {
        g.generator: ranked_subjects(g, seen, related, config.seed) for g in asking
    }
    model = _model(complete, config, cache) if any(subjects.values()) else None
    rounds = Rounds(sources, subjects, config, model, cache, crew)
    rows = rounds.run()
    kept, dropped = _limited(rows, config)
    figures = _figures(kept, rounds, config, model)
    if asking:
        flagged = [c for source in seen for c in source.chunks if not is_safe(c.view)]
        figures["flagged_chunks_not_asked"] = len(flagged)
    _warn_of_shortage(kept, rounds, rows, config)
    unanswered = model.unanswered if model else 0
    rows_in = kept.num_rows + dropped.num_rows
    return StageResult(kept, dropped, rows_in, figures, unanswered=unanswered)


def needs_model(config: GenerationConfig) -> bool:
    """Whether any of the configured generators asks a language model."""
    return any(isinstance(generator, LLMGenerator) for generator in config.generators)


def _model(complete: Complete | None, config: GenerationConfig, cache: Path) -> LoggedModel:
    if complete is None:
        raise ValueError("A generator needs a language model, but none was given.")
    return LoggedModel(complete, ResponseLog(cache / RESPONSES), config.llm)


def find_passages(sources: Sequence[SourceDocument], config: GenerationConfig) -> Related:
    """Return the passages that belong together, of those a language model may see."""
    safe = [c.view for source in sources for c in source.chunks if is_safe(c.view)]
    low, high = config.related_passages
    return find_related(safe, low, high)


def _limited(rows: UnitRows, config: GenerationConfig) -> tuple[pa.Table, pa.Table]:
    """Return kept and dropped rows after the limits that hold for the whole dataset."""
    kept, dropped = rows.kept.table, rows.dropped.table
    columns = ["example_id", "document_id", "generator", "kind", "answer"]
    surplus = surplus_rows(
        kept.select(columns).to_pylist(),
        config.rows_per_kind,
        frozenset(g.generator for g in config.generators if g.refuses),
        config.max_refusal_share,
        config.seed,
    )
    if not surplus:
        return kept, dropped
    too_many = pc.is_in(kept.column("example_id"), pa.array(list(surplus), pa.string()))
    more = _reasoned(kept.filter(too_many), surplus)
    return kept.filter(pc.invert(too_many)), pa.concat_tables([dropped, more])


def _reasoned(rows: pa.Table, surplus: dict[str, Surplus]) -> pa.Table:
    found = [
        row
        | {"reason": surplus[row["example_id"]].reason, "detail": surplus[row["example_id"]].detail}
        for row in rows.to_pylist()
    ]
    return pa.Table.from_pylist(found, dropped_schema(EXAMPLE))


def _nothing(documents: int, dropped: pa.Table) -> TooFewRows:
    reasons = ", ".join(f"{n} {reason}" for reason, n in count_reasons(dropped).items())
    return TooFewRows(
        f"Generation kept no row from {documents} documents: "
        f"{dropped.num_rows} candidates, dropped as {reasons or 'none at all'}. Add documents, "
        "add generators to `generation.generators`, or lower `generation.min_grounding`."
    )


def _figures(
    kept: pa.Table, rounds: Rounds, config: GenerationConfig, model: LoggedModel | None
) -> dict[str, float]:
    figures: dict[str, float] = {f"rows.{g.generator}": 0 for g in config.generators}
    for name in kept.column("generator").to_pylist():
        figures[f"rows.{name}"] += 1
    figures |= {f"wanted.{name}": number for name, number in config.rows_per_kind.items()}
    figures |= {f"asked.{name}": number for name, number in rounds.asked.items()}
    return figures | (model.usage.figures() if model else {})


def _warn_of_shortage(
    kept: pa.Table, rounds: Rounds, rows: UnitRows, config: GenerationConfig
) -> None:
    names = kept.column("generator").to_pylist()
    for name, wanted in config.rows_per_kind.items():
        have = names.count(name)
        if name in rounds.subjects:
            reason = why_short(rounds.progress(name, rows), have)
        else:
            reason = "the documents give no more" if have < wanted else None
        if reason:
            logger.warning("Generation: %d of %d %s rows: %s.", have, wanted, name, reason)
