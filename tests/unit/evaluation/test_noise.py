from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.errors import DatasetError
from data_contracts.results import Comparison, Delta, Interval
from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.general import GeneralSets
from tasks.evaluation.measure import measure_again
from tasks.evaluation.measured_model import MeasuredModel
from tasks.evaluation.noise import (
    floors_from_json,
    floors_to_json,
    noise_floors,
    repetition,
    with_noise_floors,
)
from tasks.evaluation.predict import predict
from tasks.modeling.chat import encode_example, prompt_ids
from tests.unit.evaluation.conftest import Tiny

CONFIG = EvaluationConfig(generated_rows=8, max_new_tokens=4, bootstrap_resamples=300)


def test_the_same_model_in_other_batches_differs_in_its_last_digits_alone(
    tiny: Tiny, examples: pa.Table, general: GeneralSets
) -> None:
    first = predict(tiny.model, tiny.tokenizer, examples, general, CONFIG).kept
    again = measure_again(tiny.model, tiny.tokenizer, examples, general, CONFIG)
    assert 0 < again.num_rows < first.num_rows
    floors = noise_floors(first, again, CONFIG)
    assert {("test", "cross_entropy"), ("general_text", "cross_entropy")} <= floors.keys()
    assert ("general_skill", "accuracy") in floors and ("test", "token_f1") in floors
    assert all(floor < 1e-4 for (_, name), floor in floors.items() if name == "cross_entropy")


@contextmanager
def seen_by(tiny: Tiny) -> Iterator[list[frozenset[tuple[int, ...]]]]:
    """Collect the batches that go through a model: the tokens of their rows, without padding."""
    batches: list[frozenset[tuple[int, ...]]] = []

    def note(_: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        ids = named["input_ids"] if "input_ids" in named else arguments[0]
        padding = tiny.tokenizer.pad_token_id
        rows = [tuple(token for token in row if token != padding) for row in ids.tolist()]
        if ids.shape[1] > 1:  # not the tokens that an answer is written by
            batches.append(frozenset(rows))

    hook = tiny.model.register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield batches
    finally:
        hook.remove()


@pytest.mark.parametrize("what", ["losses", "answers"])
def test_in_another_order_rows_have_other_neighbours_and_give_the_same(
    tiny: Tiny, examples: pa.Table, what: str
) -> None:
    asked = [row for row in examples.to_pylist() if row["parent_id"] is None][:12]
    rows = {
        "losses": [encode_example(tiny.tokenizer, row, 512) for row in asked],
        "answers": [prompt_ids(tiny.tokenizer, row) for row in asked],
    }[what]
    arguments = (rows, "rows") if what == "losses" else (rows,)

    def measured(order: int | None) -> tuple[list[Any], set[frozenset[tuple[int, ...]]]]:
        subject = MeasuredModel(tiny.model, tiny.tokenizer, CONFIG, order=order)
        with seen_by(tiny) as batches:
            found = getattr(subject, what)(*arguments)
        return found, {batch for batch in batches if len(batch) > 1}

    (found, batches), (again, others) = measured(None), measured(0)
    assert batches and others and not batches & others
    assert others != measured(1)[1]
    assert again == pytest.approx(found, rel=1e-4) if what == "losses" else again == found


def test_what_is_measured_again_is_in_another_order_and_written_answers_too(
    tiny: Tiny, examples: pa.Table, general: GeneralSets
) -> None:
    by_seed = []
    for seed in (0, 1):
        config = CONFIG.model_copy(update={"seed": seed})
        with seen_by(tiny) as batches:
            again = measure_again(tiny.model, tiny.tokenizer, examples, general, config)
        by_seed.append((batches, again))
    (first, one), (second, other) = by_seed
    assert first != second
    assert one["row_id"].to_pylist() == other["row_id"].to_pylist()
    written = repetition(CONFIG).generated_rows
    asked = sum(answer is not None for answer in one["generated"].to_pylist())
    assert asked == written == 2  # of two, each is answered alone, not beside the others
    answers = {row["question"]: row for row in examples.to_pylist() if row["split"] == "test"}
    prompts = [tuple(prompt_ids(tiny.tokenizer, row)) for row in answers.values()]
    alone = [frozenset([prompt]) for prompt in prompts]
    assert sum(batch in first for batch in alone) == written


def test_the_floor_is_what_the_repetition_changed(
    tiny: Tiny, examples: pa.Table, general: GeneralSets
) -> None:
    first = predict(tiny.model, tiny.tokenizer, examples, general, CONFIG).kept
    at = first.column_names.index("cross_entropy")
    field = first.schema.field(at)
    moved = pc.add(first.column(at), pa.scalar(0.25, field.type))
    again = first.set_column(at, field, moved)
    floors = noise_floors(first, again, CONFIG)
    assert floors["test", "cross_entropy"] == pytest.approx(0.25, abs=1e-4)
    assert floors["test", "token_f1"] == 0


def test_a_repetition_costs_less() -> None:
    few = repetition(EvaluationConfig())
    whole = EvaluationConfig()
    assert few.test_rows == whole.noise_rows < whole.test_rows / 10
    assert few.generated_rows <= whole.generated_rows / 10
    assert few.general_items_per_skill == 1
    assert few.validation_rows == few.train_rows == 0  # one row of them would give no floor
    assert few.scored_tokens_per_forward < whole.scored_tokens_per_forward


def delta(estimate: float, half: float, better: str = "lower") -> Delta:
    return Delta.model_validate(
        {
            "set": "test", "name": "all", "measure": "cross_entropy", "better": better,
            "rows": 9, "clusters": 9, "base": 1.0, "tuned": 1.0 + estimate,
            "delta": Interval(estimate=estimate, low=estimate - half, high=estimate + half),
        }
    )  # fmt: skip


def with_floor(found: Delta, *floors: float) -> Delta:
    comparison = Comparison(deltas=[found], gaps=[], improved=[], worsened=[])
    measured = [{("test", "cross_entropy"): floor} for floor in floors]
    return with_noise_floors(comparison, *measured, {("test", "token_f1"): 9.0}).deltas[0]


@pytest.mark.parametrize(
    ("estimate", "half", "better", "floors", "change"),
    [
        (-0.5, 0.1, "lower", (), "better"),
        (-0.5, 0.1, "higher", (), "worse"),
        (0.5, 0.1, "lower", (0.1,), "worse"),
        (-0.5, 0.6, "lower", (0.1,), "uncertain"),
        (-0.5, 0.1, "lower", (0.1, 0.5), "none"),  # the noisier of the two models counts
        (0.0, 0.1, "lower", (), "none"),
    ],
)
def test_a_difference_inside_the_floor_is_called_none(
    estimate: float, half: float, better: str, floors: tuple[float, ...], change: str
) -> None:
    found = with_floor(delta(estimate, half, better), *floors)
    assert found.change == change
    assert found.noise_floor == (max(floors) if floors else None)


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_more_noise_never_makes_a_change_certain(
    estimate: float, half: float, floor: float, more: float
) -> None:
    found = delta(estimate, half)
    noisier = with_floor(found, floor + more).change
    assert noisier in ("none", with_floor(found, floor).change)


def test_floors_are_kept_as_json() -> None:
    floors = {("test", "token_f1"): 0.125, ("general_text", "cross_entropy"): 1e-6}
    assert floors_from_json(floors_to_json(floors)) == floors
    with pytest.raises(DatasetError, match="damaged"):
        floors_from_json("[{}]")
