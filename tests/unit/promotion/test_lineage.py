"""What was judged must be what was trained: a tiny model, then changed under the gate's eyes."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_contracts.dataset import DatasetRef, Manifest
from data_contracts.results import ModelRef
from data_contracts.schemas import EXAMPLE, blank_row
from tasks.modeling.tuned import MANIFEST
from tasks.promotion.lineage import check_lineage
from tasks.tracking import start_pipeline_run
from tasks.training import task
from tasks.training.config import TrainingConfig
from tests.tiny_models import tiny_base

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Judged(NamedTuple):
    model: ModelRef
    base_scores: DatasetRef
    scores: DatasetRef


def scores(folder: Path, model: str, rows: str = "rows") -> DatasetRef:
    """Keep the manifest of predictions that say whose they are."""
    nothing: dict[str, Any] = dict.fromkeys(Manifest.model_fields, "")
    nothing |= {
        name: 0 for name, f in Manifest.model_fields.items() if f.annotation in (int, float)
    }
    nothing |= {
        name: {} for name, f in Manifest.model_fields.items() if "dict" in str(f.annotation)
    }
    told = nothing | {"parents": {"model": model, "examples": rows}}
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(told))
    return DatasetRef(
        stage="evaluation", fingerprint="f", folder=str(folder), content_sha256="0", rows=1
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    home = tmp_path_factory.mktemp("home")
    rows = [
        blank_row(EXAMPLE)
        | {"example_id": f"e{n}", "kind": "fact", "question": f"Who is {n}?", "answer": "Anna."}
        | {"document_id": "d", "chunk_id": "c", "generator": "test"}
        | {"split": "validation" if n % 4 == 0 else "train"}
        for n in range(8)
    ]
    folder = home / "examples"
    folder.mkdir()
    pq.write_table(pa.Table.from_pylist(rows, schema=EXAMPLE), folder / "kept-00000.parquet")
    ref = DatasetRef(
        stage="augmentation", fingerprint="f", folder=str(folder), content_sha256="rows", rows=8
    )
    context = start_pipeline_run(home, f"sqlite:///{home}/mlflow.db", "test", "test", {})
    base = tiny_base(home / "base", "llama")
    model = task.train.fn(ref, base, TrainingConfig(max_steps=1), context)
    return Judged(
        model,
        scores(home / "base_scores", base.fingerprint),
        scores(home / "scores", model.fingerprint),
    )


@pytest.fixture
def judged(trained: Judged, tmp_path: Path) -> Judged:
    """Return a copy that a test may change."""
    model, base = tmp_path / "model", tmp_path / "base"
    shutil.copytree(trained.model.folder, model)
    shutil.copytree(trained.model.base.folder, base)
    moved = trained.model.base.model_copy(update={"folder": base})
    changed = trained.model.model_copy(update={"folder": model, "base": moved})
    return trained._replace(model=changed)


def untrue(found: Judged) -> list[str]:
    return [sentence for sentence, true in check_lineage(*found).checks.items() if not true]


def test_the_model_as_it_was_trained(trained: Judged, judged: Judged) -> None:
    assert untrue(trained) == untrue(judged) == []
    assert len(check_lineage(*trained).checks) == 6


def change_template(found: Judged) -> None:
    path = found.model.folder / "chat_template.jinja"
    path.write_text(path.read_text().replace("User: ", "Human: "))


def change_base(found: Judged) -> None:
    (weights,) = found.model.base.folder.glob("*.safetensors")
    values = bytearray(weights.read_bytes())
    values[-1] ^= 1
    weights.write_bytes(values)


def change_weights(found: Judged) -> None:
    weights = next((found.model.folder / "weights").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (change_template, ["weights and tokenizer", "chat template"]),
        (change_base, ["the base is"]),
        (change_weights, ["weights and tokenizer"]),
    ],
)
def test_what_was_changed_after_training_is_named(
    judged: Judged, change: Callable[[Judged], None], words: list[str]
) -> None:
    change(judged)
    found = untrue(judged)
    assert len(found) == len(words)
    assert all(word in sentence for word, sentence in zip(words, found, strict=True))


def test_a_base_that_was_measured_in_another_type_is_named(trained: Judged) -> None:
    held = trained.model.base.model_copy(update={"held_in": "bfloat16"})
    found = untrue(trained._replace(model=trained.model.model_copy(update={"base": held})))
    assert found == ["the base's predictions are this base's"]


def test_predictions_of_another_model_or_of_other_rows(trained: Judged, tmp_path: Path) -> None:
    other = trained._replace(scores=scores(tmp_path / "other", "another"))
    assert untrue(other) == ["the tuned model's predictions are this model's"]
    other = trained._replace(base_scores=scores(tmp_path / "base", "another"))
    assert untrue(other) == ["the base's predictions are this base's"]
    fingerprint = trained.model.fingerprint
    other = trained._replace(scores=scores(tmp_path / "rows", fingerprint, "other rows"))
    assert untrue(other) == ["both predictions are of the same rows"]


def test_a_model_of_an_earlier_version_is_judged_by_what_it_says(judged: Judged) -> None:
    path = judged.model.folder / MANIFEST
    told = json.loads(path.read_text())
    del told["base_files"], told["template"]
    path.write_text(json.dumps(told))
    change_base(judged)
    assert untrue(judged) == []
