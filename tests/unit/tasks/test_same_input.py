import pytest

from data_contracts.base import Config
from data_contracts.dataset import StageResult, read_kept, read_manifest
from data_contracts.schemas import EXAMPLE, dropped_schema
from data_contracts.validation import ValidationReport
from tasks.llm.config import LLMConfig
from tasks.stage import Stage, run_stage
from tasks.tracking import RunContext, start_pipeline_run

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The specified dataset source:UserWarning"),
]

FIRST = Stage(name="generation", version=1, schema=EXAMPLE, suite="judging")
SECOND = Stage(name="judging", version=1, schema=EXAMPLE, suite="judging")


@pytest.fixture(scope="module")
def tracking(tmp_path_factory) -> RunContext:
    home = tmp_path_factory.mktemp("tracking")
    return start_pipeline_run(home, f"sqlite:///{home / 'm.db'}", "test", "run", {})


@pytest.fixture
def context(tracking, tmp_path) -> RunContext:
    return tracking.model_copy(update={"home": tmp_path})


def test_equal_rows_of_another_origin_are_linked_and_other_rows_are_not(context, tmp_path, table):
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


def test_rows_that_lack_replies_are_not_linked(context, tmp_path, table):
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


class Asking(Config):
    """The options of a stage that asks a language model."""

    llm: LLMConfig


def test_one_more_endpoint_makes_no_other_dataset(context, tmp_path, table, monkeypatch):
    report = ValidationReport(0, ())  # the rules of the rows take seconds and are not meant here
    monkeypatch.setattr("tasks.stage.validate", lambda *told: report)
    gone = dropped_schema(EXAMPLE).empty_table()
    asked = []

    def build(origin, *addresses):
        def ask():
            asked.append(addresses)
            return StageResult(table([{"question": "Why?"}]), gone, rows_in=1)

        rows = StageResult(table([{"question": "Why?"}]), gone, rows_in=1)
        first = run_stage(FIRST, context, Config(), {"documents": origin}, lambda: rows)
        llm = LLMConfig(base_url=addresses[0], further_urls=addresses[1:], model="m")
        return run_stage(SECOND, context, Asking(llm=llm), {"examples": first.fingerprint}, ask)

    one = build("a", "http://one/v1")
    assert build("a", "http://two/v1", "http://one/v1") == one
    linked = build("b", "http://two/v1", "http://one/v1", "http://three/v1")
    assert linked.content_sha256 == one.content_sha256
    assert asked == [("http://one/v1",)]
    manifest = read_manifest(tmp_path / "datasets/judging" / linked.fingerprint)
    assert manifest.config["llm"]["base_url"] == "http://one/v1"  # where it was asked
