"""Which earlier test rows a profile must not train on."""

from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_contracts.dataset import DatasetRef, read_kept
from tasks.splitting import task
from tasks.splitting.config import KFoldStrategy, SplittingConfig
from tasks.splitting.earlier import earlier_tests, held_out
from tasks.tracking import RunContext, start_pipeline_run

CONFIG = SplittingConfig(min_rows=1)
MINUTES = count()
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> RunContext:
    home = tmp_path_factory.mktemp("home")
    return start_pipeline_run(home, f"sqlite:///{home}/mlflow.db", "test", "test", {})


def divide(context: RunContext, rows: pa.Table, name: str, config=CONFIG) -> DatasetRef:
    folder = context.home / f"rows-{rows.num_rows}"
    folder.mkdir(exist_ok=True)
    pq.write_table(rows, folder / "kept-00000.parquet")
    ref = DatasetRef(
        stage="test", fingerprint=folder.name, folder=str(folder), content_sha256="0",
        rows=rows.num_rows,
    )  # fmt: skip
    return task.split.fn(ref, config, context, name=name)


@pytest.fixture(autouse=True)
def _minutes_apart(monkeypatch):
    """Versions come in the order of their times, which are kept in whole seconds."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2026, 1, 1, tzinfo=tz) + timedelta(minutes=next(MINUTES))

    monkeypatch.setattr("tasks.stage.datetime", Clock)


def held(ref: DatasetRef) -> set[str]:
    return {row["example_id"] for row in read_kept(ref).to_pylist() if row["split"] == "test"}


def found(home: Path, name: str, ref: DatasetRef, config=CONFIG) -> set[str]:
    rows = earlier_tests(home, name, config, ref.fingerprint)
    return set(rows.column("example_id").to_pylist())


def test_all_test_rows_of_older_splits_of_the_same_profile(table, context: RunContext) -> None:
    def rows(first: int, last: int) -> pa.Table:
        numbers = range(first, last)
        return table(
            [{"example_id": f"e{n}", "document_id": f"d{n}", "group_id": f"g{n}"} for n in numbers]
        )

    one = divide(context, rows(0, 40), "ours")
    other = divide(context, rows(0, 41), "theirs")
    two = divide(context, rows(20, 70), "ours")
    three = divide(context, rows(20, 65), "ours")
    assert found(context.home, "ours", one) == set()
    assert found(context.home, "ours", two) == held(one)
    assert found(context.home, "ours", three) == held(one) | held(two)
    assert found(context.home, "theirs", other) == set()
    folds = CONFIG.model_copy(update={"strategy": KFoldStrategy()})
    assert found(context.home, "ours", three, folds) == set()
    salted = CONFIG.model_copy(update={"salt": "another"})
    assert found(context.home, "ours", three, salted) == set()
    again = earlier_tests(context.home, "ours", CONFIG, three.fingerprint)
    assert again.num_rows == len(held(one) | held(two)), "a row of two versions counts once"


def test_of_a_row_of_several_versions_the_latest_is_returned(table, context: RunContext) -> None:
    def rows(answer: str, numbers: range) -> pa.Table:
        return table(
            [
                {"example_id": f"e{n}", "document_id": f"d{n}", "group_id": f"g{n}",
                 "answer": f"{answer} {n}."}
                for n in numbers
            ]
        )  # fmt: skip

    one = divide(context, rows("Old", range(62)), "mine")
    two = divide(context, rows("New", range(20, 62)), "mine")
    three = divide(context, rows("Newer", range(62, 93)), "mine")
    last = divide(context, rows("Now", range(93)), "mine")
    told = earlier_tests(context.home, "mine", CONFIG, last.fingerprint).to_pylist()
    latest = {name: "Old" for name in held(one)} | {name: "New" for name in held(two)}
    latest |= {name: "Newer" for name in held(three)}
    assert set(latest.values()) == {"Old", "New", "Newer"}
    assert {row["example_id"]: row["answer"].split()[0] for row in told} == latest
    assert len(told) == len(latest)


def test_recall_questions_are_trained_on_purpose(table, context: RunContext) -> None:
    rows = [
        {"example_id": f"r{n}", "document_id": f"r{n}", "group_id": f"r{n}", "split": "test",
         "flags": ["recall"] if n % 2 else []}
        for n in range(10)
    ]  # fmt: skip
    assert held_out(table(rows)).num_rows == 5
