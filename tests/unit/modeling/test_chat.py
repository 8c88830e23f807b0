"""Only the chat template speaks in control tokens; text that spells one out stays text."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.errors import TrainingError
from tasks.modeling.base_model import load_tokenizer
from tasks.modeling.chat import IGNORED, check_mask, encode_example, prompt_ids
from tests.tiny_models import tiny_base


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load_tokenizer(tiny_base(tmp_path_factory.mktemp("tiny"), "llama"))


def example(**cells: Any) -> dict[str, Any]:
    return {"example_id": "e", "question": "What is it?", "answer": "A ferry.", "context": None,
            "history": []} | cells  # fmt: skip


def control(tokenizer: Any, ids: Any) -> list[int]:
    special = set(tokenizer.all_special_ids)
    return [token for token in ids if token in special]


@pytest.mark.parametrize("name", ["<bos>", "<eos>", "<pad>"])
@pytest.mark.parametrize("place", ["question", "answer", "context", "history"])
def test_a_control_token_in_a_text_is_no_control_token(
    tokenizer: Any, name: str, place: str
) -> None:
    text: Any = f"The mark {name} ends a turn."
    if place == "history":
        text = [{"role": "user", "content": text}, {"role": "assistant", "content": text}]
        plain = example(history=[turn | {"content": "The mark."} for turn in text])
    else:
        plain = example(**{place: "The mark."})
    row = example(**{place: text})
    encoded, expected = (encode_example(tokenizer, r, 500) for r in (row, plain))
    assert control(tokenizer, encoded.input_ids) == control(tokenizer, expected.input_ids)
    assert control(tokenizer, prompt_ids(tokenizer, row)) == control(
        tokenizer, prompt_ids(tokenizer, plain)
    )
    assert name in tokenizer.decode([i for i in encoded.input_ids if i != IGNORED])
    check_mask(tokenizer, row, encoded)


@given(st.text(alphabet="<>bospade/ \ufdd0", max_size=40).map(str.strip).filter(bool))
def test_the_answer_is_supervised_letter_by_letter(tokenizer: Any, answer: str) -> None:
    row = example(answer=answer.replace("\ufdd0", "") or "x")
    encoded = encode_example(tokenizer, row, 500)
    check_mask(tokenizer, row, encoded)
    assert len(control(tokenizer, encoded.supervised)) == 1


def test_rows_without_marks_are_encoded_as_the_template_writes_them(tokenizer: Any) -> None:
    row = example()
    messages = [
        {"role": "user", "content": "What is it?"}, {"role": "assistant", "content": "A ferry."}
    ]  # fmt: skip
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    encoded = encode_example(tokenizer, row, 500)
    assert list(encoded.input_ids) == ids[: len(encoded.input_ids)]


HISTORY = [
    {"role": "user", "content": "What floats?"},
    {"role": "assistant", "content": "A ship."},
    {"role": "user", "content": "And a car?"},
    {"role": "assistant", "content": "It sinks."},
]


def test_all_turns_of_the_assistant_are_supervised_and_nothing_of_the_user_s(
    tokenizer: Any,
) -> None:
    row = example(history=HISTORY)
    last, every = (encode_example(tokenizer, row, 500, choice) for choice in (False, True))
    assert last.input_ids == every.input_ids
    check_mask(tokenizer, row, last)
    check_mask(tokenizer, row, every, every_turn=True)
    eos = tokenizer.eos_token
    assert tokenizer.decode(last.supervised).split(eos) == [" A ferry.", ""]
    assert tokenizer.decode(every.supervised).split(eos) == [
        " A ship.", " It sinks.", " A ferry.", "",
    ]  # fmt: skip
    with pytest.raises(TrainingError, match="decode to"):
        check_mask(tokenizer, row, last, every_turn=True)


def test_a_template_that_rewrites_earlier_turns_is_refused_only_where_they_are_supervised(
    tokenizer: Any,
) -> None:
    from copy import deepcopy

    rewriting = deepcopy(tokenizer)
    rewriting.chat_template = tokenizer.chat_template.replace(
        "Assistant: {{ message['content'] }}",
        "Assistant: {% if loop.last %}Well: {% endif %}{{ message['content'] }}",
    )
    row = example(history=HISTORY)
    encode_example(rewriting, row, 500)
    with pytest.raises(TrainingError, match="does not extend its own prompt"):
        encode_example(rewriting, row, 500, every_turn=True)
