from typing import Any

import pyarrow as pa
import pytest

from data_contracts.schemas import EXAMPLE, PREDICTION, blank_row
from tasks.robustness.compare import compare_forms
from tasks.robustness.config import RobustnessConfig
from tasks.robustness.variants import FORMS, ORIGINAL, row_of, variants

CONFIG = RobustnessConfig(rows=12, bootstrap_resamples=300)


def example(number: int, **changes: Any) -> dict[str, Any]:
    row = blank_row(EXAMPLE) | {
        "example_id": f"e|{number}",
        "kind": "definition",
        "context": "A ferry is a ship.",
        "question": f"What is ferry number {number} called?",
        "answer": "Anna.",
        "document_id": "d",
        "chunk_id": "c",
        "generator": "test",
        "group_id": f"g{number // 2}",
        "split": "test",
    }
    return row | changes


def table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=EXAMPLE)


def test_each_form_keeps_row_and_answer() -> None:
    rows = [example(n, question=f"What is the length of ferry {n}?") for n in range(20)]
    rows.append(example(99, split="train"))
    found = variants(table(rows), CONFIG).to_pylist()
    assert {row["kind"] for row in found} == {ORIGINAL, *FORMS}
    originals = {row_of(row["example_id"]) for row in found if row["kind"] == ORIGINAL}
    assert len(originals) == 12
    assert {row_of(row["example_id"]) for row in found} == originals
    assert {row["answer"] for row in found} == {"Anna."}
    assert {row["split"] for row in found} == {"test"}
    by_form = {form: [row for row in found if row["kind"] == form] for form in FORMS}
    assert all(row["context"] is None for row in by_form["reordered"])
    assert all(row["question"].endswith("A ferry is a ship.") for row in by_form["reordered"])
    asked = {row["question"] for row in found if row["kind"] == ORIGINAL}
    assert not asked & {row["question"] for form in FORMS for row in by_form[form]}
    assert variants(table(rows), CONFIG).equals(variants(table(rows[::-1]), CONFIG))


def test_a_row_without_passage_has_no_other_order() -> None:
    found = variants(table([example(1, context=None)]), CONFIG).to_pylist()
    assert "reordered" not in {row["kind"] for row in found}


def predictions(costs: dict[str, float], f1: float | None = None) -> pa.Table:
    blank = dict.fromkeys(PREDICTION.names)
    rows = [
        blank
        | {"set": "test", "name": form, "row_id": f"e{n}|{form}", "cluster": f"g{n // 2}"}
        | {"n_tokens": 5 + n, "cross_entropy": 1 + n / 10 + costs.get(form, 0.0), "token_f1": f1}
        for n in range(12)
        for form in (ORIGINAL, *FORMS)
    ]
    return pa.Table.from_pylist(rows, schema=PREDICTION)


def test_the_cost_of_each_form_and_what_training_added_to_it() -> None:
    base = predictions({"reworded": 0.2, "mistyped": 0.5})
    tuned = predictions({"reworded": 0.2, "mistyped": 1.5})
    found = {f.form: f for f in compare_forms(base, tuned, CONFIG).forms}
    assert set(found) == set(FORMS)
    assert {f.measure for f in found.values()} == {"cross_entropy"}  # nothing was generated
    assert found["reworded"].tuned.estimate == pytest.approx(0.2)
    assert found["reworded"].excess.estimate == pytest.approx(0.0)
    assert found["mistyped"].excess.low == pytest.approx(1.0)
    assert found["reordered"].base.estimate == pytest.approx(0.0)
    assert found["mistyped"].rows == 12


def test_written_answers_are_compared_where_there_are_any() -> None:
    found = compare_forms(predictions({}, 0.5), predictions({}, 0.5), CONFIG).forms
    assert [f.measure for f in found] == ["cross_entropy", "token_f1"] * 3
