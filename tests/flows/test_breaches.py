"""What breaks its contract ends the flow, and nothing of it is stored."""

from dataclasses import replace

import pyarrow as pa
import pytest

from data_contracts.dataset import StageResult, read_dropped
from data_contracts.errors import ContractViolation, LeakageFound
from flows.build_dataset import dataset_pipeline
from tasks.curation import task, withdraw
from tasks.splitting import task as splitting
from tasks.versions.find import FINISHED, list_versions


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


def test_a_row_that_the_audit_finds_given_away_is_taken_out(
    tiny_profile, home, prefect_server, monkeypatch
):
    def leaking(*given):
        """Say in a held-out row of another document what a training row says."""
        result = split(*given)
        rows = result.kept.to_pylist()
        giver = next(row for row in rows if row["split"] == "train")
        given_away = next(row for row in rows if row["split"] == "test")
        given_away |= {name: giver[name] for name in ("question", "answer")}
        kept = pa.Table.from_pylist(rows, schema=result.kept.schema)
        return replace(result, kept=kept)

    split = splitting.split_examples
    monkeypatch.setattr(splitting, "split_examples", leaking)
    with pytest.raises(LeakageFound):
        dataset_pipeline(str(tiny_profile))  # one of few held-out rows is no exception
    monkeypatch.setattr(withdraw, "MOST", 0.2)
    built = dataset_pipeline(str(tiny_profile))
    assert built.certificate.passed
    assert [ref.stage for ref in built.stages[-2:]] == ["augmentation", "withdrawal"]
    assert built.stages[-1].rows < built.stages[-2].rows
    assert set(read_dropped(built.examples).column("split").to_pylist()) <= {"validation", "test"}
    assert list_versions(home, *FINISHED)[-1].manifest.fingerprint == built.examples.fingerprint
    assert dataset_pipeline(str(tiny_profile)) == built
