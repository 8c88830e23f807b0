"""Names rows of tables by what is in their cells: equal cells, equal names.

Column by column in Arrow, so that naming a row costs a hash and no Python object for each cell.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

# Rows named at once: the texts of so many rows are held twice.
_BLOCK = 4_096

# Bytes of a name: those of a UUID.
_LENGTH = 16

_NULL = "-"

# An Arrow array; the stubs of pyarrow know too few of the types that its functions take.
_Array = Any


def row_names(table: pa.Table, columns: Sequence[str] | None = None) -> list[bytes]:
    """Return a name for each row of a table.

    Args:
        table: The rows.
        columns: What counts of them; everything if not given. Their order counts too.
    """
    chosen = table if columns is None else table.select(list(columns))
    found: list[bytes] = []
    for start in range(0, chosen.num_rows, _BLOCK):
        part = chosen.slice(start, _BLOCK).combine_chunks()
        cells = [_delimited(_only_chunk(column)) for column in part.columns]
        joined = pc.binary_join_element_wise(*cells, "")
        found += map(_name, joined.cast(pa.binary()).to_pylist())
    return found


def joined_names(names: Sequence[bytes]) -> bytes:
    """Return a name for several rows together, in their order."""
    return _name(b"".join(names))


def _name(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()[:_LENGTH]


def _only_chunk(column: _Array) -> _Array:
    return column.chunk(0) if column.num_chunks else pa.array([], column.type)


def _delimited(array: _Array) -> _Array:
    """Return each value as text whose end can be told from its beginning: `5:hello`."""
    if array.null_count == len(array):
        return pa.repeat(_NULL, len(array))
    if pa.types.is_struct(array.type):
        parts = [_delimited(pc.struct_field(array, n)) for n in range(array.type.num_fields)]
        text = pc.binary_join_element_wise(*parts, "")
        text = pc.if_else(array.is_valid(), text, None)
    elif pa.types.is_list(array.type):
        text = _joined_lists(array)
    else:
        text = array.cast(pa.string())
    lengths = pc.binary_length(text).cast(pa.string())
    return pc.fill_null(pc.binary_join_element_wise(lengths, text, ":"), _NULL)


def _joined_lists(array: _Array) -> _Array:
    """Return the values of each list as one text; null where there is no list."""
    lengths: _Array = pc.list_value_length(array)
    ends = pc.cumulative_sum(pc.fill_null(lengths.cast(pa.int32()), 0))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    lists = pa.ListArray.from_arrays(offsets, _delimited(array.flatten()))
    return pc.if_else(array.is_valid(), pc.binary_join(lists, ""), None)
