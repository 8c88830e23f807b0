"""What breaks its contract ends the flow, and nothing of it is stored."""

import pyarrow as pa
import pytest

from data_contracts.dataset import StageResult
from data_contracts.errors import ContractViolation
from flows.build_dataset import dataset_pipeline
from tasks.curation import task


def test_a_breach_stops_the_pipeline_and_stores_nothing(
    tiny_profile, home, prefect_server, monkeypatch
):
    def broken(examples, config):
        result = curate(examples, config)
        twice = pa.concat_tables([result.kept, result.kept.slice(0, 1)])
        return StageResult(twice, result.dropped, result.rows_in + 1)

    curate = task.curate_examples
    monkeypatch.setattr(task, "curate_examples", broken)
    with pytest.raises(ContractViolation, match=r"curation.*\n.*be_unique.*example_id"):
        dataset_pipeline(str(tiny_profile))
    assert not list((home / "datasets" / "curation").glob("*"))
    assert not (home / "datasets" / "splitting").exists()


def test_a_row_that_vanishes_is_a_breach(tiny_profile, home, prefect_server, monkeypatch):
    curate = task.curate_examples

    def losing(examples, config):
        result = curate(examples, config)
        return StageResult(result.kept.slice(1), result.dropped, result.rows_in)

    monkeypatch.setattr(task, "curate_examples", losing)
    with pytest.raises(ContractViolation, match="rows came in"):
        dataset_pipeline(str(tiny_profile))
