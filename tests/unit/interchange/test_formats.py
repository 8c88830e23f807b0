"""Every format reads what it should, and gives back what was written in it."""

import string
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.schemas import EXAMPLE, blank_row
from tasks.interchange.config import DatasetSource, ImportConfig
from tasks.interchange.conversation import Refused, exchanges
from tasks.interchange.export import export_examples
from tasks.interchange.files import read_records
from tasks.interchange.format import FORMATS, CannotHold, writable_formats
from tasks.modeling.chat import prompt_messages

WRITABLE = sorted(writable_formats())
# The formats that have a place of its own for the passage.
WITH_PASSAGE = ("alpaca", "parquet")

text = st.text(string.printable + "äß€漢😀\u2028", min_size=1, max_size=30).map(str.strip)
text = text.filter(bool)
pairs = st.lists(st.tuples(text, text), max_size=2)


@st.composite
def examples(draw):
    history = [
        {"role": role, "content": content}
        for pair in draw(pairs)
        for role, content in zip(("user", "assistant"), pair, strict=True)
    ]
    system = [{"role": "system", "content": s} for s in draw(st.lists(text, max_size=1))]
    return {
        "history": system + history,
        "context": draw(st.none() | text),
        "question": draw(text),
        "answer": draw(text),
    }


def row(number, **values):
    return blank_row(EXAMPLE) | {
        "example_id": f"row-{number}",
        "kind": "fact",
        "document_id": f"doc-{number}",
        "chunk_id": f"chunk-{number}",
        "generator": "test",
        "question": "Who signs?",
        "answer": "The head.",
        "split": "train",
        **values,
    }


def last(form, record):
    """Return the exchange that a record ends with."""
    return list(exchanges(form.read(record)))[-1]


def messages(exchange):
    return [{"role": turn.role, "content": turn.content} for turn in exchange.history]


@pytest.mark.parametrize("name", WRITABLE)
@given(st.lists(examples(), min_size=1, max_size=4))
def test_what_is_exported_comes_back_equal(name, written):
    form = FORMATS.get(name)()
    rows = [row(number, **values) for number, values in enumerate(written)]
    with TemporaryDirectory() as folder:
        [path] = export_examples(pa.Table.from_pylist(rows, EXAMPLE), form, Path(folder))
        found = [last(form, record.value) for record in read_records(path, "utf-8")]
    assert [exchange.refusal for exchange in found] == [None] * len(rows)
    assert [exchange.answer for exchange in found] == [values["answer"] for values in written]
    assert [messages(exchange) for exchange in found] == [v["history"] for v in written]
    for exchange, values in zip(found, written, strict=True):
        if name in WITH_PASSAGE:
            assert (exchange.question, exchange.context) == (values["question"], values["context"])
        else:  # the passage stands before the question, as the model is trained on it
            assert exchange.question == prompt_messages(values)[-1]["content"]


@pytest.mark.parametrize("name", WRITABLE)
@given(examples())
def test_an_exported_record_is_told_by_its_form(name, values):
    form = FORMATS.get(name)()
    record = form.record(row(1, **values), form.needed(row(1, **values)))
    assert next(f for f in FORMATS if f().matches(record)).model_fields["format"].default == name


@pytest.mark.parametrize("name", WRITABLE)
def test_an_exported_row_is_imported_as_one_row(name, tmp_path, imported):
    history = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Who signs a contract?"},
        {"role": "assistant", "content": "The head of unit."},
    ]
    table = pa.Table.from_pylist([row(1, history=history, question="Who if away?")], EXAMPLE)
    [path] = export_examples(table, FORMATS.get(name)(), tmp_path)
    found = imported(path).kept.to_pylist()
    if name == "sharegpt":  # has no word for an answer that is not to be learned
        assert [r["question"] for r in found] == ["Who signs a contract?", "Who if away?"]
    else:
        assert [(r["question"], r["history"]) for r in found] == [("Who if away?", history)]


def test_openai_marks_earlier_answers_as_not_to_be_learned():
    history = [{"role": "user", "content": "A?"}, {"role": "assistant", "content": "B"}]
    form = FORMATS.get("openai")()
    record = form.record(row(1, history=history), form.needed(row(1, history=history)))
    weights = [message.get("weight") for message in record["messages"]]
    assert weights == [None, 0, None, 1]


@pytest.mark.parametrize("name", WRITABLE)
def test_all_records_of_an_export_have_the_same_fields(name):
    history = [{"role": "system", "content": "S"}, {"role": "user", "content": "A?"},
               {"role": "assistant", "content": "B"}]  # fmt: skip
    form, rows = FORMATS.get(name)(), [row(1), row(2, history=history)]
    fields = form.needed(rows[0]) | form.needed(rows[1])
    plain, rich = (form.record(values, fields) for values in rows)
    assert plain.keys() == rich.keys()
    if name == "openai":
        assert plain["messages"][-1].keys() == rich["messages"][-1].keys()
    assert form.record(rows[0], frozenset()).keys() <= plain.keys()


def test_alpaca_refuses_a_history_that_it_cannot_hold():
    history = [{"role": "assistant", "content": "Welcome"}]
    with pytest.raises(CannotHold, match="row-7.*alpaca.*parquet"):
        FORMATS.get("alpaca")().needed(row(7, history=history))


@pytest.mark.parametrize(
    ("name", "record", "expected"),
    [
        (
            "openai",
            {"messages": [{"role": "developer", "content": "S"}, *"UA"]},
            (["S"], None, "Q?", "A"),
        ),
        (
            "sharegpt",
            {"conversations": [{"from": "user", "value": "Q?"}, {"from": "model", "value": "A"}]},
            ([], None, "Q?", "A"),
        ),
        (
            "sharegpt",
            {
                "system": "S",
                "conversations": [
                    {"from": "human", "value": "Q?"},
                    {"from": "gpt", "value": "A", "weight": None},
                ],
            },
            (["S"], None, "Q?", "A"),
        ),
        ("sharegpt", {"conversation": [*"UA"]}, ([], None, "Q?", "A")),
        (
            "alpaca",
            {"instruction": "Q?", "input": "P", "output": "A", "history": [["B?", "C"]]},
            (["B?", "C"], "P", "Q?", "A"),
        ),
        ("alpaca", {"instruction": "", "input": "Q?", "output": "A"}, ([], None, "Q?", "A")),
        (
            "alpaca",
            {"instruction": "Q?", "context": "P", "response": "A"},
            ([], "P", "Q?", "A"),
        ),
        ("prompt_completion", {"prompt": "Q?", "completion": " A"}, ([], None, "Q?", "A")),
        ("prompt_completion", {"prompt": ["U"], "completion": ["A"]}, ([], None, "Q?", "A")),
        (
            "table",
            {"Question ": "Q?", "ANSWER": 42, "context": float("nan"), "system": "S"},
            (["S"], None, "Q?", "42"),
        ),
        (
            "table",
            {
                "question": "Q?",
                "answer": "A",
                "history": '[{"role": "user", "content": "B?"}, '
                '{"role": "assistant", "content": "C"}]',
            },
            (["B?", "C"], None, "Q?", "A"),
        ),
    ],
)
def test_the_variants_of_a_format_are_read(name, record, expected):
    spoken = {"U": {"role": "user", "content": "Q?"}, "A": {"role": "assistant", "content": "A"}}
    record = {
        key: [spoken.get(item, item) if isinstance(item, str) else item for item in value]
        if isinstance(value, list)
        else value
        for key, value in record.items()
    }
    form = FORMATS.get(name)()
    assert form.matches(record)
    found = last(form, record)
    said = [turn.content for turn in found.history]
    assert (said, found.context, found.question, found.answer) == expected


@pytest.mark.parametrize(
    ("name", "record", "reason"),
    [
        ("openai", {"messages": None}, "wrong_form"),
        ("sharegpt", {"conversations": [{"from": "tool", "value": "1"}]}, "tool_call"),
        ("sharegpt", {"conversations": [{"from": "observation", "value": "1"}]}, "tool_call"),
        ("sharegpt", {"conversations": "hello"}, "wrong_form"),
        ("alpaca", {"instruction": ["Q?"], "output": "A"}, "wrong_form"),
        ("alpaca", {"instruction": "Q?", "output": "A", "history": "nonsense"}, "wrong_form"),
        ("prompt_completion", {"prompt": 7, "completion": "A"}, "wrong_form"),
        ("table", {"question": "Q?"}, "wrong_form"),
        ("table", {"question": "Q?", "answer": {"text": ["A"]}}, "wrong_form"),
    ],
)
def test_a_record_of_another_form_is_refused(name, record, reason):
    with pytest.raises(Refused) as refusal:
        FORMATS.get(name)().read(record)
    assert refusal.value.reason == reason


def test_a_format_can_be_named_or_given_with_options():
    named = DatasetSource(path="a", format="openai")
    given_ = DatasetSource(path="a", format={"format": "table", "question": "Frage"})
    assert named.form == FORMATS.get("openai")()
    assert given_.form.question == "Frage"
    assert DatasetSource(path="a", format="auto").form is None
    with pytest.raises(ValueError, match="'openai'"):
        DatasetSource(path="a", format="opnai")


def test_the_configuration_survives_json():
    config = ImportConfig(sources=(DatasetSource(path="a", format="openai", splits=("train",)),))
    assert ImportConfig.model_validate_json(config.model_dump_json()) == config
