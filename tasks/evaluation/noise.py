"""The noise of measuring: the same model on the same rows, in other batches and another order.

Sums in another order and with other padding differ in their last digits, and a greedy answer
can turn on one of them. A difference between two models that is no larger is none. Nothing else
in an evaluation is drawn: answers are the likeliest, and rows are chosen by their identifiers.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from data_contracts.dataset import DatasetRef
from data_contracts.errors import DatasetError
from data_contracts.results import Comparison, Delta
from tasks.evaluation.answers import with_answer_measures
from tasks.evaluation.bootstrap import paired_interval
from tasks.evaluation.compare import MEASURES
from tasks.evaluation.config import EvaluationConfig

ARTIFACT = "noise.json"

# Set and measure to the floor.
Floors = Mapping[tuple[str, str], float]

_MIN_ROWS = 2


def repetition(config: EvaluationConfig) -> EvaluationConfig:
    """Return how a sample is measured again: the first rows of each set, in smaller batches.

    A written answer costs as much as scoring dozens, so fewer are repeated.
    """
    rows = config.noise_rows
    per_skill = config.general_items_per_skill
    few = max(1, rows // 8)
    return config.model_copy(
        update={
            "test_rows": min(config.test_rows, rows),
            "validation_rows": 0,  # of one row there is no floor, and these sets are not judged
            "train_rows": 0,
            "generated_rows": min(config.generated_rows, rows // 4),
            "general_items_per_skill": few if per_skill is None else min(per_skill, few),
            "general_texts": min(config.general_texts, rows // 4),
            "scored_tokens_per_forward": max(16, config.scored_tokens_per_forward // 2),
        }
    )


def noise_floors(first: pa.Table, again: pa.Table, config: EvaluationConfig) -> Floors:
    """Return, for each set and measure, the mean difference that measuring alone can make.

    It is the farther end of the 95 % interval of the repetition's mean difference. Noise of
    one row tells nothing of another's, so each counts for itself. A set of which fewer than
    two rows were repeated has none.

    Args:
        first: Predictions in the PREDICTION schema.
        again: Predictions of the same model for some of the rows.
        config: Of the bootstrap.
    """
    keys = ["set", "row_id"]
    measured, repeated = (with_answer_measures(t.to_pandas()) for t in (first, again))
    rows = measured.merge(repeated, on=keys, suffixes=("", "_again"))
    floors: dict[tuple[str, str], float] = {}
    for set_, of_set in rows.groupby("set", sort=True):
        for column, (measure, _) in MEASURES.items():
            both = of_set.dropna(subset=[column, f"{column}_again"])
            if len(both) < _MIN_ROWS:
                continue
            found = paired_interval(
                both[column].astype(float),
                both[f"{column}_again"].astype(float),
                list(both["row_id"]),
                config.seed,
                config.bootstrap_resamples,
                both["n_tokens"] if column == "cross_entropy" else None,
            )
            floors[str(set_), measure] = max(abs(found.low), abs(found.high))
    return floors


def with_noise_floors(comparison: Comparison, *measured: Floors) -> Comparison:
    """Return the comparison with the largest floor of the models beside each difference."""

    def floor(delta: Delta) -> float | None:
        key = (delta.set, delta.measure)
        return max((floors[key] for floors in measured if key in floors), default=None)

    deltas = [d.model_copy(update={"noise_floor": floor(d)}) for d in comparison.deltas]
    return comparison.model_copy(update={"deltas": deltas})


def read_floors(predictions: DatasetRef) -> Floors:
    """Return the noise measured with these predictions; none where it was not asked for.

    Raises:
        DatasetError: The artifact is damaged.
    """
    path = Path(predictions.folder) / ARTIFACT
    return floors_from_json(path.read_text(encoding="utf-8")) if path.is_file() else {}


def floors_to_json(floors: Floors) -> str:
    """Return the text of the artifact."""
    values = [{"set": s, "measure": m, "floor": floor} for (s, m), floor in floors.items()]
    return json.dumps(values, indent=2)


def floors_from_json(text: str) -> Floors:
    """Read the text of the artifact.

    Raises:
        DatasetError: It is not as it was written.
    """
    try:
        return {(row["set"], row["measure"]): float(row["floor"]) for row in json.loads(text)}
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"{ARTIFACT} of an evaluation is damaged: {error}. Delete the evaluation's folder and "
            "run again: it is made anew."
        ) from error
