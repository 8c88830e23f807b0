"""Rows that the tests of several stages share."""

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest

from data_contracts.base import digest
from data_contracts.schemas import EXAMPLE, blank_row
from tests.endpoint import Endpoint

Table = Callable[[list[dict[str, Any]]], pa.Table]


def _row(number: int, given: dict[str, Any]) -> dict[str, Any]:
    name = given.get("example_id", f"row-{number}")
    row = blank_row(EXAMPLE) | {
        "example_id": name,
        "kind": "fact",
        "question": f"{digest([name, 'question'], length=24)}?",  # like no other row's
        "answer": digest([name, "answer"], length=24),
        "document_id": f"doc-{name}",
        "chunk_id": f"chunk-{name}",
        "generator": "test",
        "grounding": 1.0,
    }
    return row | given


@pytest.fixture(scope="session")
def table() -> Table:
    """Make an EXAMPLE table; each row is a document of its own where nothing else is said."""

    def make(rows: list[dict[str, Any]]) -> pa.Table:
        return pa.Table.from_pylist([_row(i, r) for i, r in enumerate(rows)], schema=EXAMPLE)

    return make


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    yield server
    server.close()
