"""The page on how many different rows teach a style says where gaining ended."""

import numpy as np
import pytest

from benchmarks.few_rows import SIZES, plateau, render


def measured(losses: list[float]) -> dict[int, dict[str, object]]:
    """Return figures of 60 test rows whose losses are about these, one for each size."""
    noise = np.random.default_rng(0).normal(0, 0.05, (len(losses), 60))
    rows = [[loss, *(loss + own).tolist()] for loss, own in zip(losses, noise, strict=True)]
    return {
        size: {
            "test_tuned": loss[0],
            "test_tuned_rows": loss[1:],
            "test_base_rows": [2.0] * 60,
            "test_tokens": [10] * 60,
            "test_clusters": [str(place // 3) for place in range(60)],
            "general_base_rows": [3.0, 3.1, 2.9],
            "general_tuned_rows": [3.1, 3.2, 3.0],
            "general_tokens": [100] * 3,
        }
        for size, loss in zip(SIZES, rows, strict=False)
    }


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        ([1.0, 0.8, 0.8, 0.8], "Beyond 32 different rows"),
        ([1.0, 1.0, 1.0], "Beyond 8 different rows"),
        ([1.0, 0.8, 0.6], "No plateau up to 128 rows"),
    ],
)
def test_the_plateau_begins_where_no_step_gains(losses, said):
    figures = measured(losses)
    assert said in plateau(figures)
    page = render(figures, steps=48)
    assert said in page and f"| {SIZES[len(losses) - 1]} |" in page
    assert "on 60 test rows of 20 documents" in page
    assert "+0.100 [" in page  # what general text lost
