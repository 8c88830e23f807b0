"""JSON out of replies: mended with care, never invented."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.llm.repair import Unusable, read_json
from tasks.llm.response_log import Completion
from tasks.llm.structured import InvalidReply, Refusal, read_reply
from tests.unit.llm.conftest import Answer

GOOD = '{"question": "What is it?", "answer": "A boat."}'
VALUE = Answer(question="What is it?", answer="A boat.")


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"Here you are:\n```json\n{GOOD}\n```\nAnything else?",
        f"The form is {{question}}: {GOOD}",
        f'{{"thought": "first"}} and then {GOOD}',
        '{"question": "What is it?", "answer": "A boat.", "answer": "A boat."}',
    ],
)
def test_whole_json_is_read_as_it_is(text: str) -> None:
    assert read_json(text, Answer, cut_off=False) == (VALUE, False)


@pytest.mark.parametrize(
    "text",
    [
        '{"question": "What is it?" "answer": "A boat."}',
        '{"question": "What is it?", "answer": "A boat.",}',
        "{'question': 'What is it?', 'answer': 'A boat.'}",
        '```json\n{question: "What is it?", answer: "A boat."}\n```',
        '{"Question": "What is it?", "ANSWER": "A boat."}',
    ],
)
def test_small_faults_are_mended(text: str) -> None:
    assert read_json(text, Answer, cut_off=False) == (VALUE, True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("I would rather not.", "no JSON object"),
        (GOOD[:-2], "does not end"),
        (GOOD[:40] + "\n```", "does not end"),
        ('{"question": "What is it?", "answer": "A {small} boat with', "does not end"),
        ('{"question": "What is it?"}', "answer: Field required"),
        (GOOD[:-1] + ', "sure": true}', "sure: Extra inputs"),
        (GOOD[:-1] + ', "answer": "A car."}', "'answer' is given twice"),
        ('{"question": "What is it?", "answer": null}', "answer: Input should be"),
        ('{"question": "What is it?", "answer": ["A boat."]}', "answer: Input should be"),
        ('{"question": "What is it?", "answer": true}', "answer: Input should be"),
        ('{"question": "Q?", /* sure */ "answer": "A boat."}', "broken"),
        ('{"question": "What is it?", "answer": "A boat." and so on}', "broken"),
        ('{"a":' * 3000 + "1" + "}" * 3000, "nested too deeply"),
    ],
)
def test_what_would_have_to_be_invented_is_refused(text: str, told: str) -> None:
    with pytest.raises(Unusable, match=told):
        read_json(text, Answer, cut_off=False)


def test_a_reply_that_was_cut_off_is_not_made_to_look_complete() -> None:
    with pytest.raises(Unusable, match="cut off at the token limit"):
        read_json('{"question": "What is {it}', Answer, cut_off=True)


def test_a_whole_number_is_text_where_text_is_asked_for() -> None:
    value, mended = read_json('{"question": "How many?", "answer": 25}', Answer, cut_off=False)
    assert (value.answer, mended) == ("25", True)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(TEXT, TEXT)
def test_every_whole_object_is_read_as_it_is(question: str, answer: str) -> None:
    value = {"question": question, "answer": answer}
    for text in (json.dumps(value), f"So: {json.dumps(value, ensure_ascii=False)} Good?"):
        assert read_json(text, Answer, cut_off=False) == (Answer(**value), False)


@given(TEXT, TEXT, st.data())
def test_whatever_is_accepted_says_what_the_reply_said(
    question: str, answer: str, data: st.DataObject
) -> None:
    """Break a reply anywhere: either it is refused, or no letter was lost or invented."""
    text = json.dumps({"question": question, "answer": answer}, ensure_ascii=False)
    start = data.draw(st.integers(0, len(text) - 1))
    broken = text[:start] + data.draw(st.text('{}[]",: \\', max_size=2)) + text[start + 1 :]
    try:
        value, mended = read_json(broken, Answer, cut_off=False)
    except Unusable:
        return
    if mended:
        assert letters(json.dumps(value.model_dump(), ensure_ascii=False)) == letters(broken)
    else:
        assert Answer(**json.JSONDecoder(strict=False).decode(broken)) == value


def letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum()).casefold()


def test_a_model_that_declines_is_not_asked_for_another_form() -> None:
    refused = Completion(
        text="I cannot.", finish_reason="refusal", prompt_tokens=1, completion_tokens=1, seconds=1
    )
    with pytest.raises(Refusal, match="declined.*I cannot"):
        read_reply(refused, Answer)
    filtered = refused.model_copy(update={"text": GOOD, "finish_reason": "content_filter"})
    with pytest.raises(InvalidReply):
        read_reply(filtered, Answer)
