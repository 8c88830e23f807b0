from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_contracts.dataset import DatasetRef
from data_contracts.results import BaseModelRef, Comparison, Delta, Interval, Verdict
from data_contracts.schemas import EXAMPLE, PREDICTION, blank_row
from tasks.evaluation.compare import compare
from tasks.evaluation.config import EvaluationConfig
from tasks.promotion.compare_versions import VersionComparison, compare_versions
from tasks.promotion.recipe import Recipe, VersionRecord

COMPARE = partial(compare, config=EvaluationConfig(bootstrap_resamples=200))


def store(folder: Path, name: str, rows: list[dict[str, Any]], schema: pa.Schema) -> DatasetRef:
    place = folder / name
    place.mkdir()
    table = pa.Table.from_pylist([blank_row(schema) | row for row in rows], schema)
    pq.write_table(table, place / "kept-00000.parquet")
    return DatasetRef(
        stage="test", fingerprint=name, folder=str(place), content_sha256=name, rows=len(rows)
    )


def predictions(folder: Path, name: str, gain: float, rows: int = 20) -> DatasetRef:
    made = [
        {
            "set": "test", "name": "list", "row_id": f"e{n}", "cluster": f"g{n}", "prompt": "?",
            "reference": "a", "n_tokens": 4, "cross_entropy": 2.0 + n / 10 - gain,
        }
        for n in range(rows)
    ]  # fmt: skip
    return store(folder, name, made, PREDICTION)


def examples(folder: Path, name: str, rows: range) -> DatasetRef:
    made = [
        {
            "example_id": f"e{n}", "kind": "list", "question": f"What is {n}?", "answer": "a",
            "document_id": f"d{n % 3}", "chunk_id": f"c{n}", "split": "train", "group_id": "g",
            "generator": "rule",
        }
        for n in rows
    ]  # fmt: skip
    return store(folder, name, made, EXAMPLE)


def record(
    folder: Path, version: str, gain: float, rows: range, profile: dict[str, Any], tested: int = 20
) -> VersionRecord:
    delta = Delta(
        set="test", name="all", measure="cross_entropy", better="lower", rows=20, clusters=20,
        base=3.0, tuned=3.0 - gain, delta=Interval(estimate=-gain, low=-gain - 1, high=1 - gain),
    )  # fmt: skip
    return VersionRecord(
        name="model",
        version=version,
        recipe=Recipe(
            profile=profile,
            datasets=[examples(folder, f"examples{version}", rows)],
            scores=predictions(folder, f"scores{version}", gain, tested),
            base=BaseModelRef(name="tiny", folder=folder, fingerprint="base"),
            model=f"m{version}",
            method="lora",
            code="1",
            python="3",
            libraries={"torch": "2", f"only{version}": "1"},
        ),
        comparison=Comparison(deltas=[delta], gaps=[], improved=[], worsened=[]),
        verdict=Verdict(outcome="PASS", legs=[]),
    )


@pytest.fixture
def found(tmp_path: Path) -> VersionComparison:
    first = record(tmp_path, "1", 0.5, range(6), {"training": {"epochs": 1, "seed": 0}})
    second = record(tmp_path, "2", 0.7, range(2, 9), {"training": {"epochs": 2, "seed": 0}})
    return compare_versions(first, second, COMPARE)


def test_two_versions_are_compared_row_by_row(found: VersionComparison) -> None:
    (paired,) = found.paired
    assert paired.delta.estimate == pytest.approx(-0.2)
    assert paired.change == "better"
    (figure,) = found.figures
    assert figure.first == pytest.approx(2.5)
    assert figure.second == pytest.approx(2.3)
    assert figure.second_change is not None and figure.second_change.low == pytest.approx(-1.7)


def test_what_differs_in_rows_options_and_libraries_is_told(found: VersionComparison) -> None:
    assert found.dataset is not None
    assert found.dataset.rows == (6, 7)
    assert (found.dataset.unchanged, found.dataset.added, found.dataset.removed) == (4, 3, 2)
    assert found.options == {"training.epochs": (1, 2)}
    assert found.libraries == {"only1": ("1", None), "only2": (None, "1")}


def test_versions_tested_on_other_rows_are_not_paired(tmp_path: Path) -> None:
    first = record(tmp_path, "1", 0.5, range(6), {})
    second = record(tmp_path, "2", 0.5, range(6), {}, tested=19)
    found = compare_versions(first, second, COMPARE)
    assert (found.paired, found.not_paired) == ([], "The two were not tested on the same rows.")
    assert len(found.figures) == 1


def test_datasets_that_lie_elsewhere_are_said_so(tmp_path: Path) -> None:
    first = record(tmp_path, "1", 0.5, range(6), {})
    second = record(tmp_path, "2", 0.5, range(7), {})
    for reference in (second.recipe.scores, second.recipe.examples):
        Path(reference.folder).rename(tmp_path / f"away {reference.fingerprint}")
    found = compare_versions(first, second, COMPARE)
    assert found.dataset is None
    assert found.not_diffed is not None and "examples2 is not on this machine" in found.not_diffed
    assert found.not_paired is not None and "scores2 is not on this machine" in found.not_paired
