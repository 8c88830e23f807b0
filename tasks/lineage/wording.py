"""The words by which a document is known: runs that no other document has."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from tasks.text.shingles import Hashes, union, word_ngrams

# Eight words in a row are seldom written twice by chance; shorter runs are phrases of the
# language. Runs that another document has as well are left out in any case.
RUN = 8


class Wording:
    """Runs of words that only some documents have.

    Args:
        texts: What these say.
        others: What all other documents say.
    """

    def __init__(self, texts: Iterable[str], others: Iterable[str]) -> None:
        own = union(word_ngrams(text, RUN) for text in texts)
        for text in others:
            if not own.size:
                break
            own = own[~np.isin(own, word_ngrams(text, RUN))]
        self.runs: Hashes = own

    def occurs_in(self, text: str) -> bool:
        """Whether a text holds one of the runs."""
        return bool(self.runs.size) and bool(np.isin(word_ngrams(text, RUN), self.runs).any())

    def rows_with(self, table: pa.Table) -> int:
        """Return how many rows of a table hold one of the runs in a column of text."""
        columns = [f.name for f in table.schema if pa.types.is_string(f.type)]
        rows = zip(*(table.column(name).to_pylist() for name in columns), strict=True)
        return sum(any(cell and self.occurs_in(cell) for cell in row) for row in rows)
