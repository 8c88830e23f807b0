"""Documents that another one holds, or that say in other words what it says.

For what is left of a corpus without its near-duplicates (`tasks.near_duplicates`), by the
rules that hold for the rows of a dataset (`duplicates`). It is read whole.
"""

import math
from collections.abc import Mapping
from operator import itemgetter

import pyarrow as pa

from tasks.curation.config import CurationConfig
from tasks.curation.duplicates import Duplicate, held_or_meant, worse_than_kept
from tasks.text.rows import strings

# Bytes that the search for substrings takes for one byte of text: a hash of 8 bytes for each run
# of characters, entries of sparse matrices, the text. Measured on documents of 80 and 1,000
# words, 10 to 50 MB in all: 74 to 79.
BYTES_FOR_TEXT = 90


def find_repeats(documents: pa.Table, config: CurationConfig) -> dict[int, Duplicate]:
    """Return the documents to drop, by position.

    Of two the one of higher quality is better, then the longer one, then that of smaller name.

    Args:
        documents: `id`, `text` and `quality` (null: the lowest).
        config: Thresholds; without one nothing is dropped.
    """
    texts, order = strings(documents, "text"), _best_first(documents)
    pairs = held_or_meant(texts, texts, order, config)
    return worse_than_kept(order, pairs, [False] * len(texts))


def with_repeats(
    dropped: pa.Table, documents: pa.Table, repeats: Mapping[int, Duplicate]
) -> pa.Table:
    """Return the table of all that is dropped: what was before, and the repeats.

    What named a document that is now dropped itself names that one's better, for its reason.

    Args:
        dropped: `id`, `duplicate_of`, `reason`, `similarity`.
        documents: The documents of which repeats were found.
        repeats: Position to what it repeats.
    """
    names = strings(documents, "id")
    told: dict[str, dict[str, object]] = {
        names[position]: {
            "duplicate_of": names[repeat.kept],
            "reason": repeat.reason,
            "similarity": repeat.similarity,
        }
        for position, repeat in repeats.items()
    }
    rows = [row | told.get(row["duplicate_of"], {}) for row in dropped.to_pylist()]
    rows += [{"id": name} | repeat for name, repeat in told.items()]
    return pa.Table.from_pylist(sorted(rows, key=itemgetter("id")), schema=dropped.schema)


def _best_first(documents: pa.Table) -> list[int]:
    rows = documents.select(["quality", "text", "id"]).to_pylist()
    keys = [
        (math.inf if row["quality"] is None else -row["quality"], -len(row["text"]), row["id"])
        for row in rows
    ]
    return sorted(range(len(rows)), key=keys.__getitem__)
