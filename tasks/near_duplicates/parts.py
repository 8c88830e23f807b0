"""The first pass in parts, each of them the work of one process."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tasks.near_duplicates.config import NearDuplicatesConfig
from tasks.near_duplicates.reading import DocumentFile, Piece, list_pieces, read_chunks
from tasks.near_duplicates.sketch import sketch_chunk

# Bytes of a part: several chunks, so that these are full, and yet seconds of work. A row
# group of a Parquet file is never divided.
PART_BYTES = 2**26


class Part(NamedTuple):
    """Successive pieces of files.

    Attributes:
        number: The how manyth it is: rows are counted in this order.
        pieces: What it consists of.
    """

    number: int
    pieces: tuple[Piece, ...]


def list_parts(files: Sequence[DocumentFile]) -> Iterator[Part]:
    """Yield the parts of a corpus in order."""
    number, waiting, held = 0, list[Piece](), 0
    for file in files:
        for piece in list_pieces(file):
            waiting.append(piece)
            held += piece.size
            if held >= PART_BYTES:
                yield Part(number, tuple(waiting))
                number, waiting, held = number + 1, [], 0
    if waiting:
        yield Part(number, tuple(waiting))


def sketch_part(place: Path, part: Part, config: NearDuplicatesConfig, chunk_bytes: int) -> None:
    """Write the sketches of a part's documents, unless they are there.

    Args:
        place: The folder of the search; the same on all machines.
        part: What to read.
        config: Columns, shingles and bands.
        chunk_bytes: About how many bytes of text to hold.

    Raises:
        DatasetError: A file cannot be read, or a column is missing.
        StorageError: Writing failed.
    """
    done = place / f"sketched-{part.number:06}"
    if done.is_file():
        return
    for number, chunk in enumerate(read_chunks(part.pieces, config, chunk_bytes)):
        sketch_chunk(place / f"chunk-{part.number:06}-{number:06}", chunk, config)
    done.touch()


def sketched_chunks(place: Path) -> list[Path]:
    """Return the folders of all chunks in order."""
    return sorted(path for path in place.glob("chunk-*") if path.suffix == "")
