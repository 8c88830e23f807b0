"""lm-evaluation-harness on a task of our own, on local data."""

import json
from pathlib import Path

import pytest

from data_contracts.errors import ConfigError
from tasks.evaluation.config import ExaminationPlan
from tasks.evaluation.examination import Findings, Material
from tasks.evaluation.examinations.harness import Harness
from tasks.evaluation.examine import examine
from tasks.evaluation.general import ChoiceItem
from tasks.evaluation.multiple_choice import encode_item, plain_scores
from tests.tiny_models import tiny_base
from tests.unit.evaluation.conftest import Tiny

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # what the harness and its dependencies warn of is theirs
]

TASK = """
task: badge_quiz
dataset_path: json
dataset_kwargs:
  data_files:
    test: {file}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{query}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: "{{{{gold}}}}"
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
"""


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Return a model with an adapter, as tuned models come."""
    from peft import LoraConfig, get_peft_model

    from tasks.modeling.base_model import load_model, load_tokenizer

    base = tiny_base(tmp_path_factory.mktemp("adapted"), "gemma3")
    config = LoraConfig(r=2, target_modules="all-linear", init_lora_weights="gaussian")
    model = get_peft_model(load_model(base), config)
    return Tiny(model.eval(), load_tokenizer(base), base)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    items = [
        {"query": f"The capital of {country} is", "choices": ["Paris", "Rome"], "gold": n % 2}
        for n, country in enumerate(("France", "Italy", "Gaul", "Latium"))
    ]
    data = tmp_path / "items.jsonl"
    data.write_text("\n".join(map(json.dumps, items)))
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    (tasks / "badge_quiz.yaml").write_text(TASK.format(file=data))
    return tasks


def test_a_task_on_local_data_is_scored_item_by_item(adapted: Tiny, folder: Path) -> None:
    harness = Harness(tasks=("badge_quiz",), folder=folder, items=3, batch_size=2)
    plan = ExaminationPlan(examinations=(harness,), max_length=128)
    rows = examine(adapted.model, adapted.tokenizer, Material([]), plan).kept.to_pylist()
    assert [row["row_id"] for row in rows] == [f"badge_quiz-{n}" for n in range(3)]
    assert {row["measure"] for row in rows} == {"accuracy"}
    assert {row["better"] for row in rows} == {"higher"}
    # Both put the start token of Gemma first, so what is likelier is what our own scoring says.
    lines = (folder.parent / "items.jsonl").read_text().splitlines()[:3]
    items = [
        ChoiceItem(str(n), "x", i["query"], tuple(i["choices"]), i["gold"])
        for n, i in enumerate(map(json.loads, lines))
    ]
    encoded = [encode_item(adapted.tokenizer, item) for item in items]
    scores = plain_scores(adapted.model, encoded, int(adapted.tokenizer.pad_token_id), 64)
    ours = [float(max(s) == s[item.gold]) for s, item in zip(scores, items, strict=True)]
    assert [row["value"] for row in rows] == ours


def test_an_unknown_task_is_named(adapted: Tiny, folder: Path) -> None:
    plan = ExaminationPlan(examinations=(Harness(tasks=("no_such_quiz",), folder=folder),))
    with pytest.raises(ConfigError, match="no_such_quiz.*lm-eval ls tasks"):
        examine(adapted.model, adapted.tokenizer, Material([]), plan)


def test_without_tasks_nothing_is_loaded() -> None:
    findings = Findings()
    Harness().examine(None, Material([]), findings)  # type: ignore[arg-type]
    assert findings.kept == []


def test_a_changed_file_is_another_source(folder: Path) -> None:
    before = Harness(folder=folder).source()
    (folder / "badge_quiz.yaml").write_text("task: other")
    assert Harness(folder=folder).source() != before
    assert Harness().source() == ""
