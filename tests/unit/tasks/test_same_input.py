import pytest

from data_contracts.base import Config
from data_contracts.dataset import StageResult, read_kept, read_manifest
from data_contracts.schemas import EXAMPLE, dropped_schema
from tasks.stage import Stage, run_stage
from tasks.tracking import start_pipeline_run

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The specified dataset source:UserWarning"),
]

FIRST = Stage(name="generation", version=1, schema=EXAMPLE, suite="judging")
SECOND = Stage(name="judging", version=1, schema=EXAMPLE, suite="judging")


def test_equal_rows_of_another_origin_are_linked_and_other_rows_are_not(tmp_path, table):
    context = start_pipeline_run(tmp_path, f"sqlite:///{tmp_path / 'm.db'}", "test", "run", {})
    calls = []

    def build(origin, question):
        gone = dropped_schema(EXAMPLE).empty_table()
        rows = table([{"question": question}])
        result = StageResult(rows, gone, rows_in=1)
        first = run_stage(FIRST, context, Config(), {"documents": origin}, lambda: result)

        def judge():
            calls.append(origin)
            return StageResult(read_kept(first), gone, rows_in=1)

        return run_stage(SECOND, context, Config(), {"examples": first.fingerprint}, judge)

    one, same, other = build("a", "Why?"), build("b", "Why?"), build("c", "Why not?")
    assert calls == ["a", "c"]
    assert len({one.fingerprint, same.fingerprint, other.fingerprint}) == 3
    assert same.content_sha256 == one.content_sha256 != other.content_sha256
    manifests = [read_manifest(tmp_path / "datasets/judging" / r.fingerprint) for r in (one, same)]
    assert manifests[0].files == manifests[1].files
    assert manifests[0].parents != manifests[1].parents


def test_rows_that_lack_replies_are_not_linked(tmp_path, table):
    context = start_pipeline_run(tmp_path, f"sqlite:///{tmp_path / 'm.db'}", "test", "run", {})
    gone = dropped_schema(EXAMPLE).empty_table()

    def build(origin, unanswered):
        rows = table([{"question": "Why?"}])
        first = run_stage(
            FIRST, context, Config(), {"documents": origin}, lambda: StageResult(rows, gone, 1)
        )
        judged = StageResult(read_kept(first), gone, rows_in=1, unanswered=unanswered)
        return run_stage(SECOND, context, Config(), {"examples": first.fingerprint}, lambda: judged)

    refs = [build("a", 1), build("b", 0), build("c", 1)]
    manifests = [read_manifest(tmp_path / "datasets/judging" / ref.fingerprint) for ref in refs]
    assert [manifest.unanswered for manifest in manifests] == [1, 0, 0]  # the last is linked
