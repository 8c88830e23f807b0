"""Runs that want the same dataset at the same time."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from data_contracts.base import Config
from data_contracts.dataset import StageResult
from data_contracts.schemas import EXAMPLE, dropped_schema
from tasks.stage import Stage, run_stage
from tasks.tracking import start_pipeline_run

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The specified dataset source:UserWarning"),
]
STAGE = Stage(name="judging", version=1, schema=EXAMPLE, suite="judging")


def test_what_one_run_is_making_another_waits_for_and_finds(tmp_path, table):
    context = start_pipeline_run(tmp_path, f"sqlite:///{tmp_path / 'm.db'}", "test", "run", {})
    rows, gone = table([{}]), dropped_schema(EXAMPLE).empty_table()
    both, made = threading.Barrier(2), []

    def compute() -> StageResult:
        made.append(threading.get_ident())
        time.sleep(0.5)  # the other has looked by now, if nothing kept it from looking
        return StageResult(rows, gone, rows_in=1)

    def run(_: int) -> str:
        both.wait()
        return run_stage(STAGE, context, Config(), {"examples": "a"}, compute).folder

    with ThreadPoolExecutor(2) as pool:
        folders = set(pool.map(run, range(2)))
    assert len(made) == 1
    assert len(folders) == 1
