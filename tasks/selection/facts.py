"""Facts: what several rows ask for in different words."""

from collections import defaultdict
from typing import Any

import pyarrow as pa

from tasks.text.normalise import normalise


def fact_of(row: dict[str, Any]) -> str:
    """Return what names a row's fact; a row without one stands for a fact of its own."""
    return str(row["fact_id"] or row["parent_id"] or row["example_id"])


def wordings(examples: pa.Table) -> dict[str, int]:
    """Return how many differently worded questions ask for each fact."""
    asked: defaultdict[str, set[str]] = defaultdict(set)
    for row in examples.select(["fact_id", "parent_id", "example_id", "question"]).to_pylist():
        asked[fact_of(row)].add(normalise(row["question"]))
    return {fact: len(questions) for fact, questions in asked.items()}
