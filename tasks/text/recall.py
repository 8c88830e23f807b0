"""Held-out questions about trained facts, and what gives such a question away.

The fact, its document and its answer are trained on purpose, so none of them is a leak; the
question's own wording is.
"""

from typing import cast

import numpy as np
import pyarrow as pa

from tasks.text.config import SimilarityConfig
from tasks.text.detectors import Detector, Positions
from tasks.text.overlap import closest_by_count, closest_by_jaccard
from tasks.text.rows import RowTexts, normal_features, shingle_features

# In a row's flags: a test question about a trained fact; a test row of an unseen document.
RECALL, CONTROL = "recall", "control"


def row_flags(examples: pa.Table) -> list[list[str]]:
    """Return the flags of each row."""
    return cast("list[list[str]]", examples.column("flags").to_pylist())


def recall_positions(examples: pa.Table) -> Positions:
    """Return the positions of the recall questions."""
    flags = enumerate(row_flags(examples))
    return np.array([row for row, found in flags if RECALL in found], np.int64)


def recall_detectors(rows: RowTexts, config: SimilarityConfig) -> list[Detector]:
    """Return the detectors that compare the wordings of questions and nothing else.

    A question that many documents share is not excused here: it could not be told from theirs.
    """
    same, near = normal_features(rows.questions), shingle_features(rows.questions, config)
    threshold = config.near_threshold
    return [
        Detector("recall_same_question", same, closest_by_count, 1, rows.said),
        Detector("recall_near_question", near, closest_by_jaccard, threshold, rows.said),
    ]
