"""The front and continual use as flows, on a tiny model and a handful of documents."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from data_contracts.dataset import find_dataset, read_kept, read_manifest, reference
from data_contracts.errors import ConfigError
from data_contracts.schemas import REPLAY
from flows.config import load_config
from flows.continual import continual_pipeline
from flows.front import front_pipeline
from tasks.continual.transfer import transfer_figures
from tasks.front.task import compared, fall, front_evaluation
from tasks.modeling.tuned import model_folder, read_model_manifest
from tasks.report.formats import MINUS
from tasks.settings import Settings
from tasks.training import train as training
from tests.prefect_clients import table_shown


@pytest.fixture(scope="module")
def profile(tiny_profile, tmp_path_factory, prefect_server) -> str:
    """Return the tiny profile on the handbook's Markdown files, in a home of its own."""
    folder = tmp_path_factory.mktemp("front")
    values = yaml.safe_load(tiny_profile.read_text())
    documents = folder / "documents"
    documents.mkdir()
    for file in sorted(Path(values["documents"]).rglob("*.md"))[:12]:
        shutil.copy(file, documents / file.name)
    values |= {"documents": str(documents)}
    values["splitting"]["min_rows"] = 1
    values["gate"] = {"max_text_loss": 100.0, "max_skill_loss": 1.0}
    values["evaluation"]["sharpness"] = {"directions": 2, "rows": 2}
    values["front"] = {
        "methods": ["lora", "ia3"],
        "learning_rates": [5e-3],
        "mitigations": {"sam": [0.05]},
        "points": [{"training.learning_rate": 1e-6}],
    }
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(values))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEMPER_HOME", str(folder / "home"))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield str(path)


@pytest.fixture
def trainings(monkeypatch) -> list[str]:
    """Return a list that gets the method of every model that is trained."""
    found: list[str] = []
    train_model = training.train_model

    def counted(examples, base, config, *others):
        found.append(config.method.method)
        return train_model(examples, base, config, *others)

    monkeypatch.setattr(training, "train_model", counted)
    return found


def test_a_front_is_chosen_measured_once_on_test_and_goes_on_without_training_again(
    profile, trainings, tmp_path
):
    first = front_pipeline(profile)
    assert trainings == ["lora", "lora", "ia3", "ia3", "lora"]
    names = [point.name for point in first.front.points]
    assert names[:2] == ["lora, rate 0.005", "lora, sam 0.05, rate 0.005"]
    assert [point.reason for point in first.front.points] == [None] * 5
    assert all(point.peak_memory_bytes > 0 and point.sharpness for point in first.front.points)
    best = first.front.recommended
    assert best is not None and first.front.test_learning is not None
    file = tmp_path / "best.yaml"
    file.write_text(first.profile)
    told = load_config(str(file)).training
    assert told.method.method == first.front.point(best).values.get(
        "training.method.method", "lora"
    )
    page = first.report.read_text()
    assert all(name in page for name in names) and page.count("<circle") == 5
    shown = table_shown("front")
    assert [row["point"] for row in shown if row["recommended"]] == [names[best]]
    again = front_pipeline(profile)
    assert len(trainings) == 5
    drop = {"points": {"__all__": {"run_id"}}}
    assert again.front.model_dump(exclude=drop) == first.front.model_dump(exclude=drop)


def test_two_points_are_compared_with_each_other_on_the_same_rows(profile):
    """`benchmarks.front` does so with what the points keep of their measurement."""
    points, config = front_pipeline(profile).front.points, load_config(profile).evaluation
    home = Settings().home
    one, other = (find_dataset(home, "evaluation", points[at].predictions) for at in (0, 4))
    comparison = compared(other, one, front_evaluation(config))
    ahead = points[0].learning.estimate - points[4].learning.estimate
    assert ahead != 0
    assert fall(comparison, "validation").estimate == pytest.approx(ahead, abs=1e-6)


def test_each_point_is_a_run_below_the_fronts_own_and_its_stages_below_it(profile):
    import mlflow

    result = front_pipeline(profile, settings=["front={points: [{training.learning_rate: 1e-6}]}"])
    (point,) = result.front.points
    run = mlflow.get_run(point.run_id)
    assert run.data.tags["mlflow.parentRunId"] == result.mlflow_run_id
    assert run.data.metrics["learning"] == point.learning.estimate
    below = mlflow.search_runs(
        search_all_experiments=True,
        filter_string=f"tags.`mlflow.parentRunId` = '{point.run_id}'",
        output_format="list",
    )
    assert {child.data.tags["temper.stage"] for child in below} == {"training", "evaluation"}
    assert mlflow.get_run(result.mlflow_run_id).info.status == "FINISHED"


def test_a_point_that_fails_says_why_and_the_others_go_on(profile):
    points = "[{training.learning_rate: 1e-6}, {training.learning_rate: 1.0e+30}]"
    front = front_pipeline(profile, settings=[f"front={{points: {points}}}"]).front
    assert front.points[0].reason is None and front.points[1].reason
    assert front.pareto == [0]


def test_nothing_or_a_wrong_thing_to_compare_is_said_at_once(profile):
    with pytest.raises(ConfigError, match=r"front\.methods"):
        front_pipeline(profile, settings=["front={}"])
    with pytest.raises(ConfigError, match="validation rows"):
        front_pipeline(profile, settings=["front={axes: {splitting.train: [0.5]}}"])
    with pytest.raises(ConfigError, match="learning_rate"):
        front_pipeline(profile, settings=["front={points: [{training.lerning_rate: 1}]}"])


def sequence(profile: str, folder: Path, ways: dict[str, dict[str, Any]]) -> str:
    """Write a profile of two document sets, which share the fixture's documents."""
    values = yaml.safe_load(Path(profile).read_text())
    files = sorted(Path(values["documents"]).glob("*.md"))
    for name, some in (("one", files[:6]), ("two", files[6:])):
        (folder / name).mkdir()
        for file in some:
            shutil.copy(file, folder / name / file.name)
    values["evaluation"] |= {"test_rows": 6, "generated_rows": 0, "sharpness": {"directions": 0}}
    values["continual"] = {"sets": {"one": "one", "two": "two"}, "ways": ways}
    path = folder / "sequence.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    return str(path)


def test_a_sequence_gives_the_losses_that_its_predictions_hold(profile, trainings, tmp_path):
    path = sequence(profile, tmp_path, {"plain": {}})
    first = continual_pipeline(path)
    (arm,) = first.result.arms
    assert trainings == ["lora", "lora"]
    assert [len(row) for row in arm.losses] == [2, 2, 2]
    assert arm.losses[1][0] < arm.losses[0][0]  # it learned the first set
    assert arm.losses[2][1] < arm.losses[1][1]  # and then the second
    assert arm.transfer == transfer_figures(arm.losses)
    second = read_model_manifest(model_folder(home_of(profile), arm.models[1]))
    assert arm.models[0] in second.base.name  # it started from the first step's model
    assert first.report.read_text().count("nothing: the base") == 1
    (shown,) = table_shown("continual")
    assert shown["way"] == "plain" and "one, lost" in shown
    assert shown["general text, lost"].startswith(("+", MINUS))
    assert continual_pipeline(path).result == first.result
    assert len(trainings) == 2


def test_a_way_that_replays_trains_on_rows_of_the_sets_before(profile, tmp_path):
    replaying = {"continual.replay_earlier": True, "augmentation.replay.share": 0.2}
    path = sequence(profile, tmp_path, {"plain": {}, "earlier": replaying})
    plain, earlier = continual_pipeline(path).result.arms
    assert earlier.losses[1] == plain.losses[1]  # the first step has nothing before it
    built = (home_of(profile) / "datasets" / "augmentation").glob("*/manifest.json")
    shares = [json.loads(path.read_text())["config"]["replay"]["share"] for path in built]
    assert shares.count(0.2) == 1  # the second step's
    assert earlier.losses[2] != plain.losses[2]
    assert plain.text_lost.estimate == pytest.approx(plain.text[2] - plain.text[0])
    assert len(earlier.beside_first) == 2 and plain.beside_first == []
    first, second = (examples_of(profile, model) for model in earlier.models)
    assert [row for row in first if row["kind"] == REPLAY] == []
    replayed = {row["question"] for row in second if row["kind"] == REPLAY}
    assert replayed and replayed <= {row["question"] for row in first if row["split"] == "train"}


def test_replay_of_earlier_sets_without_a_share_is_said_at_once(profile):
    ways = "continual={sets: {a: a, b: b}, ways: {earlier: {continual.replay_earlier: true}}}"
    with pytest.raises(ConfigError, match=r"augmentation\.replay\.share"):
        continual_pipeline(profile, [ways])


def test_a_method_that_does_not_merge_cannot_go_on(profile):
    told = ["training={method: {method: prompt_tuning}}", "continual={sets: {a: a, b: b}}"]
    with pytest.raises(ConfigError, match="cannot be merged"):
        continual_pipeline(profile, told)


def examples_of(profile: str, model: str) -> list[dict[str, Any]]:
    """Return the rows of the dataset that a model was trained on."""
    home = home_of(profile)
    content = read_model_manifest(model_folder(home, model)).parents["examples"]
    folders = (home / "datasets" / "augmentation").iterdir()
    found = (reference(folder, read_manifest(folder)) for folder in folders)
    return read_kept(next(ref for ref in found if ref.content_sha256 == content)).to_pylist()


def home_of(profile: str) -> Path:
    return Path(profile).parent / "home"
