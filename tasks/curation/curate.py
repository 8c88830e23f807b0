"""Curation of an example table: duplicates dropped, every kept row in a group."""

import pyarrow as pa

from data_contracts.dataset import StageResult
from data_contracts.schemas import EXAMPLE, dropped_schema
from tasks.curation.config import CurationConfig
from tasks.curation.duplicates import Duplicate, find_duplicates
from tasks.curation.groups import Grouping, group_rows

# Keeps the rows of a document together, and makes the result independent of the input's order.
ORDER = ("document_id", "chunk_id", "example_id")

# Reason of a dropped row to what its similarity is.
_MEASURES = {
    "exact_duplicate": "Jaccard similarity",
    "near_duplicate": "Jaccard similarity",
    "substring_duplicate": "share of its text that stands there",
    "semantic_duplicate": "same facts, cosine similarity",
}


def curate_examples(examples: pa.Table, config: CurationConfig) -> StageResult:
    """Drop duplicates and give every kept row its `group_id`.

    Groups are formed of kept rows alone, so that curating what was curated changes nothing.

    Args:
        examples: Rows in the EXAMPLE schema.
        config: Thresholds.
    """
    rows = examples.sort_by([(column, "ascending") for column in ORDER])
    duplicates = find_duplicates(rows, config)
    kept = rows.take(pa.array([i for i in range(rows.num_rows) if i not in duplicates], pa.int64()))
    grouping = group_rows(kept, config)
    position = EXAMPLE.get_field_index("group_id")
    ids = pa.array(grouping.group_ids, pa.string())
    grouped = kept.set_column(position, EXAMPLE.field(position), ids)
    return StageResult(
        kept=grouped.cast(EXAMPLE),
        dropped=_dropped(rows, duplicates),
        rows_in=rows.num_rows,
        figures=_figures(grouping),
    )


def _dropped(rows: pa.Table, duplicates: dict[int, Duplicate]) -> pa.Table:
    schema = dropped_schema(EXAMPLE)
    order = sorted(duplicates)
    cells = rows.take(pa.array(order, pa.int64())).to_pylist()
    identifiers = rows.column("example_id").to_pylist()
    for row, position in zip(cells, order, strict=True):
        found = duplicates[position]
        row["reason"], row["similarity"] = found.reason, found.similarity
        row["duplicate_of"] = identifiers[found.kept]
        row["detail"] = (
            f"Question and answer repeat row {row['duplicate_of']} "
            f"({_MEASURES[found.reason]} {found.similarity:.2f}), which is at least as good."
        )
    return pa.Table.from_pylist(cells, schema=schema)


def _figures(grouping: Grouping) -> dict[str, float]:
    sizes: dict[str, int] = {}
    for group_id in grouping.group_ids:
        sizes[group_id] = sizes.get(group_id, 0) + 1
    rows = max(len(grouping.group_ids), 1)
    return {
        "groups": len(sizes),
        "largest_group_share": max(sizes.values(), default=0) / rows,
        "ignored_template_ngrams": grouping.ignored_template_ngrams,
        **{f"links_across_documents.{name}": n for name, n in grouping.links.items()},
    }
