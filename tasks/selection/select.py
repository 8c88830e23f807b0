"""Selection of rows for the objective, and the warnings that go with it."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from data_contracts.base import digest
from data_contracts.dataset import StageResult
from data_contracts.errors import TooFewRows
from data_contracts.schemas import EXAMPLE, dropped_schema
from tasks.selection.config import BehaviourConfig, Knowledge, KnowledgeConfig
from tasks.selection.coverage import Choice, choose, curve
from tasks.selection.facts import fact_of, wordings
from tasks.selection.suitability import find_warnings

if TYPE_CHECKING:
    from tasks.modeling.encoder import Vectors
    from tasks.selection.known import Fact

Row = dict[str, Any]
Encode = Callable[[Sequence[str]], "Vectors"]
Classify = Callable[[Sequence["Fact"], Sequence["Fact"]], dict[str, Knowledge]]

# Rows of which the curve of coverage against size is drawn where all rows are kept: drawing
# it compares each with each, and it is a picture of the data, not a decision.
_CURVE_ROWS = 3_000

WARNINGS = "warnings.json"
COVERAGE = "coverage.json"


def select_for_behaviour(
    examples: pa.Table, config: BehaviourConfig, encode: Encode
) -> StageResult:
    """Keep the best and most different rows, where a number of rows is asked for.

    A dropped row names the kept one that covers it, and their similarity.

    Args:
        examples: Curated rows.
        config: How many rows, and what is warned about.
        encode: Turns texts into unit vectors.
    """
    rows = examples.to_pylist()
    limit = config.max_rows
    limited = limit is not None and limit < len(rows)
    looked_at = rows if limited else _drawn(rows, _CURVE_ROWS)
    texts = [f"{row['question']}\n{row['answer']}" for row in looked_at]
    qualities = np.array([quality(row) for row in looked_at])
    choice = choose(encode(texts), qualities, limit if limited and limit else len(looked_at))
    chosen = set(choice.order) if limited else set(range(len(rows)))
    kept = [row for at, row in enumerate(rows) if at in chosen]
    dropped = [_covered(rows, choice, at) for at in range(len(rows)) if at not in chosen]
    points = curve(choice.coverage, len(looked_at))
    result = _result(kept, dropped, config)
    return _with(result, {"coverage": choice.coverage[-1]} if points else {}, {COVERAGE: points})


def select_for_knowledge(
    examples: pa.Table, config: KnowledgeConfig, classify: Classify | None
) -> StageResult:
    """Class facts by what the base model knows, and drop the classes that are not wanted.

    Args:
        examples: Curated rows.
        config: What is asked, and what is dropped.
        classify: Asks the base model about some facts, with others as examples; None to ask
            nothing.

    Raises:
        TooFewRows: No row is left.
    """
    rows = examples.to_pylist()
    classes = classify(*_facts_to_ask(rows, config)) if classify else {}
    for row in rows:
        row["knowledge"] = classes.get(fact_of(row))
    kept = [row for row in rows if row["knowledge"] not in config.drop]
    dropped = [_known(row) for row in rows if row["knowledge"] in config.drop]
    if not kept:
        raise TooFewRows(
            f"All {len(rows)} rows belong to the classes that selection.drop names "
            f"({', '.join(config.drop)}). Drop fewer classes, or add documents."
        )
    result = _result(kept, dropped, config)
    counts = wordings(result.kept)
    figures: dict[str, float] = {f"facts.{k}": n for k, n in Counter(classes.values()).items()}
    figures |= {"facts": len(counts), "wordings_per_fact": sum(counts.values()) / len(counts)}
    return _with(result, figures, {})


def quality(row: Mapping[str, Any]) -> float:
    """Return a row's quality: the mean of its judges' scores and its grounding, 0 to 1."""
    scores = [score["score"] for score in row["scores"]]
    scores += [] if row["grounding"] is None else [row["grounding"]]
    return sum(scores) / len(scores) if scores else 1.0


def _drawn(rows: Sequence[Row], number: int) -> list[Row]:
    ranked = sorted(rows, key=lambda row: digest(row["example_id"]))
    return ranked[:number]


def _facts_to_ask(
    rows: Sequence[Row], config: KnowledgeConfig
) -> tuple[list["Fact"], list["Fact"]]:
    """Return one question for each fact to ask about, and for each fact to show."""
    from tasks.selection.known import Fact

    first: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: digest([config.seed, row["example_id"]])):
        first.setdefault(fact_of(row), row)
    facts = [Fact(name, row["question"], row["answer"]) for name, row in first.items()]
    return facts[: config.classify_facts], facts


def _covered(rows: Sequence[Row], choice: Choice, at: int) -> Row:
    nearest = rows[int(choice.nearest[at])]["example_id"]
    similarity = float(choice.similarity[at])
    return rows[at] | {
        "reason": "not_selected",
        "detail": f"Row {nearest}, which is kept, stands for it (cosine {similarity:.2f}).",
        "duplicate_of": nearest,
        "similarity": similarity,
    }


def _known(row: Row) -> Row:
    detail = f"Its fact is {row['knowledge']} to the base model (selection.drop)."
    return row | {"reason": "knowledge_class", "detail": detail}


def _result(
    kept: Sequence[Row], dropped: Sequence[Row], config: BehaviourConfig | KnowledgeConfig
) -> StageResult:
    table = pa.Table.from_pylist(list(kept), schema=EXAMPLE)
    return StageResult(
        kept=table,
        dropped=pa.Table.from_pylist(list(dropped), schema=dropped_schema(EXAMPLE)),
        rows_in=len(kept) + len(dropped),
        artifacts={WARNINGS: json.dumps(find_warnings(table, config), indent=2)},
    )


def _with(
    result: StageResult, figures: Mapping[str, float], artifacts: Mapping[str, Any]
) -> StageResult:
    texts = {name: json.dumps(content) for name, content in artifacts.items()}
    warnings = len(json.loads(result.artifacts[WARNINGS]))
    return StageResult(
        kept=result.kept,
        dropped=result.dropped,
        rows_in=result.rows_in,
        figures={"warnings": warnings, **figures},
        artifacts={**result.artifacts, **texts},
    )
