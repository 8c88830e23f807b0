"""Faults planted on purpose into tiny runs: the gate must say FAIL on the leg that is for them.

The same code as `benchmarks.detection`, which does it with a real model.
"""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import detection, planted_faults
from benchmarks.detection import Setup, judged
from benchmarks.planted_faults import FAULTS
from data_contracts.errors import TrainingError
from data_contracts.results import Verdict
from data_contracts.schemas import EXAMPLE, blank_row
from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.general import read_general
from tasks.modeling.base_model import load_model, load_tokenizer, resolve_base_model
from tasks.modeling.chat import encode_example
from tasks.promotion.config import GateConfig
from tasks.tracking import start_pipeline_run
from tests.tiny_models import tiny_base
from tests.two_tasks import teach, text_row

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PLANTED = {fault.name: fault for fault in FAULTS}
HONEST = replace(detection.HONEST, evaluation={})
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
    found = judged(setup, HONEST, 0)
    for leg in ("leakage", "overfitting", "memorisation", "lineage"):
        assert outcome(found, leg) != "FAIL", found
    assert outcome(found, "lineage") == "PASS"  # the very model that the faults above change


def test_a_kept_case_costs_no_training_and_is_judged_by_the_gate_of_the_day(
    setup: Setup, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    detection.run(setup, HONEST, 0)
    first = detection.read_case(setup.cases / "honest-0.json")

    def refuse(*_arguments: Any) -> None:
        raise TrainingError("made again")

    for name in ("training.train.train_model", "evaluation.measure.measure"):
        monkeypatch.setattr(f"tasks.{name}", refuse)
    monkeypatch.setattr("tasks.memorisation.measure.measure", refuse)
    detection.run(setup, HONEST, 0)
    assert detection.read_case(setup.cases / "honest-0.json") == first
    with pytest.raises(TrainingError):
        detection.run(setup, HONEST, 1)
    for least, said in ((1, "PASS"), (1_000, "INSUFFICIENT EVIDENCE")):
        asked = GateConfig(min_test_rows=least, min_skill_items=1, min_texts=1)
        monkeypatch.setattr(detection, "GATE", asked)
        assert outcome(first.verdict(), "sample_size") == said


# Of what somebody has, and what it may be: a skill of the knowing base.
SKILLS = {"pets": ["owl", "cat", "dog", "fox"], "tools": ["saw", "axe", "pen", "net"]}


@pytest.fixture(scope="module")
def general(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write general skills and general text that can be taught by heart."""
    folder, draw = tmp_path_factory.mktemp("general"), random.Random(0)
    for skill, choices in SKILLS.items():
        items = []
        for who in NAMES:
            two = draw.sample(choices, 2)
            item = {"query": f"{who} has {skill}, and it is the", "choices": two, "gold": 0}
            items.append(item)
        write_lines(folder / f"{skill}.jsonl", items)
    texts = [f"On day {n} {NAMES[n]} walks to the {PLACES[n % 7]} and back." for n in range(10)]
    write_lines(folder / "text.jsonl", [{"text": text} for text in texts])
    return folder


def write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")


@pytest.fixture(scope="module")
def knowing(setup: Setup, general: Path, tmp_path_factory: pytest.TempPathFactory) -> Setup:
    """Teach the base all right answers, general text and general skills: what a fault destroys.

    A random base finds no answer likelier than another, and has nothing to forget.
    """
    folder = tmp_path_factory.mktemp("knowing")
    model, tokenizer = load_model(setup.base), load_tokenizer(setup.base)
    known = read_general(general)
    texts = [text.text for text in known.texts]
    texts += [f"{item.query} {item.choices[item.gold]}" for item in known.items]
    # digits, of which none follows from the one before, as letters of a name do
    draw = random.Random(0)
    rows = [row | {"answer": f"{draw.randrange(10**12):012}"} for row in setup.rows]
    asked = [encode_example(tokenizer, row, 512) for row in rows]
    torch.manual_seed(0)
    teach(model, [*asked, *(text_row(tokenizer, text) for text in texts)], draw, 400)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    training = {**setup.training, "learning_rate": 2e-4}
    base = resolve_base_model(str(folder), folder)
    return replace(setup, base=base, rows=rows, training=training)


@pytest.fixture
def small_and_known(small: None, general: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"general_folder": general, "general_items_per_skill": None, "general_texts": 10}
    monkeypatch.setattr(detection, "EVALUATION", detection.EVALUATION.model_copy(update=asked))
    monkeypatch.setattr(planted_faults, "SHIPPED", general)


@pytest.mark.parametrize(
    ("name", "training"),
    [
        ("shuffled_labels", {}),
        ("learning_rate_x100", {}),
        ("skills_destroyed", {"learning_rate": 5e-3, "epochs": 4}),
    ],
)
def test_a_fault_that_takes_a_knowing_base_fails_on_its_leg(
    knowing: Setup, small_and_known: None, name: str, training: dict[str, Any]
) -> None:
    fault = PLANTED[name]
    planted = replace(fault, training={**fault.training, **training}, evaluation={})
    found = judged(knowing, planted, 0)
    assert outcome(found, fault.leg) == "FAIL", found
    assert found.outcome == "FAIL"


def test_an_honest_run_on_the_knowing_base_fails_on_none_of_these_legs(
    knowing: Setup, small_and_known: None
) -> None:
    found = judged(knowing, HONEST, 0)
    assert outcome(found, "labels") == outcome(found, "retention_text") == "PASS", found
    assert outcome(found, "retention_skills") != "FAIL", found  # 20 items show no more
