"""The rows that a stage made of each unit of its work, in one file: the next run makes new ones.

A unit is what a stage works on by itself: a document, a row. The file is mapped, so what is
unchanged is neither read into memory nor turned into Python objects: it goes from there into the
stage's table as it is. The file holds what the last run used, no more. `tasks.partitions` keeps a
file for each document, which a run that breaks off leaves behind; opening ten thousand of them
takes longer than all else that a stage does where one document changed.
"""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data_contracts.base import digest
from data_contracts.errors import StorageError
from tasks.memo import SUFFIX
from tasks.partitions import Partition
from tasks.whole_file import whole_file

Counts = NDArray[np.int64]

_COLUMNS: dict[str, pa.DataType] = {
    "name": pa.binary(),
    "kept": pa.int64(),
    "dropped": pa.int64(),
}
_UNITS = pa.schema(_COLUMNS)

# What the place of a unit is that the last run had not.
_NEW = -1

# The name of a unit whose rows are not to be found again.
_NAMELESS = b""

# A table of more and smaller pieces is copied into one: every run that changes something adds some.
_MOST_PIECES, _ROWS_OF_A_PIECE = 64, 128


@dataclass(frozen=True)
class PartedTable:
    """A table, and how many of its rows each unit has, in the order of the units."""

    table: pa.Table
    counts: Counts

    @cached_property
    def starts(self) -> Counts:
        """Where each unit's rows begin, and at the end how many rows there are."""
        return np.concatenate([[0], np.cumsum(self.counts)]).astype(np.int64)

    def units(self, first: int, number: int) -> "PartedTable":
        """Return the rows of units that follow each other; nothing is copied."""
        begin, end = int(self.starts[first]), int(self.starts[first + number])
        return PartedTable(
            self.table.slice(begin, end - begin), self.counts[first : first + number]
        )


@dataclass(frozen=True)
class UnitRows:
    """The rows of all units: those kept, and those dropped."""

    kept: PartedTable
    dropped: PartedTable


# Makes the rows of those units whose places it is given, in that order.
Make = Callable[[list[int]], UnitRows]


def rows_of(partitions: Sequence[Partition], kept: pa.Schema, dropped: pa.Schema) -> UnitRows:
    """Return the rows of units that each are a partition."""
    return UnitRows(
        _parted([partition.kept for partition in partitions], kept),
        _parted([partition.dropped for partition in partitions], dropped),
    )


def _parted(tables: Sequence[pa.Table], schema: pa.Schema) -> PartedTable:
    counts = np.array([table.num_rows for table in tables], np.int64)
    return PartedTable(pa.concat_tables([schema.empty_table(), *tables]).combine_chunks(), counts)


class RememberedRows:
    """The rows that the last run made.

    Args:
        folder: Where the file lies; None to remember nothing.
        basis: All that every unit's rows depend on: options, code, libraries.
        kept: Schema of the rows kept.
        dropped: Schema of the rows dropped.
    """

    def __init__(
        self, folder: Path | None, basis: object, kept: pa.Schema, dropped: pa.Schema
    ) -> None:
        self.path = None if folder is None else folder / f"{digest(basis, length=32)}{SUFFIX}"
        self._names: list[bytes] = []
        self._rows = rows_of([], kept, dropped)
        stored = None if self.path is None else _read(self.path)
        if stored is not None:
            self._names, self._rows = stored
        self._places = self._found()

    def __contains__(self, name: object) -> bool:
        """Whether the last run had a unit of that name."""
        return name in self._places

    def rows(
        self, names: Sequence[bytes], make: Make, forgets: Callable[[], Set[bytes]] = frozenset
    ) -> UnitRows:
        """Return the rows of units, and keep them for the next run.

        Args:
            names: Of each unit, of all that its rows depend on; one without is made each time.
            make: Makes the rows of units.
            forgets: Says, after that, which names' rows are not to be kept.

        Raises:
            StorageError: The file cannot be written.
        """
        if list(names) == self._names and _NAMELESS not in names:
            return self._rows
        places = np.array([self._places.get(name, _NEW) for name in names], np.int64)
        made = make(np.flatnonzero(places == _NEW).tolist())
        found = UnitRows(
            _joined(self._rows.kept, places, made.kept),
            _joined(self._rows.dropped, places, made.dropped),
        )
        out = forgets()
        self._names, self._rows = [_NAMELESS if n in out else n for n in names], found
        self._places = self._found()
        if self.path is not None:
            _write(self.path, self._names, found)
        return found

    def _found(self) -> dict[bytes, int]:
        return {name: at for at, name in enumerate(self._names) if name != _NAMELESS}


def _joined(last: PartedTable, places: Counts, made: PartedTable) -> PartedTable:
    """Put the rows of units together; those that follow each other are one slice."""
    parts, new = [], 0
    for run in _runs(places):
        if places[run[0]] == _NEW:
            parts.append(made.units(new, run.size))
            new += run.size
        else:
            parts.append(last.units(int(places[run[0]]), run.size))
    table = pa.concat_tables([last.table.schema.empty_table(), *(part.table for part in parts)])
    counts = np.concatenate([np.empty(0, np.int64), *(part.counts for part in parts)])
    many = _pieces(table) > max(_MOST_PIECES, table.num_rows / _ROWS_OF_A_PIECE)
    return PartedTable(table.combine_chunks() if many else table, counts)


def _runs(places: Counts) -> list[Counts]:
    """Return the positions in `places` in runs: of new units, or of known ones in a row."""
    if not places.size:
        return []
    new = places == _NEW
    goes_on = (new[1:] & new[:-1]) | (~new[1:] & ~new[:-1] & (np.diff(places) == 1))
    return np.split(np.arange(places.size), np.flatnonzero(~goes_on) + 1)


def _pieces(table: pa.Table) -> int:
    return max((column.num_chunks for column in table.columns), default=0)


def _read(path: Path) -> tuple[list[bytes], UnitRows] | None:
    """Return the names of the units and their rows; a missing or damaged file counts as none."""
    try:
        with pa.memory_map(str(path)) as source:
            units, kept, dropped = (pa.ipc.open_stream(source).read_all() for _ in range(3))
        names: list[Any] = units.column("name").to_pylist()
        counts = [units.column(name).to_numpy() for name in ("kept", "dropped")]
        return names, UnitRows(PartedTable(kept, counts[0]), PartedTable(dropped, counts[1]))
    except (OSError, pa.ArrowInvalid, KeyError):
        return None


def _write(path: Path, names: Sequence[bytes], rows: UnitRows) -> None:
    columns: dict[str, Any] = {
        "name": names,
        "kept": rows.kept.counts,
        "dropped": rows.dropped.counts,
    }
    tables = [pa.table(columns, schema=_UNITS), rows.kept.table, rows.dropped.table]
    try:
        with whole_file(path) as raw:
            for table in tables:
                with pa.ipc.new_stream(raw, table.schema) as writer:
                    writer.write_table(table)
    except OSError as problem:
        raise StorageError(
            f"Cannot write {path}: {problem}. Free disk space or set TEMPER_HOME to another "
            "disk, then run again."
        ) from problem
