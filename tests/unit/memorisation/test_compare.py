from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from data_contracts.errors import DatasetError
from data_contracts.schemas import MEMORY
from tasks.memorisation.compare import compare_memory
from tasks.memorisation.config import MemorisationConfig

CONFIG = MemorisationConfig(bootstrap_resamples=300, shown_examples=2)


def rows(shift: float = 0.0, copied: int = 0, exposures: tuple[float, ...] = ()) -> pa.Table:
    """Return 30 training and 30 test rows; the training rows' loss is lower by `shift`."""
    random = np.random.default_rng(0)
    found: list[dict[str, Any]] = []
    for set_ in ("train", "test"):
        for number in range(30):
            loss = 3 + random.normal(0, 0.5) - (shift if set_ == "train" else 0)
            row: dict[str, Any] = {
                "set": set_,
                "row_id": f"{set_}{number}",
                "cluster": f"{set_}{number // 3}",
            }
            row |= {"n_tokens": 9, "cross_entropy": loss, "hardest": loss + 2}
            if set_ == "train":
                same = number < copied
                row |= {"prompt": "How", "reference": "so", "generated": "so" if same else "no"}
                row |= {"copied": same, "common_words": number, "copied_ngrams": float(same)}
            found.append(row)
    for number, bits in enumerate(exposures):
        row = {"set": "canary", "row_id": f"c{number}", "cluster": f"c{number}", "n_tokens": 6}
        found.append(row | {"cross_entropy": 1.0, "hardest": 1.0, "exposure": bits})
    blank = dict.fromkeys(MEMORY.names)
    return pa.Table.from_pylist([blank | row for row in found], schema=MEMORY)


def test_a_model_that_did_not_change_gives_nothing_away() -> None:
    found = compare_memory(rows(), rows(), CONFIG)
    assert found.prompts == 30
    assert found.copying.estimate == 0
    assert found.copying.high < 0.2
    assert found.membership["loss"].delta.estimate == 0
    assert not found.membership["loss"].delta.excludes_zero
    assert (found.canaries, found.exposure, found.planted) == (0, 0.0, [])


def test_training_rows_that_became_likelier_than_test_rows_are_told_apart() -> None:
    found = compare_memory(rows(), rows(shift=1.5), CONFIG).membership
    assert set(found) == {"loss", "hardest_tokens"}
    for change in found.values():
        assert change.base == pytest.approx(0.5, abs=0.15)
        assert change.tuned > 0.95
        assert change.delta.low > 0.2
        assert change.delta.estimate == pytest.approx(change.tuned - change.base)


def test_a_difference_that_the_base_shows_too_is_none_of_training() -> None:
    found = compare_memory(rows(shift=1.5), rows(shift=1.5), CONFIG).membership
    assert found["loss"].base > 0.95
    assert found["loss"].delta.estimate == 0


def test_copied_rows_are_counted_and_shown_longest_first() -> None:
    found = compare_memory(rows(), rows(copied=12), CONFIG)
    assert found.copied is not None and found.ngrams is not None
    assert (found.copied.base, found.copied.tuned) == (0.0, 0.4)
    assert found.copying.low > 0
    assert found.ngrams.delta.estimate == pytest.approx(0.4)
    assert [x.row_id for x in found.examples] == ["train11", "train10"]
    assert found.examples[0].tuned == "so" and found.examples[0].base == "no"


def test_the_most_exposed_canary_counts() -> None:
    found = compare_memory(rows(exposures=(1, 2)), rows(exposures=(14, 3)), CONFIG)
    assert (found.canaries, found.exposure) == (2, 14.0)
    assert [(x.canary, x.base, x.tuned) for x in found.planted] == [("c0", 1, 14), ("c1", 2, 3)]


def test_without_prompts_nothing_is_known_of_copying() -> None:
    nothing = rows().slice(30)
    found = compare_memory(nothing, nothing, CONFIG)
    assert found.prompts == 0
    assert (found.copying.low, found.copying.high) == (-1, 1)
    assert found.membership == {}


def test_other_rows_are_no_comparison() -> None:
    with pytest.raises(DatasetError, match="not measured on the same rows"):
        compare_memory(rows(), rows(exposures=(1,)), CONFIG)
