"""All detectors of the audit: where rows come from, and what they say."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from tasks.text.config import SimilarityConfig
from tasks.text.detectors import Detector, text_detectors
from tasks.text.overlap import closest_by_count
from tasks.text.rows import (
    RowTexts,
    family_features,
    origin_features,
    value_features,
)
from tasks.text.template import Templates

# Detectors of where rows come from; those of what rows say are the others.
ORIGINS = ("same_group", "same_document", "same_chunk", "same_parent")


@dataclass(frozen=True)
class Counted:
    """The detectors over the rows of a table, and the template text that they leave out."""

    detectors: Sequence[Detector]
    templates: Templates

    def of(self, rows: pa.Table, config: SimilarityConfig, parentage: bool) -> list[Detector]:
        """Return detectors over other rows; template text is that of this table.

        Args:
            rows: The rows.
            config: Thresholds.
            parentage: Whether where they come from counts.
        """
        build = build_detectors if parentage else text_detectors
        return build(RowTexts(rows), config, self.templates)


def build_detectors(
    rows: RowTexts, config: SimilarityConfig, templates: Templates | None = None
) -> list[Detector]:
    """Return all detectors over the rows of a table.

    Args:
        rows: The rows.
        config: Thresholds.
        templates: Keeps the template text, see `text_detectors`.
    """
    examples = rows.examples
    origins = {
        "same_group": value_features(examples.column("group_id").to_pylist()),
        "same_document": origin_features(examples, "document_id"),
        "same_chunk": origin_features(examples, "chunk_id"),
        "same_parent": family_features(examples),
    }
    by_origin = [
        Detector(name, features, closest_by_count, 1, rows.said)
        for name, features in origins.items()
    ]
    return [*by_origin, *text_detectors(rows, config, templates)]
