from pathlib import Path

import pyarrow as pa
import pytest

from tasks.evaluation import measured_model
from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.general import GeneralSets
from tasks.evaluation.measure import measure
from tasks.evaluation.predict import predict
from tasks.evaluation.remembered import Memory, base_memory
from tests.unit.evaluation.conftest import Tiny

CONFIG = EvaluationConfig(
    generated_rows=2, max_new_tokens=3, bootstrap_resamples=200, noise_rows=8, test_rows=9
)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Count the rows that a model is given, by what is measured."""
    counts = {"summed_losses": 0, "generate_answers": 0, "choice_scores": 0}
    for name in counts:
        real = getattr(measured_model, name)
        at = 2 if name == "generate_answers" else 1

        def counted(*given, real=real, name=name, at=at):
            counts[name] += len(given[at])
            return real(*given)

        monkeypatch.setattr(measured_model, name, counted)
    return counts


def test_only_new_rows_are_measured(tmp_path: Path) -> None:
    asked: list[list[str]] = []

    def lengths(rows: list[str]) -> list[int]:
        asked.append(rows)
        return [len(row) for row in rows]

    for rows in (["a", "bb", "a"], ["bb", "ccc"], ["ccc"]):
        with base_memory(tmp_path, "model", None) as memo:
            found = Memory(memo).measured(("length",), rows, str, lengths)
        assert found == [len(row) for row in rows]
    assert asked == [["a", "bb"], ["ccc"]]


def test_measurements_go_by_pass_and_options_and_model_and_split(tmp_path: Path) -> None:
    def kept(fingerprint: str, split: str | None, part: str, limit: int, value: int) -> object:
        with base_memory(tmp_path, fingerprint, split) as memo:
            memory = Memory(memo, part)
            memory.measured(("x", 1), ["row"], str, lambda _: [0])
            return memory.measured(("x", limit), ["row"], str, lambda _: [value])[0]

    assert kept("m", None, "first", 2, 7) == 7
    assert kept("m", None, "first", 2, 8) == 7
    assert kept("m", None, "first", 3, 9) == 9
    assert kept("m", None, "again", 2, 10) == 10
    assert kept("m", "test", "first", 2, 11) == 11
    assert kept("other", None, "first", 2, 12) == 12


def test_what_is_remembered_is_what_was_measured(
    tiny: Tiny, examples: pa.Table, general: GeneralSets, tmp_path: Path, seen: dict[str, int]
) -> None:
    plain = predict(tiny.model, tiny.tokenizer, examples, general, CONFIG).kept
    tables = []
    for _ in range(2):
        before = dict(seen)
        with base_memory(tmp_path, "model", None) as memo:
            given = (tiny.model, tiny.tokenizer, examples, general, CONFIG, Memory(memo))
            tables.append(predict(*given).kept)
    assert tables[0] == tables[1] == plain
    assert seen == before  # the second time, nothing was measured


def test_a_larger_test_set_of_a_base_costs_its_new_rows(
    tiny: Tiny, examples: pa.Table, general: GeneralSets, tmp_path: Path, seen: dict[str, int]
) -> None:
    few = examples.slice(0, examples.num_rows - 4)  # three training rows and a reworded one
    measure(tiny.base, few, general, CONFIG, None, tmp_path)
    assert all(seen.values())
    before = dict(seen)
    first = measure(tiny.base, examples, general, CONFIG, None, tmp_path)
    added = {name: seen[name] - count for name, count in before.items()}
    assert added == {"summed_losses": 3, "generate_answers": 0, "choice_scores": 0}
    assert {"e27", "e28", "e29"} <= set(first.kept["row_id"].to_pylist())
    assert "noise.json" in first.artifacts
