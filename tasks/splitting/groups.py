"""Groups of related rows, as the split sees them."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from tasks.splitting.origins import Origins

Stratum = tuple[str, str]  # dimension and value, such as ("kind", "fact")

_COLUMNS = ["group_id", "document_id", "kind", "language", "generator"]


@dataclass(frozen=True)
class Group:
    """The rows of a group.

    Attributes:
        documents: How many rows each document has.
        strata: How many rows each kind, source and language has.
        date: The newest date of its documents, or None.
    """

    documents: Mapping[str, int]
    strata: Mapping[Stratum, int]
    date: str | None = None

    @cached_property
    def rows(self) -> int:
        """Number of rows."""
        return sum(self.documents.values())


Groups = Mapping[str, Group]


def collect_groups(examples: pa.Table, origins: Origins) -> dict[str, Group]:
    """Return the groups of a table by their name, in the order of the names."""
    documents: defaultdict[str, Counter[str]] = defaultdict(Counter)
    strata: defaultdict[str, Counter[Stratum]] = defaultdict(Counter)
    for row in examples.select(_COLUMNS).to_pylist():
        documents[row["group_id"]][row["document_id"]] += 1
        strata[row["group_id"]].update(_strata(row, origins))
    return {
        name: Group(documents[name], strata[name], _newest(documents[name], origins))
        for name in sorted(documents)
    }


def count_rows(groups: Groups, sides: Mapping[str, str]) -> Counter[str]:
    """Return how many rows each side has."""
    rows: Counter[str] = Counter()
    for name, side in sides.items():
        rows[side] += groups[name].rows
    return rows


def number(*parts: str) -> float:
    """Return a number in [0, 1) for some texts: the first 52 bits of a SHA-256."""
    code = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:13]
    return int(code, 16) / 16**13


def _strata(row: dict[str, Any], origins: Origins) -> list[Stratum]:
    """Name a row's strata; rows that were imported have their generator for a source."""
    origin = origins.get(row["document_id"])
    source = row["generator"] if origin is None else origin.source
    return [("kind", row["kind"]), ("language", row["language"] or ""), ("source", source)]


def _newest(documents: Iterable[str], origins: Origins) -> str | None:
    dates = [origins[name].date for name in documents if name in origins]
    return max((date for date in dates if date is not None), default=None)
