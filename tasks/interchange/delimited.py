"""Records of CSV and TSV files."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from data_contracts.errors import DatasetError
from tasks.interchange.conversation import Refused, excerpt
from tasks.interchange.record import MAX_RECORD_CHARACTERS, Record

_DELIMITERS = ",;\t|"
_SAMPLE_CHARACTERS = 20_000
_LONGEST_HEADING = 80


def read_delimited(path: Path, encoding: str) -> Iterator[Record]:
    """Yield a record for each row below the headings.

    The delimiter is the one of comma, semicolon, tab and bar that the headings hold most of.

    Raises:
        DatasetError: The file has no headings, so it is no table.
        UnicodeDecodeError: The file is not in that encoding.
    """
    csv.field_size_limit(MAX_RECORD_CHARACTERS)
    source = pa.input_stream(str(path), compression="detect")
    with io.TextIOWrapper(cast("BinaryIO", source), encoding=encoding, newline="") as stream:
        first = stream.readline(_SAMPLE_CHARACTERS)
        delimiter = delimiter_of(first)
        columns = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
        if not _are_headings(columns):
            raise DatasetError(
                f"{path} is no dataset: it begins with {excerpt(first.strip())!r}, which is "
                "neither JSON nor the headings of a table, and it is neither Parquet nor Arrow."
            )
        yield from _rows(csv.reader(stream, delimiter=delimiter), columns)


def delimiter_of(headings: str) -> str:
    """Return the delimiter that the line of headings holds most of."""
    return max(_DELIMITERS, key=headings.count)


def _are_headings(columns: Sequence[str]) -> bool:
    """Whether these can be headings: two or more, short, each with a name of its own.

    A first column without a name is an index, as pandas writes it.
    """
    named = columns[1:] if columns[:1] == [""] else columns
    short = all(0 < len(name) <= _LONGEST_HEADING for name in named)
    return len(columns) > 1 and short and len(set(columns)) == len(columns)


def _rows(reader: Iterator[list[str]], columns: list[str]) -> Iterator[Record]:
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(number, None, Refused("wrong_form", f"The row is no CSV: {error}."))
            continue
        if len(cells) == len(columns):
            yield Record(number, dict(zip(columns, cells, strict=True)))
        elif cells:
            detail = f"The row has {len(cells)} cells, the headings {len(columns)}."
            raw = excerpt(" | ".join(cells), 300)
            yield Record(number, None, Refused("wrong_form", detail), raw)
