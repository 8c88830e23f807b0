"""Reads a dataset of any form as texts to compare: nothing is refused, scrubbed or dropped."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_contracts.errors import ConfigError
from data_contracts.schemas import EXAMPLE, blank_row
from tasks.interchange.config import DatasetSource
from tasks.interchange.conversation import Refused, exchanges
from tasks.interchange.files import read_records
from tasks.interchange.find_form import with_form
from tasks.interchange.format import Format
from tasks.interchange.locate import LocatedSource, locate
from tasks.interchange.record import Record
from tasks.interchange.sources import DatasetFile

_PLAIN = (".txt", ".text", ".md")
_BLANK = blank_row(EXAMPLE)


@dataclass(frozen=True)
class ComparedDataset:
    """The texts of a dataset.

    Attributes:
        located: Where it lies.
        rows: EXAMPLE rows, several for a conversation; `chunk_id` names file and record.
        records: How many records there are.
        unreadable: How many of them hold no text or cannot be read.
    """

    located: LocatedSource
    rows: pa.Table
    records: int
    unreadable: int


def is_plain(path: Path) -> bool:
    """Return whether a file holds plain text, each line a record of its own."""
    return path.suffix.lower() in _PLAIN


def read_compared(path: str, cache: Path) -> ComparedDataset:
    """Return the texts of a file, a folder or an address; files of plain text line by line.

    A record of no known form is compared by all the texts in it.

    Args:
        path: Where the dataset lies.
        cache: Folder for what is downloaded.

    Raises:
        DatasetError: It does not exist, or a file cannot be read.
    """
    located = locate(DatasetSource(path=path), cache)
    rows: list[dict[str, Any]] = []
    records = unreadable = 0
    for file in located.files:
        for record, form in _records(file):
            found = [row for row in _texts(record, form) if row["question"] or row["answer"]]
            records, unreadable = records + 1, unreadable + (not found)
            name = f"{file.name}#{record.number}"
            places = dict.fromkeys(("example_id", "document_id", "chunk_id"), name)
            rows += [_BLANK | places | row for row in found]
    return ComparedDataset(located, pa.Table.from_pylist(rows, EXAMPLE), records, unreadable)


def _records(file: DatasetFile) -> Iterator[tuple[Record, Format | None]]:
    if is_plain(file.path):
        with file.path.open(encoding="utf-8", errors="replace", newline="\n") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield Record(number, {"text": line.strip()}), None
        return
    form = _form(file)
    for record in read_records(file.path, "utf-8"):
        yield record, form


def _form(file: DatasetFile) -> Format | None:
    try:
        return with_form(file, read_records(file.path, "utf-8"))[0]
    except ConfigError:
        return None


def _texts(record: Record, form: Format | None) -> list[dict[str, Any]]:
    """Return question, answer, passage and history of every exchange of a record."""
    if record.value is None:
        return []
    try:
        said = [] if form is None else list(exchanges(form.read(record.value)))
    except Refused:
        said = []
    rows = [
        {
            "history": [{"role": t.role, "content": t.content} for t in exchange.history],
            "context": exchange.context,
            "question": exchange.question,
            "answer": exchange.answer,
        }
        for exchange in said
    ]
    return rows or [{"question": "\n".join(_strings(record.value)), "answer": ""}]


def _strings(value: Any) -> Iterator[str]:
    """Yield the texts of a record, however deep they lie."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)
