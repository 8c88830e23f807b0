"""Third pass: of every cluster of linked documents one is kept, the others name it."""

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa

from data_contracts.errors import DatasetError
from tasks.near_duplicates.disjoint import DisjointSets
from tasks.near_duplicates.link import Texts
from tasks.near_duplicates.sketches import Rows, Sketches
from tasks.text.shingles import jaccard

_COLUMNS: dict[str, pa.DataType] = {
    "id": pa.string(),
    "duplicate_of": pa.string(),
    "reason": pa.string(),
    "similarity": pa.float64(),
}
DUPLICATES = pa.schema(_COLUMNS)


def find_dropped(texts: Texts, sets: DisjointSets) -> pa.Table:
    """Return the documents to drop, by name, with the document of their cluster that is kept.

    Kept is the one of highest quality, among equals the one of smallest name. Links reach
    on: a dropped document resembles some document of its cluster at the threshold, and the
    kept one perhaps less; `similarity` says how much. `row` is where the dropped one stands.
    """
    clusters = sets.roots()[texts.same]
    rows = np.flatnonzero(np.bincount(clusters, minlength=clusters.size)[clusters] > 1)
    ranked = _best_first(texts.sketches, rows, clusters[rows])
    new = np.ones(rows.size, bool)
    new[1:] = np.diff(ranked.column("cluster").to_numpy()) != 0
    kept = np.flatnonzero(new)[np.cumsum(new) - 1]
    return _describe(texts, ranked.take(np.flatnonzero(~new)), ranked.take(kept[~new]))


def _best_first(sketches: Sketches, rows: Rows, clusters: Rows) -> pa.Table:
    quality = sketches.column("quality")[rows]
    columns: dict[str, Any] = {"row": rows, "cluster": clusters, "quality": quality}
    members = pa.table(columns | {"id": sketches.names(rows)})
    return members.sort_by(
        [("cluster", "ascending"), ("quality", "descending"), ("id", "ascending")]
    )


def _describe(texts: Texts, dropped: pa.Table, kept: pa.Table) -> pa.Table:
    rows, best = dropped.column("row").to_numpy(), kept.column("row").to_numpy()
    same = texts.same[rows] == texts.same[best]
    similarity = np.ones(rows.size)
    for place in np.flatnonzero(~same).tolist():
        pair = texts.sketches.shingles(int(rows[place])), texts.sketches.shingles(int(best[place]))
        similarity[place] = jaccard(*pair)
    columns: dict[str, Any] = {
        "id": dropped.column("id"),
        "duplicate_of": kept.column("id"),
        "reason": pa.array(np.where(same, "exact_duplicate", "near_duplicate").tolist()),
        "similarity": pa.array(similarity),
    }
    described = pa.table(columns).cast(DUPLICATES)
    return described.append_column("row", pa.array(rows)).sort_by("id")


def check_names(sketches: Sketches) -> None:
    """Make sure that no two documents have one name.

    Raises:
        DatasetError: Two have; the message gives the name.
    """
    hashes = sketches.column("id_hash")
    order = np.argsort(hashes)
    equal = np.flatnonzero(hashes[order][1:] == hashes[order][:-1])
    rows = np.unique(order[np.concatenate([equal, equal + 1])])
    counts = Counter(sketches.names(rows).to_pylist())
    twice = sorted(str(name) for name, count in counts.items() if count > 1)
    if twice:
        raise DatasetError(
            f"{len(twice)} names belong to several documents, the first is {twice[0]!r}. "
            "Which one is kept would depend on the order of the input: give every "
            "document a name of its own, or no column of names."
        )
