"""Selection of rows for the objective, and the warnings that go with it."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data_contracts.base import digest
from data_contracts.dataset import StageResult
from data_contracts.errors import TooFewRows
from data_contracts.schemas import EXAMPLE, dropped_schema
from tasks.memo import Memo, recall
from tasks.selection.config import BehaviourConfig, Knowledge, KnowledgeConfig
from tasks.selection.coverage import Choice, choose, curve
from tasks.selection.facts import fact_of, wordings
from tasks.selection.suitability import find_warnings
from tasks.text.rows import strings

if TYPE_CHECKING:
    from tasks.modeling.encoder import Vectors
    from tasks.selection.known import Fact

Row = dict[str, Any]
Encode = Callable[[Sequence[str]], "Vectors"]
Classify = Callable[[Sequence["Fact"], Sequence["Fact"]], dict[str, Knowledge]]

# Rows of which the curve of coverage against size is drawn where all rows are kept: drawing
# it compares each with each, and it is a picture of the data, not a decision.
_CURVE_ROWS = 3_000

_LOOKED_AT = ["question", "answer", "scores", "grounding"]

WARNINGS = "warnings.json"
COVERAGE = "coverage.json"


def select_for_behaviour(
    examples: pa.Table, config: BehaviourConfig, encode: Encode, memo: Memo | None = None
) -> StageResult:
    """Keep the best and most different rows, where a number of rows is asked for.

    A dropped row names the kept one that covers it, and their similarity.

    Args:
        examples: Curated rows.
        config: How many rows, and what is warned about.
        encode: Turns texts into unit vectors.
        memo: What the last run measured on the same vectors.
    """
    if config.max_rows is not None and config.max_rows < examples.num_rows:
        return _select_best(examples.to_pylist(), config, config.max_rows, encode)
    drawn = _drawn(strings(examples, "example_id"), _CURVE_ROWS)
    looked_at = examples.select(_LOOKED_AT).take(pa.array(drawn, pa.int64())).to_pylist()
    vectors, qualities = _measures(looked_at, encode)
    key = digest([sha256(vectors.tobytes()).hexdigest(), qualities.tolist()])
    make = partial(_coverage, vectors, qualities)
    coverage: list[float] = json.loads(recall(memo, lambda: f"coverage {key}", make))
    nothing = dropped_schema(EXAMPLE).empty_table()
    result = _result(examples.cast(EXAMPLE), nothing, config)
    return _with_curve(result, coverage, len(looked_at))


def _select_best(
    rows: Sequence[Row], config: BehaviourConfig, limit: int, encode: Encode
) -> StageResult:
    choice = choose(*_measures(rows, encode), limit)
    chosen = set(choice.order)
    kept = [row for at, row in enumerate(rows) if at in chosen]
    dropped = [_covered(rows, choice, at) for at in range(len(rows)) if at not in chosen]
    return _with_curve(_result_of(kept, dropped, config), choice.coverage, len(rows))


def _measures(rows: Sequence[Row], encode: Encode) -> tuple["Vectors", NDArray[np.float64]]:
    texts = [f"{row['question']}\n{row['answer']}" for row in rows]
    return encode(texts), np.array([quality(row) for row in rows])


def _coverage(vectors: "Vectors", qualities: NDArray[np.float64]) -> bytes:
    return json.dumps(choose(vectors, qualities, len(vectors)).coverage).encode()


def _with_curve(result: StageResult, coverage: Sequence[float], rows: int) -> StageResult:
    points = curve(list(coverage), rows)
    return _with(result, {"coverage": coverage[-1]} if points else {}, {COVERAGE: points})


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
    result = _result_of(kept, dropped, config)
    counts = wordings(result.kept)
    figures: dict[str, float] = {f"facts.{k}": n for k, n in Counter(classes.values()).items()}
    figures |= {"facts": len(counts), "wordings_per_fact": sum(counts.values()) / len(counts)}
    return _with(result, figures, {})


def quality(row: Mapping[str, Any]) -> float:
    """Return a row's quality: the mean of its judges' scores and its grounding, 0 to 1."""
    scores = [score["score"] for score in row["scores"]]
    scores += [] if row["grounding"] is None else [row["grounding"]]
    return sum(scores) / len(scores) if scores else 1.0


def _drawn(names: Sequence[str], number: int) -> list[int]:
    """Return the places of so many rows, drawn by the hashes of their names."""
    hashes = [digest(name) for name in names]
    return sorted(range(len(names)), key=hashes.__getitem__)[:number]


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


def _result_of(
    kept: Sequence[Row], dropped: Sequence[Row], config: BehaviourConfig | KnowledgeConfig
) -> StageResult:
    return _result(
        pa.Table.from_pylist(list(kept), schema=EXAMPLE),
        pa.Table.from_pylist(list(dropped), schema=dropped_schema(EXAMPLE)),
        config,
    )


def _result(
    kept: pa.Table, dropped: pa.Table, config: BehaviourConfig | KnowledgeConfig
) -> StageResult:
    return StageResult(
        kept=kept,
        dropped=dropped,
        rows_in=kept.num_rows + dropped.num_rows,
        artifacts={WARNINGS: json.dumps(find_warnings(kept, config), indent=2)},
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
