import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_contracts.dataset import DatasetRef, read_dropped, read_kept
from tasks.judging import task
from tasks.judging.config import JudgingConfig
from tasks.judging.judges.faithfulness import FaithfulnessJudge
from tasks.llm.config import LLMConfig
from tasks.tracking import start_pipeline_run
from tests.endpoint import Endpoint, Reply, completion

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def store(home: Path, name: str, examples: pa.Table) -> DatasetRef:
    folder = home / name
    folder.mkdir()
    pq.write_table(examples, folder / "kept-00000.parquet")
    return DatasetRef(
        stage="test", fingerprint=name, folder=str(folder), content_sha256="0",
        rows=examples.num_rows,
    )  # fmt: skip


def test_a_judge_with_a_language_model_asks_the_configured_endpoint(
    table: Any, tmp_path: Path, endpoint: Endpoint
) -> None:
    context = start_pipeline_run(tmp_path, f"sqlite:///{tmp_path}/mlflow.db", "test", "test", {})
    said = {"evidence": "A lost badge costs 25 euro.", "reason": "So.", "verdict": "no"}

    def respond(number: int, body: dict[str, Any]) -> Reply:
        right = "25 euro\n" in body["messages"][1]["content"]
        return completion(json.dumps(said | {"verdict": "yes" if right else "no"}))

    endpoint.respond = respond
    passage = {"context": "A lost badge costs 25 euro.", "question": "What does a badge cost?"}
    rows = [passage | {"example_id": a[:2], "answer": a} for a in ("25 euro", "35 euro")]
    ref = store(tmp_path, "rows", table(rows))
    llm = LLMConfig(base_url=endpoint.base_url, model="m")
    config = JudgingConfig(judges=(FaithfulnessJudge(),), llm=llm)
    judged = task.judge.fn([ref], None, config, context)
    assert read_kept(judged).column("answer").to_pylist() == ["25 euro"]
    assert read_dropped(judged).column("reason").to_pylist() == ["faithfulness"]
    assert len(endpoint.requests) == 2


def test_rows_of_several_origins_are_judged_together(table: Any, tmp_path: Path) -> None:
    context = start_pipeline_run(tmp_path, f"sqlite:///{tmp_path}/mlflow.db", "test", "test", {})
    passage = {"context": "A lost badge costs 25 euro.", "question": "What does a badge cost?"}
    made = store(tmp_path, "made", table([{"example_id": "made"}]))
    rows = [
        passage | {"example_id": "right", "answer": "25 euro", "grounding": None},
        passage | {"example_id": "wrong", "answer": "35 euro", "grounding": None},
    ]
    imported = store(tmp_path, "imported", table(rows))
    ref = task.judge.fn([made, imported], None, JudgingConfig(), context)
    assert read_kept(ref).column("example_id").to_pylist() == ["made", "right"]
    assert read_dropped(ref).column("reason").to_pylist() == ["answerable"]
    assert task.judge.fn([made, imported], None, JudgingConfig(), context) == ref
