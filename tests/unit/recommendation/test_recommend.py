"""What the literature says of stated situations, and laws of every ranking."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import LlamaConfig

from flows.config import load_config
from tasks.estimation.config import RunShape
from tasks.recommendation.costs import method_costs
from tasks.recommendation.profile import profile_text, runnable
from tasks.recommendation.recommend import Cost, recommend
from tasks.recommendation.rules import TRAITS
from tasks.recommendation.situation import Situation
from tasks.tracking import best_losses, finish_pipeline_run, stage_run, start_pipeline_run

GB, MB = 10**9, 10**6

# Of a model of 7B parameters, in round figures: what follows does not hang on their digits.
COSTS = {
    "full": Cost(memory=110 * GB, storage=14_000 * MB, registered=True),
    "osf": Cost(memory=90 * GB, storage=1_500 * MB, registered=False),
    "dora": Cost(memory=22 * GB, storage=42 * MB, registered=False),
    "lora": Cost(memory=20 * GB, storage=40 * MB, registered=True),
    "ia3": Cost(memory=19 * GB, storage=2 * MB, registered=False),
    "prefix_tuning": Cost(memory=18 * GB, storage=11 * MB, registered=False),
    "prompt_tuning": Cost(memory=18 * GB, storage=1 * MB, registered=False),
    "bottleneck": Cost(memory=20 * GB, storage=60 * MB, registered=False),
    "qlora": Cost(memory=9 * GB, storage=40 * MB, registered=False),
}
PLENTY = {"memory_gb": 200.0}

SITUATIONS: list[tuple[str, dict[str, Any], str]] = [
    ("a style on one card (Hu 2021)", {"memory_gb": 24.0}, "lora"),
    ("a style, memory for all (LIMA; Hu 2021)", PLENTY, "lora"),
    ("a small card (Dettmers 2023)", {"memory_gb": 12.0}, "qlora"),
    (
        "a new domain with much data (Biderman 2024)",
        {"objective": "knowledge", "complexity": "complex", "examples": 100_000, **PLENTY},
        "full",
    ),
    (
        "code with much data, behaviour (Biderman 2024)",
        {"complexity": "complex", "examples": 100_000, **PLENTY},
        "full",
    ),
    (
        "the same on one card (Biderman 2024: LoRA is next)",
        {"complexity": "complex", "examples": 100_000, "memory_gb": 24.0},
        "lora",
    ),
    (
        "facts the model does not know (Gekhman 2024)",
        {"objective": "knowledge", "unknown_share": 0.6, **PLENTY},
        "lora",
    ),
    ("ten tasks on one base (Hu 2021)", {"tasks_at_once": 10, **PLENTY}, "lora"),
    ("hundreds of simple tasks (Liu 2022)", {"tasks_at_once": 300, "latency": "slower"}, "ia3"),
    ("few examples (Liu 2022)", {"examples": 100}, "ia3"),
    (
        "a megabyte a task, answers may be slower (Lester 2021)",
        {"storage_mb": 1.5, "latency": "slower"},
        "prompt_tuning",
    ),
    ("old abilities first (Nayak 2025)", {"keep_abilities": True, **PLENTY}, "osf"),
    ("old abilities on one card (PEFT)", {"keep_abilities": True, "memory_gb": 24.0}, "lora"),
]


@pytest.mark.parametrize(("situation", "asked", "best"), SITUATIONS, ids=lambda v: str(v)[:60])
def test_the_first_choice_is_what_the_literature_says(
    situation: str, asked: dict[str, Any], best: str
) -> None:
    found = recommend(Situation(**asked), COSTS)
    assert found.choices[0].method == best, situation
    assert all(reason.source and reason.text for reason in found.choices[0].reasons)


situations = st.builds(
    Situation,
    objective=st.sampled_from(["knowledge", "behaviour"]),
    memory_gb=st.floats(1, 200),
    storage_mb=st.floats(0.5, 20_000),
    latency=st.sampled_from(["base", "slower"]),
    tasks_at_once=st.integers(1, 400),
    complexity=st.sampled_from(["simple", "complex"]),
    examples=st.integers(1, 200_000),
    unknown_share=st.floats(0, 1),
    keep_abilities=st.booleans(),
)
costs = st.fixed_dictionaries(
    {
        method: st.builds(
            Cost,
            memory=st.integers(10**9, 200 * 10**9),
            storage=st.integers(10**5, 10**10),
            registered=st.booleans(),
        )
        for method in TRAITS
    }
)


@given(situations, costs, st.floats(1, 10))
def test_more_memory_never_removes_a_method(
    asked: Situation, price: dict[str, Cost], more: float
) -> None:
    wider = asked.model_copy(update={"memory_gb": asked.memory_gb * more})
    before = {choice.method for choice in recommend(asked, price).choices}
    assert before <= {choice.method for choice in recommend(wider, price).choices}


@given(situations, costs, st.floats(1, 10))
def test_a_tighter_budget_never_recommends_more_memory(
    asked: Situation, price: dict[str, Cost], more: float
) -> None:
    wider = asked.model_copy(update={"memory_gb": asked.memory_gb * more})
    tight, wide = recommend(asked, price).choices, recommend(wider, price).choices
    assert not tight or tight[0].cost.memory <= wide[0].cost.memory


@given(situations, costs)
def test_every_method_is_ranked_or_ruled_out_for_a_reason(
    asked: Situation, price: dict[str, Cost]
) -> None:
    found = recommend(asked, price)
    assert {choice.method for choice in found.choices} | set(found.excluded) == set(price)
    assert all(choice.cost.memory <= asked.memory_gb * GB for choice in found.choices)
    assert all(found.excluded.values())


def test_what_cannot_be_merged_is_ruled_out_where_latency_counts() -> None:
    excluded = recommend(Situation(latency="base"), COSTS).excluded
    assert "merged" in excluded["bottleneck"]
    slower = recommend(Situation(latency="slower"), COSTS)
    assert {c.method: c.extra_latency for c in slower.choices}["bottleneck"] == 0.25


def test_ones_own_runs_outweigh_the_literature() -> None:
    found = recommend(Situation(), COSTS, {"ia3": 1.2, "lora": 1.4})
    assert found.choices[0].method == "ia3"
    assert found.choices[0].reasons[-1].source == "MLflow"


def test_unknown_facts_come_with_advice() -> None:
    found = recommend(Situation(objective="knowledge", unknown_share=0.5), COSTS)
    assert "retrieved" in found.advice[0].text


def test_costs_are_estimated_for_every_method_that_can_be() -> None:
    config = LlamaConfig(
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        vocab_size=200,
    )
    shape = RunShape(batch_size=2, sequence_length=32, dtype="auto", mixed_precision=True)
    found = method_costs(config, shape)
    assert {"full", "lora", "qlora", "ia3", "dora", "osf", "prompt_tuning"} <= set(found)
    assert found["qlora"].memory < found["lora"].memory < found["full"].memory
    assert found["full"].registered
    on_a_processor = method_costs(config, shape.model_copy(update={"mixed_precision": False}))
    assert on_a_processor["qlora"].memory > found["qlora"].memory  # it computes in 32 bits there


def test_the_profile_loads_and_names_a_registered_method(tmp_path: Path) -> None:
    found = recommend(Situation(examples=100, objective="knowledge"), COSTS)
    choice = runnable(found)
    assert choice is not None
    shape = RunShape(batch_size=3, sequence_length=300)
    file = tmp_path / "profile.yaml"
    asked = Situation(objective="knowledge")
    file.write_text(profile_text(choice, asked, shape, "embedded", "documents"), encoding="utf-8")
    config = load_config(str(file))
    assert config.training.method.method == choice.method == "lora"
    assert (config.training.batch_size, config.selection.objective) == (3, "knowledge")


def test_no_registered_method_no_profile() -> None:
    assert runnable(recommend(Situation(memory_gb=1.0), COSTS)) is None


def test_best_losses_are_of_the_newest_dataset(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    assert best_losses(uri, "mine") == {}
    context = start_pipeline_run(tmp_path, uri, "mine", "mine", {})
    for data, method, loss in [
        ("old", "full", 0.5),
        ("new", "lora", 1.5),
        ("new", "lora", 1.25),
        ("new", "full", 1.75),
    ]:
        with stage_run(context, "training") as mlflow:
            mlflow.log_params({"method.method": method})
            mlflow.log_metrics({"training.best_validation_loss": loss})
            mlflow.set_tags({"temper.data": data})
    finish_pipeline_run(context, succeeded=True)
    assert best_losses(uri, "mine") == {"lora": 1.25, "full": 1.75}
