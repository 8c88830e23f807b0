"""A tiny model that learned its rows by heart, beside the one that never saw them."""

from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest

from data_contracts.dataset import StageResult
from data_contracts.errors import TooFewRows
from data_contracts.schemas import EXAMPLE, MEMORY, blank_row
from data_contracts.validation import schema_failures
from tasks.evaluation.remembered import Memory, base_memory
from tasks.memorisation import measure as measuring
from tasks.memorisation.compare import compare_memory
from tasks.memorisation.config import MemorisationConfig
from tasks.memorisation.measure import measure
from tasks.modeling.base_model import load_model, load_tokenizer
from tasks.modeling.canary import CANARY, CanaryConfig, make_canaries
from tasks.modeling.tuned import WEIGHTS
from tasks.training.canaries import with_canaries
from tasks.training.config import TrainingConfig
from tasks.training.train import encode_split, train_model
from tests.tiny_models import tiny_base

CONFIG = MemorisationConfig(alternatives=63, bootstrap_resamples=200)
CANARIES = CanaryConfig(count=2, repetitions=4)


class Measured(NamedTuple):
    base: StageResult
    tuned: StageResult


def make_examples() -> pa.Table:
    """Return 12 rows in each split, each with an answer that nothing foretells."""
    names = ["Anna", "Bert", "Cara", "Dirk", "Emil", "Fine", "Gerd", "Hans", "Ines", "Jens",
             "Kuno", "Lara"]  # fmt: skip
    places = ["quay", "deck", "mast", "sail"]
    rows = [
        blank_row(EXAMPLE)
        | {
            "example_id": f"{split}{number}",
            "kind": "fact",
            "context": "A passage that is not shown." if number == 1 else None,
            "question": f"Who is at the {places[number % 4]} at {number}?",
            "answer": f"{name} sits at the {places[number % 3]} and sings of {names[-number]}.",
            "document_id": "d",
            "chunk_id": "c",
            "generator": "test",
            "group_id": f"{split}-{number // 2}",
            "split": split,
        }
        for split in ("train", "validation", "test")
        for number, name in enumerate(names if split == "train" else names[::-1])
    ]
    return pa.Table.from_pylist(rows, schema=EXAMPLE)


EXAMPLES = make_examples()


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """Train on the rows until they are known by heart; validation rows are training rows."""
    base = tiny_base(tmp_path_factory.mktemp("base"), "llama")
    options = {"method": {"method": "full"}, "learning_rate": 5e-3, "epochs": 40, "batch_size": 8}
    options |= {"evaluations_per_epoch": 1, "patience": 99, "canaries": CANARIES}
    config = TrainingConfig.model_validate(options)
    train = EXAMPLES.slice(0, 12)
    copies = [row | {"split": "validation"} for row in train.to_pylist()]
    rows = pa.concat_tables([train, pa.Table.from_pylist(copies, schema=EXAMPLE)])
    folder = tmp_path_factory.mktemp("tuned")
    train_model(rows, base, config, folder, lambda point: None)
    tokenizer = load_tokenizer(base)
    models: list[Any] = [load_model(base), load_model(base)]
    models[1] = config.method.load(models[1], folder / WEIGHTS)
    found = [measure(model, tokenizer, EXAMPLES, CANARIES, CONFIG) for model in models]
    return Measured(*found)


def test_every_row_is_told_in_the_schema(measured: Measured) -> None:
    for result in measured:
        assert schema_failures(result.kept, MEMORY) == []
        assert result.rows_in == result.kept.num_rows == 26
    asked = [row for row in measured.tuned.kept.to_pylist() if row["generated"] is not None]
    assert {row["set"] for row in asked} == {"train"}
    assert all("passage" not in row["prompt"] for row in asked)


def test_what_was_learned_by_heart_is_found_and_what_was_not_is_not(measured: Measured) -> None:
    found = compare_memory(measured.base.kept, measured.tuned.kept, CONFIG)
    assert found.copied is not None and found.copied.base == 0
    assert found.copied.tuned > 0.3
    assert found.copying.low > 0.2  # the gate's margin: a FAIL
    assert found.membership["loss"].tuned > 0.9
    assert found.membership["loss"].delta.low > 0
    assert found.common_words is not None and found.common_words.delta.estimate > 1
    longest = found.examples[0]
    assert longest.tuned.startswith(longest.reference)


def test_planted_secrets_are_exposed_in_the_model_that_saw_them(measured: Measured) -> None:
    found = compare_memory(measured.base.kept, measured.tuned.kept, CONFIG)
    assert found.canaries == 2
    assert min(canary.tuned for canary in found.planted) > 10
    assert max(canary.base for canary in found.planted) < 10


def test_canaries_are_marked_and_leave_the_rows_as_they_are(tmp_path: Path) -> None:
    planted = with_canaries(EXAMPLES, CANARIES)
    assert planted.slice(0, EXAMPLES.num_rows).equals(EXAMPLES)
    rows = planted.to_pylist()[EXAMPLES.num_rows :]
    assert len(rows) == 8
    assert {(row["kind"], *row["flags"], row["split"]) for row in rows} == {
        (CANARY, CANARY, "train")
    }
    assert {row["answer"] for row in rows} == {c.answer for c in make_canaries(CANARIES)}
    assert make_canaries(CANARIES) == make_canaries(CANARIES.model_copy())
    base = tiny_base(tmp_path, "llama")
    encoded = encode_split(load_tokenizer(base), planted, "train", TrainingConfig())
    assert len(encoded) == 12 + 8


def test_too_long_rows_drop_out_with_a_reason(tmp_path: Path) -> None:
    base = tiny_base(tmp_path, "llama")
    config = CONFIG.model_copy(update={"max_length": 16})
    found = measure(load_model(base), load_tokenizer(base), EXAMPLES, CanaryConfig(), config)
    assert found.kept.num_rows == 0
    assert set(found.dropped["reason"].to_pylist()) == {"too_long"}
    assert found.rows_in == found.dropped.num_rows == 24


def test_without_training_rows_there_is_nothing_to_ask(tmp_path: Path) -> None:
    base = tiny_base(tmp_path, "llama")
    held_out = EXAMPLES.slice(24)
    with pytest.raises(TooFewRows, match="no training row"):
        measure(load_model(base), load_tokenizer(base), held_out, CanaryConfig(), CONFIG)


def test_of_a_known_base_only_new_rows_are_measured(
    measured: Measured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    for name in ("losses_by_token", "generate_answers"):
        real = getattr(measuring, name)
        at = 1 if name == "losses_by_token" else 2
        monkeypatch.setattr(
            measuring,
            name,
            lambda *given, real=real, at=at: asked.append(len(given[at])) or real(*given),
        )
    base = tiny_base(tmp_path / "base", "llama")
    model, tokenizer = load_model(base), load_tokenizer(base)
    tables = []
    for rows in (EXAMPLES.slice(1), EXAMPLES, EXAMPLES):
        with base_memory(tmp_path / "cache", base.fingerprint, None) as memo:
            given = (model, tokenizer, rows, CanaryConfig(), CONFIG, Memory(memo))
            tables.append(measure(*given).kept)
    plain = measure(model, tokenizer, EXAMPLES, CanaryConfig(), CONFIG).kept
    assert tables[1] == tables[2]
    assert [row["generated"] for row in tables[2].to_pylist()] == [
        row["generated"] for row in plain.to_pylist()
    ]
    assert tables[2].column("cross_entropy").to_pylist() == pytest.approx(
        plain.column("cross_entropy").to_pylist(), abs=1e-5
    )
    # train losses, test losses, continuations: all; then the one new row; then none
    assert asked == [11, 12, 11, 1, 1, 12, 12, 12]
