"""Base against tuned in every examination, arm by arm."""

from collections.abc import Iterator, Mapping

import pandas as pd
import pyarrow as pa

from data_contracts.results import Delta, Interval
from tasks.evaluation.bootstrap import paired_interval
from tasks.evaluation.calibration_error import calibration_delta
from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.examinations.calibration import CONFIDENCE
from tasks.evaluation.examinations.retrieval import ALONE, RETRIEVED

ALL = "all"

# Name of the difference between the tuned model alone and the base with retrieval: what is
# deployed instead of what.
CROSSED = "tuned_alone_against_base_with_retrieval"

_KEYS = ["set", "name", "row_id", "measure"]
_MIN_CLUSTERS = 2

# Sets whose arms ask for different things in different ways: a mean over them says nothing.
_ONE_SKILL_EACH = frozenset({"instructions", "refusal", "harness"})


def compare_examinations(base: pa.Table, tuned: pa.Table, config: EvaluationConfig) -> list[Delta]:
    """Return what changed in each arm, and over all arms where these are skills.

    An arm whose rows form a single cluster is left out: nothing is known about chance.

    Args:
        base: What the base model's examinations found, in the MEASUREMENT schema.
        tuned: The tuned model's, on the same questions.
        config: Of the bootstrap.
    """
    first, second = base.to_pandas(), tuned.to_pandas()
    rows = first.merge(second, on=_KEYS, suffixes=("", "_tuned"))
    crossed = _crossed(first, second)
    return [*_deltas(rows, config), *_calibration(rows, config), *_deltas(crossed, config)]


def _deltas(rows: pd.DataFrame, config: EvaluationConfig) -> Iterator[Delta]:
    for (set_, measure), part in rows.groupby(["set", "measure"], sort=True):
        if measure == CONFIDENCE:
            continue  # neither high nor low is good: it enters the calibration error
        arms = [(str(name), arm) for name, arm in part.groupby("name", sort=True)]
        together = [(ALL, part)] if set_ in _ONE_SKILL_EACH and len(arms) > 1 else []
        for name, arm in (*together, *arms):
            if arm["cluster"].nunique() >= _MIN_CLUSTERS:
                yield _delta(arm, (str(set_), name, str(measure)), config)


def _delta(rows: pd.DataFrame, names: tuple[str, str, str], config: EvaluationConfig) -> Delta:
    base, tuned = rows["value"], rows["value_tuned"]
    share = bool(base.isin([0, 1]).all() and tuned.isin([0, 1]).all())
    interval = paired_interval(
        base,
        tuned,
        list(rows["cluster"]),
        config.seed,
        config.bootstrap_resamples,
        right_or_wrong=share,
    )
    return _as_delta(rows, names, (float(base.mean()), float(tuned.mean())), interval)


def _as_delta(
    rows: pd.DataFrame,
    names: tuple[str, str, str],
    levels: tuple[float, float],
    interval: Interval,
) -> Delta:
    set_, name, measure = names
    return Delta(
        set=set_,
        name=name,
        measure=measure,
        better="lower" if rows["better"].iloc[0] == "lower" else "higher",
        rows=len(rows),
        clusters=rows["cluster"].nunique(),
        base=levels[0],
        tuned=levels[1],
        delta=interval,
    )


def _calibration(rows: pd.DataFrame, config: EvaluationConfig) -> Iterator[Delta]:
    part = rows[rows["set"] == "calibration"]
    wide = part.pivot(index="row_id", columns="measure", values=["value", "value_tuned"])
    if len(wide):
        clusters = part.drop_duplicates("row_id").set_index("row_id")["cluster"]
        yield from calibration_delta(wide, list(clusters.loc[wide.index]), config)


def _crossed(base: pd.DataFrame, tuned: pd.DataFrame) -> pd.DataFrame:
    """Return rows of the base with retrieval beside those of the tuned model without."""
    arms: Mapping[str, pd.DataFrame] = {
        RETRIEVED: base[(base["set"] == "retrieval") & (base["name"] == RETRIEVED)],
        ALONE: tuned[(tuned["set"] == "retrieval") & (tuned["name"] == ALONE)],
    }
    named = [rows.assign(name=CROSSED) for rows in arms.values()]
    return named[0].merge(named[1], on=_KEYS, suffixes=("", "_tuned"))
