"""Copies of dataset files without some of their records; all others stay byte for byte."""

import csv
import io
import json
from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow as pa

from data_contracts.errors import StorageError
from tasks.interchange.compared import is_plain
from tasks.interchange.delimited import delimiter_of

_BLANK = " \t\r\n\ufeff"


def copy_without(file: Path, left_out: Collection[int], target: Path) -> None:
    """Write a file again, without the records of these numbers.

    JSON lines, CSV and plain text keep every other byte; elements of a JSON array keep
    theirs, one a line; Parquet and Arrow keep their schema and are written anew.

    Args:
        file: A file that `tasks.interchange.files` reads.
        left_out: Numbers of records, from 1, as reading counts them.
        target: Where to; compressed if its name says so (.gz, .zst, .bz2).

    Raises:
        StorageError: It cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with pa.input_stream(str(file), compression="detect") as stream:
            content = stream.read()
        if content.startswith((b"PAR1", b"ARROW1", b"\xff\xff\xff\xff")):
            _copy_table(content, left_out, target)
            return
        kept = "".join(_kept(content, left_out, is_plain(file)))
        with pa.output_stream(str(target), compression="detect") as stream:
            stream.write(kept.encode(_encoding(content), "surrogateescape"))
    except (OSError, pa.ArrowException) as error:
        raise StorageError(f"Cannot write {target}, a copy of {file}: {error}.") from error


def _encoding(content: bytes) -> str:
    return "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"


def _kept(content: bytes, left_out: Collection[int], plain: bool) -> Iterator[str]:
    text = content.decode(_encoding(content), "surrogateescape")
    first = text.lstrip(_BLANK)[:1]
    if not plain and first == "[":
        elements = [e for n, e in enumerate(_elements(text), 1) if n not in left_out]
        yield "[\n" + ",\n".join(elements) + "\n]\n"
    elif plain or first == "{":
        lines = io.StringIO(text, newline="\n")
        yield from (line for n, line in enumerate(lines, 1) if n not in left_out)
    else:
        yield from _table_rows(text, left_out)


def _elements(text: str) -> Iterator[str]:
    """Yield the elements of a JSON array as they are written."""
    decoder = json.JSONDecoder()
    at = text.index("[") + 1
    while True:
        while at < len(text) and text[at] in _BLANK + ",":
            at += 1
        if at >= len(text) or text[at] == "]":
            return
        _, end = decoder.raw_decode(text, at)
        yield text[at:end]
        at = end


def _table_rows(text: str, left_out: Collection[int]) -> Iterator[str]:
    """Yield the headings and the rows; a row may go over several lines."""
    lines = io.StringIO(text, newline="")
    headings = lines.readline()
    yield headings
    taken: list[str] = []

    def taking() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    for number, _ in enumerate(csv.reader(taking(), delimiter=delimiter_of(headings)), 1):
        if number not in left_out:
            yield from taken
        taken.clear()


def _copy_table(content: bytes, left_out: Collection[int], target: Path) -> None:
    import pyarrow.parquet as pq

    source = pa.BufferReader(content)
    if content.startswith(b"PAR1"):
        table = pq.read_table(source)
    elif content.startswith(b"ARROW1"):
        table = pa.ipc.open_file(source).read_all()
    else:
        table = pa.ipc.open_stream(source).read_all()
    keep = [n not in left_out for n in range(1, table.num_rows + 1)]
    table = table.filter(pa.array(keep, pa.bool_()))
    if content.startswith(b"PAR1"):
        pq.write_table(table, target)
        return
    new = pa.ipc.new_file if content.startswith(b"ARROW1") else pa.ipc.new_stream
    with pa.OSFile(str(target), "wb") as sink, new(sink, table.schema) as writer:
        writer.write_table(table)
