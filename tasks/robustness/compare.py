"""What asking otherwise costs each model, and whether training made it cost more."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import ArrayLike

from data_contracts.results import FormChange, Interval, Robustness
from tasks.evaluation.bootstrap import paired_interval
from tasks.robustness.config import RobustnessConfig
from tasks.robustness.variants import FORMS, ORIGINAL, row_of

MEASURES = ("cross_entropy", "token_f1")

_MIN_CLUSTERS = 2


def compare_forms(base: pa.Table, tuned: pa.Table, config: RobustnessConfig) -> Robustness:
    """Compare every form with the original wording, within each model and between the two.

    Args:
        base: Predictions of the base model for all forms, in the PREDICTION schema.
        tuned: Predictions of the tuned model for the same rows.
        config: Of the bootstrap.
    """
    rows = base.to_pandas().merge(
        tuned.to_pandas(), on="row_id", suffixes=("_base", "_tuned"), validate="one_to_one"
    )
    rows["of"] = rows["row_id"].map(row_of)
    return Robustness(forms=list(_changes(rows, config)))


def _changes(rows: pd.DataFrame, config: RobustnessConfig) -> Iterator[FormChange]:
    originals = rows[rows["name_base"] == ORIGINAL]
    for form in FORMS:
        pairs = originals.merge(
            rows[rows["name_base"] == form], on="of", suffixes=("", "_form"), validate="one_to_one"
        )
        for measure in MEASURES:
            columns = [f"{measure}_{side}{part}" for side in ("base", "tuned")
                       for part in ("", "_form")]  # fmt: skip
            measured = pairs.dropna(subset=columns)
            if measured["cluster_base"].nunique() >= _MIN_CLUSTERS:
                yield _change(measured, form, measure, config)


def _change(pairs: pd.DataFrame, form: str, measure: str, config: RobustnessConfig) -> FormChange:
    # Answers keep their tokens whatever the question, so that both means are over tokens.
    weights = pairs["n_tokens_base"] if measure == "cross_entropy" else np.ones(len(pairs))
    costs = {
        side: pairs[f"{measure}_{side}_form"].astype(float) - pairs[f"{measure}_{side}"]
        for side in ("base", "tuned")
    }
    zero, clusters = np.zeros(len(pairs)), list(pairs["cluster_base"])

    def interval(before: ArrayLike, after: ArrayLike) -> Interval:
        return paired_interval(
            before, after, clusters, config.seed, config.bootstrap_resamples, weights
        )

    return FormChange(
        form=form,
        measure=measure,
        rows=len(pairs),
        base=interval(zero, costs["base"]),
        tuned=interval(zero, costs["tuned"]),
        excess=interval(costs["base"], costs["tuned"]),
    )
