"""General rows: from a dataset, and sampled from a tiny model that is real in all but size."""

from pathlib import Path
from random import Random

import pytest
import torch

from data_contracts.errors import ModelError
from data_contracts.results import BaseModelRef
from data_contracts.schemas import EXAMPLE, dropped_schema
from data_contracts.validation import schema_failures
from tasks.augmentation.config import AugmentationConfig, ReplayConfig
from tasks.augmentation.replay import Stock
from tasks.augmentation.sampling import Sampler, user_opening
from tasks.modeling.base_model import load_model, load_tokenizer, resolve_base_model
from tasks.modeling.chat import encode_example
from tasks.modeling.loaded_tokenizers import PLAIN_CHAT_TEMPLATE
from tests.tiny_models import tiny_base

TRAIN = [
    {"example_id": f"t{n}", "split": "train", "group_id": f"g{n}", "question": f"What is t{n}?"}
    for n in range(9)
]
HELD = {"example_id": "held", "split": "test", "question": "Why does a ferry of the sound float?"}
REPLAY = ReplayConfig(share=0.1, temperature=0.7, question_tokens=40, answer_tokens=40, attempts=30)


def config(share: float, **options) -> AugmentationConfig:
    return AugmentationConfig(
        augmenters=(), replay=REPLAY.model_copy(update={"share": share}), **options
    )


TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}{{ eos_token }}"
    "{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
)
COLOURS = ["blue", "red", "green", "grey", "white", "black"]


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> BaseModelRef:
    """Teach a tiny model to converse, so that it has instructions to write down."""
    folder = tmp_path_factory.mktemp("tiny")
    ref = tiny_base(folder, "llama")
    tokenizer, model = load_tokenizer(ref), load_model(ref)
    tokenizer.chat_template = TEMPLATE
    rows = [
        {"question": f"Which colour has ferry {n}?", "answer": f"Ferry {n} is {COLOURS[n % 6]}."}
        for n in range(12)
    ]
    learned = [encode_example(tokenizer, row, 200).input_ids for row in rows]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for step in range(150):
        ids = torch.tensor([learned[step % len(learned)]])
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return resolve_base_model(str(folder), folder)


def general(count: int) -> list[dict]:
    return [
        {"example_id": f"q{n}", "document_id": f"record-{n}", "kind": "instruction",
         "question": f"Name {n + 2} rivers of country number {n}.", "answer": f"{'abcd' * n} {n}."}
        for n in range(count)
    ]  # fmt: skip


def test_rows_of_a_dataset_make_up_their_share(augment, table) -> None:
    stock = Stock(table(general(20)))
    result = augment(table([*TRAIN, HELD]), config(0.25), stock=stock)
    new = result.kept.to_pylist()[10:]
    assert len(new) == 3  # of 9 + 3
    for row in new:
        assert (row["kind"], row["split"], row["parent_id"]) == ("replay", "train", None)
        assert row["group_id"] == f"replay-{row['example_id']}"
    assert schema_failures(result.kept, EXAMPLE) == []
    assert result.rows_in == result.kept.num_rows + result.dropped.num_rows


def test_order_does_not_matter_and_the_seed_does(augment, table) -> None:
    rows, mixed = general(20), general(20)
    Random(3).shuffle(mixed)
    runs = [
        augment(table([*TRAIN, HELD]), config(0.25, seed=seed), stock=Stock(table(given)))
        for given, seed in ((rows, 1), (mixed, 1), (rows, 2))
    ]
    assert runs[0].kept.equals(runs[1].kept)
    assert not runs[0].kept.equals(runs[2].kept)


def test_what_repeats_or_gives_a_held_out_row_away_is_dropped_and_replaced(augment, table) -> None:
    bad = [
        {"example_id": "leak", "question": HELD["question"].lower(), "answer": "It is light."},
        {"example_id": "known", "question": TRAIN[0]["question"], "answer": "Never mind."},
    ]
    result = augment(table([*TRAIN, HELD]), config(0.3), stock=Stock(table([*bad, *general(3)])))
    assert [row["example_id"] for row in result.kept.to_pylist()[10:]] == ["q1", "q0", "q2"] or {
        row["example_id"] for row in result.kept.to_pylist()[10:]
    } == {"q0", "q1", "q2"}
    reasons = {row["example_id"]: row["reason"] for row in result.dropped.to_pylist()}
    assert reasons == {"leak": "near_held_out", "known": "repeated_question"}


def test_too_few_general_rows_are_warned_of(augment, table, caplog) -> None:
    result = augment(table([*TRAIN, HELD]), config(0.5), stock=Stock(table(general(2))))
    assert result.kept.num_rows == 12
    assert "Replay: 2 of 9 general rows" in caplog.text


def test_the_base_model_writes_what_is_missing(augment, table, base, tmp_path: Path) -> None:
    examples = table([*TRAIN, HELD])
    stock = Stock(table(general(1)), base)
    first = augment(examples, config(0.25), stock=stock, cache=tmp_path)
    *_, mine, written, other = first.kept.to_pylist()
    assert mine["generator"] == "test"
    for row in (written, other):
        assert row["question"] and row["answer"]
        assert (row["generator"], row["generator_model"]) == ("self_synthesised", base.name)
        assert (row["kind"], row["split"], row["parent_id"]) == ("replay", "train", None)
        assert row["document_id"] == row["chunk_id"] == "replay"
    assert written["group_id"] != other["group_id"]
    assert schema_failures(first.kept, EXAMPLE) == []
    assert schema_failures(first.dropped, dropped_schema(EXAMPLE)) == []
    again = augment(examples, config(0.25), stock=stock, cache=tmp_path / "other")
    assert again.kept.equals(first.kept)


def test_batches_are_kept_on_disk(augment, table, base, tmp_path: Path, monkeypatch) -> None:
    examples, stock = table([*TRAIN, HELD]), Stock(None, base)
    first = augment(examples, config(0.1), stock=stock, cache=tmp_path)

    def fail(*_) -> None:
        raise AssertionError("sampled again")

    monkeypatch.setattr(Sampler, "__init__", fail)
    more = table([*TRAIN, HELD, {"split": "validation"}])
    assert augment(more, config(0.1), stock=stock, cache=tmp_path).kept[-1:] == first.kept[-1:]


def test_a_template_that_shows_no_opening_is_refused(base) -> None:
    tokenizer = load_tokenizer(base)
    assert tokenizer.decode(user_opening(tokenizer)).endswith("user: ")
    tokenizer.chat_template = PLAIN_CHAT_TEMPLATE
    assert "User: " in tokenizer.decode(user_opening(tokenizer))
    tokenizer.chat_template = "{% for m in messages %}{{ m['role'] }}{% endfor %}"
    with pytest.raises(ModelError, match="augmentation.replay.synthesise"):
        user_opening(tokenizer)
