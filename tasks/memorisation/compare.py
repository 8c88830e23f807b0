"""Base against tuned: what training added to what a model gives away of its rows."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from data_contracts.errors import DatasetError
from data_contracts.results import CanaryExposure, CopiedRow, FigureChange, Interval, Memorisation
from tasks.evaluation.bootstrap import Sample, paired_interval, unpaired_interval
from tasks.memorisation.config import MemorisationConfig
from tasks.modeling.canary import CANARY

Floats = NDArray[np.float64]

# Column of MEMORY -> name of the measure that membership is guessed by.
MEMBERSHIP = {"cross_entropy": "loss", "hardest": "hardest_tokens"}

_MIN_CLUSTERS = 2

# Nothing was asked, so nothing is known: any share is possible.
_UNKNOWN = Interval(estimate=0.0, low=-1.0, high=1.0)


def compare_memory(base: pa.Table, tuned: pa.Table, config: MemorisationConfig) -> Memorisation:
    """Compare what base and tuned model give away of the same rows.

    Args:
        base: Of the base model, in the MEMORY schema.
        tuned: Of the tuned model, for the same rows.
        config: Bootstrap, and how many continuations are shown.

    Raises:
        DatasetError: The two tables do not hold the same rows.
    """
    rows = _joined(base.to_pandas(), tuned.to_pandas())
    asked = rows.dropna(subset=["generated_base", "generated_tuned"])
    canaries = rows[rows["set"] == CANARY]
    copied = _change(asked, "copied", config, right_or_wrong=True)
    return Memorisation(
        prompts=len(asked),
        copying=copied.delta if copied else _UNKNOWN,
        canaries=len(canaries),
        exposure=float(canaries["exposure_tuned"].max()) if len(canaries) else 0.0,
        copied=copied,
        ngrams=_change(asked, "copied_ngrams", config),
        common_words=_change(asked, "common_words", config),
        membership=dict(_memberships(rows, config)),
        examples=_examples(asked, config.shown_examples),
        planted=_planted(canaries),
    )


def _joined(base: pd.DataFrame, tuned: pd.DataFrame) -> pd.DataFrame:
    keys = ["set", "row_id"]
    rows = base.merge(tuned, on=keys, suffixes=("_base", "_tuned"), validate="one_to_one")
    if len(rows) != len(base) or len(rows) != len(tuned):
        raise DatasetError(
            f"Memorisation of base and tuned model was not measured on the same rows: {len(base)} "
            f"and {len(tuned)}, of which {len(rows)} are common. Measure both again with the same "
            "examples, configuration, tokenizer and chat template."
        )
    return rows


def _change(
    rows: pd.DataFrame, column: str, config: MemorisationConfig, right_or_wrong: bool = False
) -> FigureChange | None:
    if rows["cluster_base"].nunique() < _MIN_CLUSTERS:
        return None
    base, tuned = (rows[f"{column}_{side}"].astype(float) for side in ("base", "tuned"))
    interval = paired_interval(
        base,
        tuned,
        list(rows["cluster_base"]),
        config.seed,
        config.bootstrap_resamples,
        right_or_wrong=right_or_wrong,
    )
    return FigureChange(base=float(base.mean()), tuned=float(tuned.mean()), delta=interval)


def _memberships(
    rows: pd.DataFrame, config: MemorisationConfig
) -> Iterator[tuple[str, FigureChange]]:
    members, others = rows[rows["set"] == "train"], rows[rows["set"] == "test"]
    if min(part["cluster_base"].nunique() for part in (members, others)) < _MIN_CLUSTERS:
        return
    for column, name in MEMBERSHIP.items():
        yield name, _membership(members, others, column, config)


def _membership(
    members: pd.DataFrame, others: pd.DataFrame, column: str, config: MemorisationConfig
) -> FigureChange:
    """Return the area under the ROC curve of both models, and its change with an interval.

    The area is a mean over members and a mean over others at once; its variance is the sum of
    what each side adds (DeLong et al. 1988), which here are drawn by groups of rows.
    """
    found = {
        side: _placements(
            members[f"{column}_{side}"].to_numpy(float), others[f"{column}_{side}"].to_numpy(float)
        )
        for side in ("base", "tuned")
    }
    of_members = found["tuned"][0] - found["base"][0]
    of_others = found["tuned"][1] - found["base"][1]
    interval = unpaired_interval(
        Sample(of_members, list(members["cluster_base"])),
        Sample(of_others.mean() - of_others, list(others["cluster_base"])),
        config.seed,
        config.bootstrap_resamples,
    )
    base, tuned = (float(found[side][0].mean()) for side in ("base", "tuned"))
    return FigureChange(base=base, tuned=tuned, delta=interval)


def _placements(members: Floats, others: Floats) -> tuple[Floats, Floats]:
    """Return, for each member, the share of others with a greater loss; and for each other."""
    wins: Floats = (members[:, None] < others[None, :]) + 0.5 * (
        members[:, None] == others[None, :]
    )
    return wins.mean(axis=1), wins.mean(axis=0)


def _examples(asked: pd.DataFrame, most: int) -> list[CopiedRow]:
    order = asked.sort_values(
        ["copied_tuned", "common_words_tuned", "row_id"], ascending=[False, False, True]
    )
    return [
        CopiedRow(
            row_id=row["row_id"],
            prompt=row["prompt_tuned"],
            reference=row["reference_tuned"],
            base=row["generated_base"],
            tuned=row["generated_tuned"],
            common_words=int(row["common_words_tuned"]),
        )
        for row in order.head(most).to_dict("records")
    ]


def _planted(canaries: pd.DataFrame) -> list[CanaryExposure]:
    return [
        CanaryExposure(canary=row["row_id"], base=row["exposure_base"], tuned=row["exposure_tuned"])
        for row in canaries.sort_values("exposure_tuned", ascending=False).to_dict("records")
    ]
