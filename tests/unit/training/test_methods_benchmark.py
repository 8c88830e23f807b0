"""The table of methods beside the literature: figures of a real run, and how claims are judged."""

from math import inf
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.methods import NAMES, cases
from benchmarks.methods_claims import CLAIMS, EQUAL, Claim, change, more_forgotten, more_gain, told
from benchmarks.methods_page import render, scatter
from benchmarks.methods_run import ROUNDS, measure
from data_contracts.results import Interval
from data_contracts.schemas import EXAMPLE, blank_row
from tasks.modeling.base_model import load_model
from tasks.modeling.shapes import shapes_of
from tasks.training.config import TrainingConfig
from tasks.training.method import METHODS
from tests.tiny_models import tiny_base

SPLITS = ["train"] * 8 + ["validation"] * 2 + ["test"] * 4


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process of the benchmark measures, on a tiny model."""
    folder = tmp_path_factory.mktemp("methods")
    cells = {"kind": "fact", "chunk_id": "c", "generator": "fact", "question": "What is a ferry?"}
    rows = [
        blank_row(EXAMPLE)
        | cells
        | {
            "example_id": f"e{number}",
            "document_id": f"d{number}",
            "answer": "A ferry is a ship that carries cars" + " and people" * (number % 3) + ".",
            "split": split,
        }
        for number, split in enumerate(SPLITS)
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=EXAMPLE), folder / "rows.parquet")
    options = {"method": {"method": "lora", "rank": 4}, "learning_rate": 2e-2, "batch_size": 4}
    training = TrainingConfig.model_validate(options | {"epochs": 3, "evaluations_per_epoch": 1})
    return measure(
        {
            "base": tiny_base(folder / "base", "gemma3").model_dump(mode="json"),
            "training": training.model_dump(mode="json"),
            "rows": str(folder / "rows.parquet"),
            "texts": 2,
        }
    )


def test_a_run_measures_cost_speed_latency_gain_and_forgetting(figures: dict[str, Any]) -> None:
    assert figures["merged_parameters"] == figures["base_parameters"]
    assert figures["trainable"] < figures["total"]
    assert figures["tokens_per_second"] > 0 and figures["stored_bytes"] > 0
    for name in ("base", "unmerged", "merged"):
        rounds = figures[f"latency_{name}_rounds"]
        assert len(rounds) == ROUNDS and min(rounds) > 0
        assert figures[f"latency_{name}"] == sorted(rounds)[ROUNDS // 2]
    assert len(figures["test_clusters"]) == len(figures["test_tokens"]) == SPLITS.count("test")
    assert len(figures["general_tokens"]) == 2
    gain = change(figures, "test", falls=True)
    assert gain.estimate == pytest.approx(figures["test_base"] - figures["test_tuned"])
    assert 0 < gain.low < gain.estimate < gain.high
    forgotten = change(figures, "general", falls=False)
    assert forgotten.estimate == pytest.approx(figures["general_tuned"] - figures["general_base"])


def test_the_page_shows_what_was_measured_and_judges_only_what_can_be(
    figures: dict[str, Any],
) -> None:
    page = render({"lora": figures}, "How.")
    (line,) = [line for line in page.splitlines() if line.startswith("| lora |")]
    assert line.count("|") == 11 and line.endswith("| yes |")
    assert f"| {told(figures, 'merged').estimate:.2f} |" in line
    assert "A merged LoRA answers as fast as its base" in page
    assert "DoRA" not in page and "WeGeFT" not in page
    assert scatter({"lora": figures}).count("<circle") == 1


def rows(before: list[float], after: list[float], tokens: list[int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for what in ("test", "general"):
        found[f"{what}_base_rows"], found[f"{what}_tuned_rows"] = before, after
        found[f"{what}_tokens"] = tokens
    return found


def test_long_rows_count_for_more_and_signs_are_those_of_the_words() -> None:
    base, tokens = [2.0, 2.0, 2.0, 2.0], [30, 30, 30, 10]
    learns = rows(base, [1.0, 1.0, 1.0, 2.0], tokens)
    forgets = rows(base, [2.5, 2.5, 2.5, 2.5], tokens)
    assert change(learns, "test", falls=True).estimate == pytest.approx(0.9)
    assert change(forgets, "general", falls=False).estimate == pytest.approx(0.5)
    assert more_gain(learns, forgets).estimate == pytest.approx(1.4)
    assert more_forgotten(forgets, learns).estimate == pytest.approx(1.4)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.1, 0.3, "agrees"), (-0.3, -0.1, "CONTRADICTS"), (-0.1, 0.3, "does not tell")],
)
def test_a_claim_is_judged_by_the_whole_interval(low: float, high: float, verdict: str) -> None:
    def value(_found: Any) -> Interval:
        return Interval(estimate=(low + high) / 2, low=low, high=high)

    claim = Claim("One is more", ("one",), value, 0, inf, "nats")
    assert claim.judged({"one": {}}).endswith(f"nats. Our run {verdict}.")


def test_claims_name_methods_that_are_measured_and_lora_is_as_large_as_wegeft(
    tmp_path: Path,
) -> None:
    shapes = shapes_of(load_model(tiny_base(tmp_path, "gemma3")))
    methods = cases(shapes)
    assert list(methods) == NAMES
    assert {name for claim in CLAIMS for name in claim.methods} <= set(NAMES)
    sizes = {
        name: METHODS.get(methods[name]["method"])
        .model_validate(methods[name])
        .trainable_parameters(shapes)
        for name in ("wegeft", EQUAL)
    }
    assert sizes[EQUAL] == pytest.approx(sizes["wegeft"], rel=0.1)
