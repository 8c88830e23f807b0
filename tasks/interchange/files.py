"""Reads the records of a file one after the other, whatever it is written in.

What a file is, is told by its content. A record that cannot be read is yielded with the
reason; a file that cannot be read at all is an error.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_contracts.errors import DatasetError
from tasks.interchange.delimited import read_delimited
from tasks.interchange.json_records import read_array, read_lines
from tasks.interchange.record import Record

_BATCH_ROWS = 1_000


def read_records(path: Path, encoding: str) -> Iterator[Record]:
    """Yield the records of a JSONL, JSON, CSV, TSV, Parquet or Arrow file.

    Compressed files (gz, zst, bz2, by their name) are read as what is in them.

    Args:
        path: The file.
        encoding: Of text files that do not begin with a byte order mark.

    Raises:
        DatasetError: The file cannot be read, or is none of these.
    """
    try:
        start = _start(path)
        if start.startswith(b"PAR1"):
            yield from _read_parquet(path)
        elif start.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
            yield from _read_arrow(path)
        elif _first_character(start) == b"[":
            yield from read_array(path, _encoding(start, encoding))
        elif _first_character(start) == b"{":
            yield from read_lines(path, _encoding(start, encoding))
        else:
            yield from read_delimited(path, _encoding(start, encoding))
    except (OSError, EOFError, pa.ArrowException, LookupError) as error:
        raise DatasetError(
            f"Cannot read {path}: {error}. Known are JSON lines, JSON arrays, CSV, TSV, Parquet "
            "and Arrow, each also compressed (.gz, .zst, .bz2)."
        ) from error
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{path} is not written in {error.encoding} (byte {error.start}). Set `encoding` of "
            "the source, e.g. cp1252 for CSV from older Excel."
        ) from error


def _start(path: Path) -> bytes:
    with pa.input_stream(str(path), compression="detect") as stream:
        return bytes(stream.read(4_096))


# What may stand before the first character: byte order marks, white space, and the zero
# bytes that UTF-16 puts between them.
_BLANK = b"\xef\xbb\xff\xfe\xbf \t\r\n\x00"


def _first_character(start: bytes) -> bytes:
    return start.lstrip(_BLANK)[:1]


def _encoding(start: bytes, encoding: str) -> str:
    """Return the encoding that a byte order mark tells, or else the one given."""
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    return "utf-8-sig" if encoding.lower() in {"utf-8", "utf8"} else encoding


def _read_parquet(path: Path) -> Iterator[Record]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        yield from _rows_of(file.iter_batches(_BATCH_ROWS))


def _read_arrow(path: Path) -> Iterator[Record]:
    """Read an Arrow stream, as `save_to_disk` of `datasets` writes it, or an Arrow file."""
    with pa.memory_map(str(path)) as source:
        if source.read(6) == b"ARROW1":
            file = pa.ipc.open_file(source)
            yield from _rows_of(file.get_batch(i) for i in range(file.num_record_batches))
        else:
            source.seek(0)
            yield from _rows_of(pa.ipc.open_stream(source))


def _rows_of(batches: Any) -> Iterator[Record]:
    number = 0
    for batch in batches:
        for start in range(0, batch.num_rows, _BATCH_ROWS):
            for row in batch.slice(start, _BATCH_ROWS).to_pylist():
                number += 1
                yield Record(number, row)
