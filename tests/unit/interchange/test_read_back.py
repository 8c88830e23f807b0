"""What is exported is read by the libraries it is for, and says there what it says here."""

import json

import datasets
import pandas as pd
import pyarrow.dataset as ds
import pytest
from openai.types.chat import ChatCompletionMessageParam
from pydantic import TypeAdapter

from tasks.interchange.card import Origin, write_card
from tasks.interchange.export import export_examples
from tasks.interchange.format import FORMATS
from tasks.modeling.chat import prompt_messages
from tests.unit.interchange.conftest import manifest

SYSTEM = {"role": "system", "content": "Be brief."}
EARLIER = [{"role": "user", "content": "Who signs?"}, {"role": "assistant", "content": "Ann."}]


@pytest.fixture
def examples(table):
    return table(
        [
            {"split": "train", "question": "Who pays?", "answer": "Ben \u2028 does."},
            {"split": "train", "context": "Ann pays.\n\nBen signs.", "answer": "Ann."},
            {"split": "train", "history": [SYSTEM, *EARLIER], "question": "And if she is away?"},
            {"split": "test", "history": [SYSTEM], "context": "Two days.", "answer": "Two."},
        ]
    )


@pytest.fixture
def exported(examples, tmp_path):
    """Export in a form and return the folder."""

    def run(name):
        form = FORMATS.get(name)()
        files = export_examples(examples, form, tmp_path / name)
        write_card(examples, form, files, Origin(manifest()))
        return tmp_path / name

    return run


@pytest.fixture
def loaded(exported, tmp_path, monkeypatch):
    """Export in a form and load it with `datasets`, by the card beside it."""
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)

    def run(name):
        return datasets.load_dataset(str(exported(name)), cache_dir=str(tmp_path / "cache"))

    return run


def whole(row):
    """Return the conversation that a row is trained on."""
    return [*prompt_messages(row), {"role": "assistant", "content": row["answer"]}]


def expected(examples, split):
    return [whole(row) for row in examples.to_pylist() if row["split"] == split]


def without_weight(messages):
    return [{"role": m["role"], "content": m["content"]} for m in messages]


def test_openai_is_read_by_datasets_and_trl(examples, loaded):
    from trl.data_utils import is_conversational

    parts = loaded("openai")
    for split in ("train", "test"):
        assert is_conversational(parts[split][0])
        read = [without_weight(record["messages"]) for record in parts[split]]
        assert read == expected(examples, split)


def test_openai_is_templated_by_trl_as_we_template_it(examples, loaded, tmp_path):
    from trl.data_utils import apply_chat_template

    from tasks.modeling.base_model import load_tokenizer
    from tests.tiny_models import tiny_base

    tokenizer = load_tokenizer(tiny_base(tmp_path / "model", "llama"))
    ours = [
        tokenizer.apply_chat_template(messages, tokenize=False)
        for messages in expected(examples, "train")
    ]
    theirs = [apply_chat_template(record, tokenizer) for record in loaded("openai")["train"]]
    assert [record["text"] for record in theirs] == ours


def test_prompt_and_completion_are_read_by_trl(examples, loaded):
    from trl.data_utils import is_conversational

    part = loaded("prompt_completion")["train"]
    assert is_conversational(part[0])
    read = [without_weight([*r["prompt"], *r["completion"]]) for r in part]
    assert read == expected(examples, "train")


def test_sharegpt_is_read_by_datasets_and_converted_by_trl(examples, loaded):
    from trl.data_utils import is_conversational_from_value, maybe_convert_to_chatml

    part = loaded("sharegpt")["train"]
    assert is_conversational_from_value(part[0])
    names = {"human": "user", "gpt": "assistant", "system": "system"}
    read = [maybe_convert_to_chatml(record)["messages"] for record in part]
    read = [[{**m, "role": names.get(m["role"], m["role"])} for m in turns] for turns in read]
    assert read == expected(examples, "train")
    assert part["id"] == [row["example_id"] for row in examples.to_pylist()[:3]]


def test_alpaca_is_read_by_datasets(examples, loaded):
    parts = loaded("alpaca")
    assert parts["train"].column_names == ["instruction", "input", "output", "system", "history"]
    assert parts["test"].column_names == parts["train"].column_names
    rows = examples.to_pylist()
    assert parts["train"]["instruction"] == [row["question"] for row in rows[:3]]
    assert parts["train"]["input"] == ["", "Ann pays.\n\nBen signs.", ""]
    assert parts["train"]["history"][2] == [["Who signs?", "Ann."]]
    assert parts["test"]["history"][0] == []
    assert parts["test"]["system"][0] == "Be brief."


@pytest.mark.parametrize("name", ["alpaca", "openai"])
def test_what_only_the_last_split_has_is_read_by_datasets(name, table, tmp_path, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    rows = table([{"split": "train"}, {"split": "test", "history": [SYSTEM, *EARLIER]}])
    form = FORMATS.get(name)()
    write_card(rows, form, export_examples(rows, form, tmp_path / name), Origin(manifest()))
    parts = datasets.load_dataset(str(tmp_path / name), cache_dir=str(tmp_path / "cache"))
    assert [part.num_rows for part in parts.values()] == [1, 1]
    if name == "alpaca":  # without types in the card, empty lists are lists of nothing
        assert parts["test"]["history"][0] == [["Who signs?", "Ann."]]


def test_parquet_is_read_by_datasets_pandas_and_arrow(examples, loaded, exported, tmp_path):
    parts = loaded("parquet")
    rows = examples.to_pylist()
    assert parts["train"].to_list() == rows[:3]
    assert parts["test"].to_list() == rows[3:]
    folder = tmp_path / "parquet"
    frame = pd.read_parquet(folder / "train.parquet")
    assert frame["question"].tolist() == [row["question"] for row in rows[:3]]
    assert ds.dataset(folder / "test.parquet").to_table().equals(examples.slice(3, 1))


def chat_problems(line):
    """Return what breaks OpenAI's published rules for a fine-tuning file of chats.

    The rules are those of its guide and of its data preparation cookbook: one JSON object a
    line with a list of messages, known roles and keys, text in every message, `weight` 0 or 1
    and on assistant messages only, and an assistant message at the end.
    """
    record = json.loads(line)
    if not isinstance(record, dict) or set(record) != {"messages"}:
        return ["not an object with messages alone"]
    messages = record["messages"]
    if not isinstance(messages, list) or not messages:
        return ["no messages"]
    return [*_order_problems(messages), *(p for m in messages for p in _message_problems(m))]


def _order_problems(messages):
    if messages[-1]["role"] != "assistant":
        yield "does not end with the assistant"
    if messages[-1].get("weight", 1) != 1:
        yield "the last answer is not learned"
    if "user" not in {message["role"] for message in messages}:
        yield "nobody asks"
    if "system" in {message["role"] for message in messages[1:]}:
        yield "a system message in the middle"


def _message_problems(message):
    if set(message) - {"role", "content", "name", "weight"}:
        yield f"unknown keys in {message}"
    if message["role"] not in {"system", "user", "assistant"}:
        yield f"unknown role in {message}"
    if not isinstance(message["content"], str) or not message["content"]:
        yield f"no text in {message}"
    if "weight" in message and (message["role"] != "assistant" or message["weight"] not in (0, 1)):
        yield f"a weight that does not count in {message}"


def test_openai_keeps_the_published_rules(exported):
    message = TypeAdapter(ChatCompletionMessageParam)
    for path in exported("openai").glob("*.jsonl"):
        content = path.read_bytes()
        assert not content.startswith(b"\xef\xbb\xbf")
        assert b"\r" not in content
        for line in content.decode().split("\n")[:-1]:
            assert chat_problems(line) == []
            for given in json.loads(line)["messages"]:
                given.pop("weight", None)  # known to fine-tuning only, not to the client's types
                message.validate_python(given, strict=True)


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        '{"messages": []}',
        '{"messages": [{"role": "user", "content": "Q"}], "id": 1}',
        '{"messages": [{"role": "user", "content": "Q"}]}',
        '{"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": ""}]}',
        '{"messages": [{"role": "human", "content": "Q"}, {"role": "assistant", "content": "A"}]}',
        '{"messages": [{"role": "user", "content": "Q", "weight": 1},'
        ' {"role": "assistant", "content": "A"}]}',
    ],
)
def test_the_rules_find_what_breaks_them(line):
    assert chat_problems(line)
