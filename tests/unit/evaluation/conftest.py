"""Tiny models and rows for tests of the evaluation."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pyarrow as pa
import pytest

from data_contracts.results import BaseModelRef
from data_contracts.schemas import EXAMPLE, blank_row
from tasks.evaluation.general import ChoiceItem, GeneralSets, TextItem
from tests.tiny_models import tiny_base


class Tiny(NamedTuple):
    """A tiny model with its tokenizer."""

    model: Any
    tokenizer: Any
    base: BaseModelRef


@pytest.fixture(scope="session", params=["gemma3", "llama"])
def tiny(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    from tasks.modeling.base_model import load_model, load_tokenizer

    base = tiny_base(tmp_path_factory.mktemp(request.param), request.param)
    return Tiny(load_model(base).eval(), load_tokenizer(base), base)


@pytest.fixture(scope="session")
def general() -> GeneralSets:
    capitals = [("France", "Paris"), ("Italy", "Rome"), ("Spain", "Madrid"), ("Egypt", "Cairo")]
    names = tuple(capital for _, capital in capitals)
    items = [
        ChoiceItem(f"i{at}", "capitals", f"The capital of {country} is", names, at)
        for at, (country, _) in enumerate(capitals)
    ]
    items.append(ChoiceItem("q", "colours", "Question: Which is a colour?", ("blue", "a dog"), 0))
    texts = [TextItem(f"t{at}", "prose", f"A ferry carries {at} cars. " * 9) for at in range(4)]
    return GeneralSets(tuple(items), tuple(texts))


@pytest.fixture(scope="session")
def examples() -> pa.Table:
    return make_examples()


def make_examples(change: Callable[[dict[str, Any]], dict[str, Any]] = dict) -> pa.Table:
    """Return 30 rows of 10 groups, a third of them in each split, one row augmented."""
    rows = []
    for number in range(30):
        row = blank_row(EXAMPLE) | {
            "example_id": f"e{number}",
            "kind": "definition" if number % 2 else "list",
            "context": "A ferry is a ship." if number % 3 == 0 else None,
            "question": f"What is ferry number {number}?",
            "answer": f"Ferry {number} carries people" + " and cars" * (number % 4) + ".",
            "document_id": f"d{number // 2}",
            "chunk_id": f"c{number}",
            "generator": "test",
            "group_id": f"g{number // 3}",
            "split": ("train", "validation", "test")[number // 3 % 3],
        }
        rows.append(change(row))
    rows.append(rows[0] | {"example_id": "e0-reworded", "parent_id": "e0"})
    return pa.Table.from_pylist(rows, schema=EXAMPLE)
