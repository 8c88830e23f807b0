import math

import pyarrow as pa
import pytest
import torch

from data_contracts.errors import ModelError
from data_contracts.schemas import PREDICTION, dropped_schema
from data_contracts.validation import schema_failures
from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.general import ChoiceItem, GeneralSets, TextItem
from tasks.evaluation.predict import pick, predict
from tasks.modeling.base_model import load_model
from tests.unit.evaluation.conftest import Tiny, make_examples

CONFIG = EvaluationConfig(generated_rows=4, max_new_tokens=5, test_rows=7)


def rows_of(table: pa.Table, set_: str) -> list[dict]:
    return [row for row in table.to_pylist() if row["set"] == set_]


def test_every_set_is_measured_in_the_schema(
    tiny: Tiny, examples: pa.Table, general: GeneralSets
) -> None:
    result = predict(tiny.model, tiny.tokenizer, examples, general, CONFIG)
    assert schema_failures(result.kept, PREDICTION) == []
    assert schema_failures(result.dropped, dropped_schema(PREDICTION)) == []
    counts = {
        set_: len(rows_of(result.kept, set_))
        for set_ in ("test", "validation", "train", "general_text", "general_skill")
    }
    assert counts == {
        "test": 7,
        "validation": 9,
        "train": 12,
        "general_text": 4,
        "general_skill": 5,
    }
    assert result.rows_in == sum(counts.values())
    parts = ("answers", "generation", "general_text", "general_skill")
    assert set(result.figures) == {
        f"{clock}.{part}" for clock in ("seconds", "processor_seconds") for part in parts
    }
    answered = [row for row in result.kept.to_pylist() if row["generated"] is not None]
    assert len(answered) == 4
    assert {row["set"] for row in answered} == {"test"}
    assert all(None not in (r["token_f1"], r["exact_match"], r["stopped"]) for r in answered)


def test_rows_know_their_group_kind_prompt_and_reference(
    tiny: Tiny, examples: pa.Table, general: GeneralSets
) -> None:
    kept = predict(tiny.model, tiny.tokenizer, examples, general, CONFIG).kept
    source = {row["example_id"]: row for row in examples.to_pylist()}
    for row in rows_of(kept, "test"):
        example = source[row["row_id"]]
        assert (row["cluster"], row["name"]) == (example["group_id"], example["kind"])
        assert row["reference"] == example["answer"]
        assert example["question"] in row["prompt"]
    for row in rows_of(kept, "general_skill"):
        assert row["cluster"] == row["row_id"]
        assert row["correct"] is not None


def test_augmented_rows_do_not_count(tiny: Tiny, examples: pa.Table, general: GeneralSets) -> None:
    kept = predict(tiny.model, tiny.tokenizer, examples, general, CONFIG).kept
    assert "e0-reworded" not in kept["row_id"].to_pylist()


def test_general_rows_do_not_count(tiny: Tiny, general: GeneralSets) -> None:
    mixed = make_examples(lambda row: row | {"kind": "replay" if row["split"] == "train" else "x"})
    kept = predict(tiny.model, tiny.tokenizer, mixed, general, CONFIG).kept
    assert rows_of(kept, "train") == []
    assert len(rows_of(kept, "test")) == 7


def test_the_same_rows_are_chosen_for_every_model(
    tiny: Tiny, examples: pa.Table, general: GeneralSets
) -> None:
    other = load_model(tiny.base)
    for parameter in other.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    shuffled = examples.take(list(reversed(range(examples.num_rows))))
    first = predict(tiny.model, tiny.tokenizer, examples, general, CONFIG).kept
    second = predict(other, tiny.tokenizer, shuffled, general, CONFIG).kept
    same = ["set", "row_id", "cluster", "n_tokens"]
    assert first.select(same).to_pylist() == second.select(same).to_pylist()
    answered = [table["generated"].is_valid().to_pylist() for table in (first, second)]
    assert answered[0] == answered[1]
    assert first["cross_entropy"] != second["cross_entropy"]


def test_subsets_of_general_sets_are_taken_per_skill(
    tiny: Tiny, examples: pa.Table, general: GeneralSets
) -> None:
    config = CONFIG.model_copy(update={"general_items_per_skill": 1, "general_texts": 2})
    kept = predict(tiny.model, tiny.tokenizer, examples, general, config).kept
    assert [row["name"] for row in rows_of(kept, "general_skill")] == ["capitals", "colours"]
    assert len(rows_of(kept, "general_text")) == 2


def test_what_is_too_long_is_dropped_with_its_reason(tiny: Tiny) -> None:
    examples = make_examples(
        lambda row: row | {"answer": "cars and " * 99} if row["example_id"] == "e6" else row
    )
    long = ChoiceItem("long", "skill", "The ferry. " * 60, ("blue", "red"), 0)
    short = ChoiceItem("short", "skill", "The ferry.", ("blue", "red"), 0)
    text = TextItem("text", "prose", "The ferry. " * 60)
    update = {"max_length": 128, "test_rows": 99, "general_text_tokens": None}
    config = CONFIG.model_copy(update=update)
    result = predict(
        tiny.model, tiny.tokenizer, examples, GeneralSets((long, short), (text,)), config
    )
    dropped = {row["row_id"]: row for row in result.dropped.to_pylist()}
    assert set(dropped) == {"e6", "long"}
    assert {row["reason"] for row in dropped.values()} == {"too_long"}
    assert "more than evaluation.max_length 128" in dropped["e6"]["detail"]
    assert result.rows_in == result.kept.num_rows + 2
    (prose,) = rows_of(result.kept, "general_text")  # cut into windows, so never too long
    assert prose["n_tokens"] > 128


def test_a_tie_is_not_correct(tiny: Tiny, examples: pa.Table) -> None:
    same = ChoiceItem("tie", "skill", "The ferry is", ("blue", "blue"), 0)
    result = predict(tiny.model, tiny.tokenizer, examples, GeneralSets((same,), ()), CONFIG)
    assert [row["correct"] for row in rows_of(result.kept, "general_skill")] == [False]


def test_a_diverged_model_is_refused(tiny: Tiny, examples: pa.Table, general: GeneralSets) -> None:
    broken = load_model(tiny.base)
    broken.get_input_embeddings().weight.data.fill_(math.nan)
    with pytest.raises(ModelError, match="not finite"):
        predict(broken, tiny.tokenizer, examples, general, CONFIG)


def test_pick_depends_on_identifiers_alone() -> None:
    names = [f"row {number}" for number in range(50)]
    some = pick(names, str, 10)
    assert pick(reversed(names), str, 10) == some
    assert pick(names, str, 20)[:10] == some  # more rows keep the fewer
    assert pick(names, str, None) != names
    assert len(pick(names, str, None)) == 50
