"""Base against tuned: what changed, by how much, how surely, and on which rows most."""

import logging
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from data_contracts.errors import DatasetError
from data_contracts.results import ComparedExample, Comparison, Delta, Gap, Interval
from tasks.evaluation.answers import with_answer_measures
from tasks.evaluation.bootstrap import Sample, paired_interval, unpaired_interval
from tasks.evaluation.breakdown import Groupings
from tasks.evaluation.config import EvaluationConfig

logger = logging.getLogger(__name__)

ALL = "all"

# Column of PREDICTION, or of what follows from it (`answers`) -> name of the measure, in which
# direction it is better.
MEASURES = {
    "cross_entropy": ("cross_entropy", "lower"),
    "token_f1": ("token_f1", "higher"),
    "exact_match": ("exact_match", "higher"),
    "rouge_l": ("rouge_l", "higher"),
    "right": ("right", "higher"),
    "form": ("form", "higher"),
    "length": ("length_off", "lower"),
    "repeated": ("repeated_runs", "lower"),
    "stopped": ("stop_rate", "higher"),
    "correct": ("accuracy", "higher"),
}

# Columns whose values are 0 or 1: their mean is a share of rows.
_RIGHT_OR_WRONG = {"exact_match", "right", "form", "stopped", "correct"}

# What must be equal for two predictions to be about the same row.
_SAME = ["name", "cluster", "n_tokens", "reference"]

_MIN_CLUSTERS = 2


def compare(
    base: pa.Table,
    tuned: pa.Table,
    config: EvaluationConfig,
    parts: Mapping[str, frozenset[str]] | None = None,
    groupings: Groupings | None = None,
) -> Comparison:
    """Compare two models' predictions for the same rows.

    Cross-entropy is averaged over tokens, as training's losses are; all else over rows.
    A set or kind whose rows form a single cluster is left out: nothing is known about chance.

    Args:
        base: Predictions of the base model, in the PREDICTION schema.
        tuned: Predictions of the tuned model for the same rows.
        config: Bootstrap, and how many examples to show.
        parts: Test rows to report beside all of them: name of the set, and its row_ids.
        groupings: By what to break the test rows down, and each row's group.

    Raises:
        DatasetError: The two tables do not hold the same rows.
    """
    rows = _join(*(with_answer_measures(table.to_pandas()) for table in (base, tuned)))
    return Comparison(
        deltas=[
            *_deltas(rows, config),
            *_part_deltas(rows, parts or {}, config),
            *_group_deltas(rows, groupings or {}, config),
        ],
        gaps=list(_gaps(rows, config)),
        improved=_examples(rows, config.shown_examples, improved=True),
        worsened=_examples(rows, config.shown_examples, improved=False),
    )


def _join(base: pd.DataFrame, tuned: pd.DataFrame) -> pd.DataFrame:
    """Return one row per pair, with the columns of both under `_base` and `_tuned`."""
    rows = base.merge(
        tuned,
        on=["set", "row_id"],
        suffixes=("_base", "_tuned"),
        how="outer",
        indicator="side",
        validate="one_to_one",
    )
    alone = rows[rows["side"] != "both"]
    if len(alone):
        raise _different(len(alone), len(rows), list(alone["row_id"]), "in one of the two only")
    for column in _SAME:
        left, right = rows[f"{column}_base"], rows[f"{column}_tuned"]
        differ = rows[(left != right) & ~(left.isna() & right.isna())]
        if len(differ):
            what = f"with another {column!r}"
            raise _different(len(differ), len(rows), list(differ["row_id"]), what)
    return rows


def _different(count: int, total: int, ids: list[str], what: str) -> DatasetError:
    return DatasetError(
        f"Base and tuned model were not evaluated on the same rows: {count} of {total} are there "
        f"{what} (first: {', '.join(ids[:3])}). Evaluate both again with the same examples, "
        "general sets, configuration, tokenizer and chat template."
    )


def _deltas(rows: pd.DataFrame, config: EvaluationConfig) -> Iterator[Delta]:
    for set_, of_set in rows.groupby("set", sort=True):
        for column in MEASURES:
            measured = of_set.dropna(subset=[f"{column}_base", f"{column}_tuned"])
            if column == "stopped":  # an answer longer than the limit cannot end within it
                measured = measured[measured["n_tokens_base"] <= config.max_new_tokens]
            parts = [(ALL, measured), *measured.groupby("name_base", sort=True)]
            for name, part in parts:
                if part["cluster_base"].nunique() >= _MIN_CLUSTERS:
                    yield _delta(part, str(set_), str(name), column, config)
                elif len(part):
                    logger.debug("%s, %s: a single group of rows, no interval", set_, name)


def _part_deltas(
    rows: pd.DataFrame, parts: Mapping[str, frozenset[str]], config: EvaluationConfig
) -> Iterator[Delta]:
    """Yield the measures of every part of the test rows as those of a set, not by kind."""
    for name, ids in parts.items():
        part = rows[(rows["set"] == "test") & rows["row_id"].isin(ids)].assign(set=name)
        yield from (delta for delta in _deltas(part, config) if delta.name == ALL)


def _group_deltas(
    rows: pd.DataFrame, groupings: Groupings, config: EvaluationConfig
) -> Iterator[Delta]:
    """Yield the measures of every group of test rows, as a set of that grouping's own."""
    test = rows[rows["set"] == "test"]
    for grouping, groups in groupings.items():
        named = test.assign(set=f"test_by_{grouping}", name_base=test["row_id"].map(groups))
        grouped = named.dropna(subset=["name_base"])
        yield from (delta for delta in _deltas(grouped, config) if delta.name != ALL)


def _delta(
    rows: pd.DataFrame, set_: str, name: str, column: str, config: EvaluationConfig
) -> Delta:
    measure, better = MEASURES[column]
    base, tuned = rows[f"{column}_base"].astype(float), rows[f"{column}_tuned"].astype(float)
    weights = rows["n_tokens_base"] if column == "cross_entropy" else pd.Series(1, rows.index)
    interval = paired_interval(
        base,
        tuned,
        list(rows["cluster_base"]),
        config.seed,
        config.bootstrap_resamples,
        weights,
        column in _RIGHT_OR_WRONG,
    )
    return Delta(
        set=set_,
        name=name,
        measure=measure,
        better="lower" if better == "lower" else "higher",
        rows=len(rows),
        clusters=rows["cluster_base"].nunique(),
        base=float(np.average(base, weights=weights)),
        tuned=float(np.average(tuned, weights=weights)),
        delta=interval,
    )


def _gaps(rows: pd.DataFrame, config: EvaluationConfig) -> Iterator[Gap]:
    rows = rows.assign(gain=rows["cross_entropy_tuned"] - rows["cross_entropy_base"])
    train = rows[rows["set"] == "train"]
    for set_ in ("validation", "test"):
        held_out = rows[rows["set"] == set_]
        if min(part["cluster_base"].nunique() for part in (train, held_out)) < _MIN_CLUSTERS:
            continue
        gaps = {
            model: _cross_entropy(held_out, model) - _cross_entropy(train, model)
            for model in ("base", "tuned")
        }
        yield Gap(
            set="test" if set_ == "test" else "validation",
            base=gaps["base"],
            tuned=gaps["tuned"],
            excess=_unpaired(held_out, train, "gain", config),
            base_interval=_unpaired(held_out, train, "cross_entropy_base", config),
        )


def _unpaired(
    held_out: pd.DataFrame, train: pd.DataFrame, column: str, config: EvaluationConfig
) -> Interval:
    held_out_sample, train_sample = (
        Sample(rows[column].astype(float), list(rows["cluster_base"]), rows["n_tokens_base"])
        for rows in (held_out, train)
    )
    return unpaired_interval(held_out_sample, train_sample, config.seed, config.bootstrap_resamples)


def _cross_entropy(rows: pd.DataFrame, model: str) -> float:
    return float(np.average(rows[f"cross_entropy_{model}"], weights=rows["n_tokens_base"]))


def _examples(rows: pd.DataFrame, most: int, improved: bool) -> list[ComparedExample]:
    """Return the answered test rows whose reference became likelier, or less likely, the most."""
    answered = rows[rows["set"] == "test"].dropna(subset=["generated_base", "generated_tuned"])
    change = answered["cross_entropy_tuned"] - answered["cross_entropy_base"]
    change = change[change < 0] if improved else change[change > 0]
    order = change.sort_values(ascending=improved, kind="stable").index[:most]
    return list(_compared(answered.loc[order].to_dict("records")))


def _compared(records: Iterable[dict[Hashable, Any]]) -> Iterator[ComparedExample]:
    for row in records:
        yield ComparedExample.model_validate(
            {
                "row_id": row["row_id"],
                "kind": row["name_base"],
                "prompt": row["prompt_base"],
                "reference": row["reference_base"],
                "base_answer": row["generated_base"],
                "tuned_answer": row["generated_tuned"],
                "base_cross_entropy": row["cross_entropy_base"],
                "tuned_cross_entropy": row["cross_entropy_tuned"],
                "base_f1": row["token_f1_base"],
                "tuned_f1": row["token_f1_tuned"],
            }
        )
