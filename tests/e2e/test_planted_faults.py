"""Faults planted on purpose into tiny runs: the gate must say FAIL on the leg that is for them.

The same code as `benchmarks.detection`, which does it with a real model.
"""

from dataclasses import replace
from typing import Any

import pytest

from benchmarks import detection
from benchmarks.detection import Setup, judged
from benchmarks.planted_faults import FAULTS
from data_contracts.results import Verdict
from data_contracts.schemas import EXAMPLE, blank_row
from tasks.evaluation.config import EvaluationConfig
from tasks.tracking import start_pipeline_run
from tests.tiny_models import tiny_base

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PLANTED = {fault.name: fault for fault in FAULTS}
NAMES = ["Anna", "Bert", "Cara", "Dirk", "Emil", "Fine", "Gerd", "Hans", "Ines", "Jens"]
PLACES = ["quay", "deck", "mast", "sail", "rope", "hold", "helm"]
VERBS = ["sings", "sleeps", "reads", "paints", "counts"]


def make_rows() -> list[dict[str, Any]]:
    """Return rows about other people in each split, so that no row gives another away."""
    rows = []
    for at, (split, count) in enumerate({"train": 30, "validation": 6, "test": 30}.items()):
        for n in range(count):
            who, where = NAMES[(n * 7 + at * 3) % 10], PLACES[(n + at * 2) % 7]
            does = VERBS[(n * 3 + at) % 5]
            number = 100 * at + n * 13
            row = {
                "example_id": f"{split}-{n}",
                "kind": "fact",
                "context": f"{where} {number}: {who} {does}.",
                "question": f"What is done at {where} {number}?",
                "answer": f"At {where} number {number} it is {who} who {does} every {n} days.",
                "document_id": f"{split}-{n // 2}",
                "chunk_id": f"{split}-{n}",
                "generator": "test",
                "group_id": f"{split}-{n // 2}",
                "split": split,
            }
            rows.append(blank_row(EXAMPLE) | row)
    return rows


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> Setup:
    home = tmp_path_factory.mktemp("home")
    context = start_pipeline_run(home, f"sqlite:///{home}/mlflow.db", "test", "test", {})
    contracts: dict[str, dict[str, Any]] = {"splitting": {"success": True}}
    training = {
        "method": {"method": "full"},
        "learning_rate": 2e-3,
        "epochs": 2,
        "batch_size": 8,
        "evaluations_per_epoch": 1,
    }
    return Setup(tiny_base(home / "base", "llama"), make_rows(), contracts, context, training)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    config = EvaluationConfig(
        test_rows=30,
        validation_rows=2,
        train_rows=24,
        generated_rows=14,
        max_new_tokens=64,
        general_items_per_skill=2,
        general_texts=3,
        noise_rows=0,
        bootstrap_resamples=300,
    )
    monkeypatch.setattr(detection, "EVALUATION", config)


def outcome(verdict: Verdict, leg: str) -> str:
    return next(x.outcome for x in verdict.legs if x.name == leg)


@pytest.mark.parametrize(
    ("name", "training"),
    [
        ("trained_on_test", {}),
        ("50_epochs", {}),
        ("canaries_x50", {"epochs": 8, "learning_rate": 5e-3}),
        ("end_token_unlearned", {"epochs": 12}),
        ("template_changed", {}),
        ("wrong_base", {}),
    ],
)
def test_a_planted_fault_fails_on_the_leg_that_is_for_it(
    setup: Setup, small: None, name: str, training: dict[str, Any]
) -> None:
    fault = PLANTED[name]
    planted = replace(fault, training={**fault.training, **training}, evaluation={})
    found = judged(setup, planted, 0)
    assert outcome(found, fault.leg) == "FAIL", found
    assert found.outcome == "FAIL"


def test_an_honest_run_fails_on_none_of_these_legs(setup: Setup, small: None) -> None:
    found = judged(setup, detection.HONEST, 0)
    for leg in ("leakage", "overfitting", "memorisation", "lineage"):
        assert outcome(found, leg) != "FAIL", found
    assert outcome(found, "lineage") == "PASS"  # the very model that the faults above change
