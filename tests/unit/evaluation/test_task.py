import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_contracts.dataset import DatasetRef, read_kept, read_manifest
from data_contracts.errors import GeneralSetError, TrainingError
from data_contracts.front import Sharpness
from data_contracts.results import Comparison, LeakageCertificate, ModelRef, RowsApart
from tasks.evaluation import measure, task
from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.sharpness import ARTIFACT as SHARPNESS
from tasks.llm.config import LLMConfig
from tasks.modeling import tuned
from tasks.modeling.anchor_texts import ANCHORS
from tasks.modeling.checkpoint_losses import CHECKPOINT_LOSSES, CheckpointLosses
from tasks.tracking import RunContext, connect, start_pipeline_run
from tests.endpoint import Endpoint, completion
from tests.tiny_models import tiny_base

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> RunContext:
    home = tmp_path_factory.mktemp("home")
    return start_pipeline_run(home, f"sqlite:///{home}/mlflow.db", "test", "test", {})


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> EvaluationConfig:
    folder = tmp_path_factory.mktemp("general")
    item = {"query": "The ferry is", "choices": ["blue.", "a dog."], "gold": 0}
    lines = [json.dumps(item | {"query": f"The ferry {n} is"}) for n in range(3)]
    (folder / "colours.jsonl").write_text("\n".join(lines))
    (folder / "prose.jsonl").write_text('{"text": "A ferry."}\n{"text": "A ship."}')
    return EvaluationConfig(
        general_folder=folder, generated_rows=2, max_new_tokens=3, bootstrap_resamples=200
    )


def store(home: Path, examples: pa.Table) -> DatasetRef:
    folder = home / "examples"
    folder.mkdir(exist_ok=True)
    pq.write_table(examples, folder / "kept-00000.parquet")
    return DatasetRef(
        stage="augmentation", fingerprint="examples", folder=str(folder), content_sha256="0",
        rows=examples.num_rows,
    )  # fmt: skip


def runs(context: RunContext, stage: str) -> list[Any]:
    client = connect(context.tracking_uri).MlflowClient()
    experiment = client.get_experiment_by_name(context.experiment).experiment_id
    return list(client.search_runs([experiment], f"tags.`temper.stage` = '{stage}'"))


def test_two_models_are_measured_once_and_compared(
    context: RunContext,
    config: EvaluationConfig,
    examples: pa.Table,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ref = store(context.home, examples)
    models = [tiny_base(tmp_path / name, name) for name in ("gemma3", "llama")]
    base, other = (task.evaluate.fn(model, ref, config, context) for model in models)
    assert base.fingerprint != other.fingerprint
    assert set(read_kept(base)["set"].to_pylist()) == {
        "test",
        "validation",
        "train",
        "general_text",
        "general_skill",
    }
    manifest = read_manifest(Path(base.folder))
    assert manifest.validation["success"]
    assert {"processor_seconds.loading", "processor_seconds.noise"} <= set(manifest.figures)
    assert set(manifest.parents) == {"model", "examples", "general"}
    assert manifest.parents["model"] == models[0].fingerprint

    monkeypatch.setattr(measure, "load_any", None)  # calling it would raise
    assert task.evaluate.fn(models[0], ref, config, context) == base

    tests = [row["example_id"] for row in examples.to_pylist() if row["split"] == "test"]
    certificate = LeakageCertificate(
        rows={}, groups={}, shared_groups=0, findings=[], ignored_template_ngrams=0, passed=True,
        apart=RowsApart(share=0.5, of=len(tests), example_ids=tests),
    )  # fmt: skip
    model = ModelRef(fingerprint="m", folder=tmp_path, method="lora", base=models[0])
    kept = CheckpointLosses(
        checkpoints=2, best_step=1, last_step=2, clusters=["a", "b"], tokens=[1, 1],
        best=[1.0, 1.0], last=[1.5, 1.5],
    )  # fmt: skip
    (tmp_path / CHECKPOINT_LOSSES).write_text(kept.model_dump_json())
    comparison = task.compare_models.fn(base, other, ref, certificate, config, context, model=model)
    (run,) = runs(context, "comparison")
    delta = comparison.find("test", "cross_entropy")
    assert delta is not None and delta.noise_floor is not None
    assert run.data.metrics["test.cross_entropy.noise_floor"] == delta.noise_floor < 1e-3
    assert run.data.metrics["test.cross_entropy.delta_low"] == pytest.approx(delta.delta.low)
    assert run.data.metrics["test.definition.cross_entropy.base"] > 0
    assert run.data.metrics["general_skill.accuracy.rows"] == 3
    assert "gap.test.excess_high" in run.data.metrics
    assert run.data.metrics["checkpoints.delta"] == 0.5
    whole, apart = (run.data.metrics[f"{s}.cross_entropy.tuned"] for s in ("test", "test_apart"))
    assert apart == pytest.approx(whole)
    logged = connect(context.tracking_uri).artifacts.load_dict(
        f"{run.info.artifact_uri}/comparison.json"
    )
    assert Comparison.model_validate(logged) == comparison


def test_another_general_set_is_another_evaluation(
    context: RunContext, config: EvaluationConfig, examples: pa.Table, tmp_path: Path
) -> None:
    ref, model = store(context.home, examples), tiny_base(tmp_path, "llama")
    before = task.evaluate.fn(model, ref, config, context)
    assert config.general_folder is not None
    with (config.general_folder / "prose.jsonl").open("a") as stream:
        stream.write('\n{"text": "A boat."}')
    after = task.evaluate.fn(model, ref, config, context)
    assert after.fingerprint != before.fingerprint
    assert after.rows == before.rows + 1


def test_a_wrong_general_set_is_noticed_before_a_model_is_loaded(
    context: RunContext,
    examples: pa.Table,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, folder = tiny_base(tmp_path / "base", "llama"), tmp_path / "general"
    folder.mkdir()
    (folder / "colours.jsonl").write_text('{"query": "?"}')
    monkeypatch.setattr(measure, "load_any", None)
    with pytest.raises(GeneralSetError, match="colours.jsonl, line 1"):
        task.evaluate.fn(
            model,
            store(context.home, examples),
            EvaluationConfig(general_folder=folder),
            context,
        )


def test_retention_is_not_measured_on_what_a_mitigation_held_on_to(
    context: RunContext,
    config: EvaluationConfig,
    examples: pa.Table,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = tiny_base(tmp_path / "base", "qwen2")
    (model.folder / ANCHORS).write_text('{"text": "A calm sea."}\n{"text": "a ship"}\n')
    monkeypatch.setattr(measure, "load_any", None)
    with pytest.raises(TrainingError, match="Anchor text 2 of .*anchors.jsonl"):
        task.evaluate.fn(model, store(context.home, examples), config, context)


def test_examinations_and_judge_add_to_the_comparison(
    context: RunContext,
    config: EvaluationConfig,
    examples: pa.Table,
    tmp_path: Path,
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ref = store(context.home, examples)
    endpoint.respond = lambda n, body: completion('{"reason": "So.", "better": "first"}')
    options = EvaluationConfig.model_validate(
        config.model_dump()
        | {
            "examinations": [{"examination": "retrieval", "rows": 4, "max_new_tokens": 2}],
            "judge": {"llm": LLMConfig(base_url=endpoint.base_url, model="m", repairs=0)},
        }
    )
    models = [tiny_base(tmp_path / name, name) for name in ("gemma3", "llama")]
    scores = [task.evaluate.fn(model, ref, options, context) for model in models]
    assert scores[0] == task.evaluate.fn(models[0], ref, config, context)  # not measured anew
    found = [task.examine.fn(model, ref, None, options, context) for model in models]
    assert found[0].fingerprint != found[1].fingerprint
    monkeypatch.setattr(tuned, "load_any", None)  # calling it would raise
    assert task.examine.fn(models[0], ref, None, options, context) == found[0]

    bare = Comparison(deltas=[], gaps=[], improved=[], worsened=[])
    examined = task.compare_examined.fn(bare, *found, options, context)
    assert {(d.set, d.name) for d in examined.deltas} == {
        ("retrieval", "alone"),
        ("retrieval", "with_retrieval"),
        ("retrieval", "tuned_alone_against_base_with_retrieval"),
    }
    assert 0 <= examined.figures["retrieval.passage_found"] <= 1
    assert not [name for name in examined.figures if name.startswith("seconds.")]
    complete = task.judge_answers.fn(examined, *scores, options, context)
    assert complete.deltas[: len(examined.deltas)] == examined.deltas
    assert complete.figures["judge.pairs"] == 2
    (run,) = runs(context, "judge")
    assert run.data.metrics["judge.turned"] == complete.figures["judge.turned"]


def test_a_comparison_holds_the_sharpness_of_each_model_that_has_one(tmp_path: Path) -> None:
    base, tuned = (
        DatasetRef(
            stage="evaluation",
            fingerprint=name,
            folder=str(tmp_path / name),
            content_sha256="c",
            rows=1,
        )
        for name in ("base", "tuned")
    )
    found = Sharpness(radius=0.1, directions=2, seed=1, loss=1.0, mean_rise=0.4, max_rise=0.9)
    Path(tuned.folder).mkdir()
    (Path(tuned.folder) / SHARPNESS).write_text(found.model_dump_json())
    assert task._sharpness_of(base, tuned) == {"sharpness.tuned": 0.4}
