"""Training rows of the document sets before, as the stock that replay draws from."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.dataset import StageResult
from data_contracts.schemas import EXAMPLE, REPLAY, dropped_schema

# Raise when other rows come of the same datasets.
VERSION = 1


def earlier_rows(sets: Sequence[pa.Table]) -> StageResult:
    """Return the training rows of some finished datasets, a row that several hold once.

    Variants are left out, which say again what their row says, and what was replay there.

    Args:
        sets: Rows in the schema EXAMPLE, the first set first.
    """
    rows = pa.concat_tables([_own(table) for table in sets])
    names = rows.column("example_id").to_pylist()
    first = {name: place for place, name in reversed(list(enumerate(names)))}
    kept = rows.take(sorted(first.values()))
    gone = dropped_schema(EXAMPLE).empty_table()
    return StageResult(kept=kept, dropped=gone, rows_in=kept.num_rows)


def _own(table: pa.Table) -> pa.Table:
    training = (pc.field("split") == "train") & pc.field("parent_id").is_null()
    return table.filter(training & (pc.field("kind") != REPLAY))
