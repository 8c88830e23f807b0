import pytest

from tasks.interchange.conversation import Conversation, Refused, Turn, exchanges, turns_of

ROLES = {"system": "system", "user": "user", "assistant": "assistant"}


def talk(*turns, **options):
    """`talk("u: Hello", "a: Hi")`, where `a0` is an answer not to be learned."""
    names = {"s": "system", "u": "user", "a": "assistant", "a0": "assistant"}
    parts = [turn.split(": ", 1) for turn in turns]
    spoken = tuple(Turn(names[who], text, who != "a0") for who, text in parts)
    return list(exchanges(Conversation(spoken, **options)))


def said(exchange):
    return [turn.content for turn in exchange.history]


def outcome(found):
    return [exchange.refusal.reason if exchange.refusal else exchange.answer for exchange in found]


def test_each_answer_has_what_was_said_before_as_its_history():
    first, second = talk("s: Be brief.", "u: One?", "a: 1", "u: Two?", "a: 2")
    assert (said(first), first.question, first.answer) == (["Be brief."], "One?", "1")
    assert (said(second), second.question) == (["Be brief.", "One?", "1"], "Two?")


def test_the_passage_belongs_to_the_last_question():
    found = talk("u: One?", "a: 1", "u: Two?", "a: 2", context="Passage.")
    assert [exchange.context for exchange in found] == [None, "Passage."]


def test_an_answer_of_weight_0_is_history_but_no_row():
    found = talk("u: One?", "a0: 1", "u: Two?", "a: 2")
    assert outcome(found) == ["not_trained", "2"]
    assert said(found[1]) == ["One?", "1"]


def test_a_greeting_gives_no_row_and_is_not_in_the_history():
    found = talk("a: Welcome!", "u: One?", "a: 1")
    assert outcome(found) == ["no_question", "1"]
    assert said(found[1]) == []


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        (("u: One?", "u: Two?", "a: 2", "u: 3?", "a: 3"), ["wrong_order", "wrong_order"]),
        (("u: One?", "a: 1", "a: 2", "u: 3?", "a: 3"), ["1", "wrong_order", "wrong_order"]),
        (("u: One?", "a: 1", "s: Now!", "u: 2?", "a: 2"), ["1", "wrong_order"]),
        (("u: One?", "a:  ", "u: 2?", "a: 2"), ["empty_answer", "empty_answer"]),
        (("u:  ", "a: 1", "u: 2?", "a: 2"), ["empty_question", "empty_question"]),
        (("s: A", "s: B", "u: 1?", "a: 1"), ["wrong_order"]),
    ],
)
def test_nothing_is_made_of_turns_after_a_fault(turns, expected):
    assert outcome(talk(*turns)) == expected


def test_an_empty_system_message_is_left_out():
    assert said(talk("s:  ", "u: One?", "a: 1")[0]) == []


def test_questions_without_any_answer_are_refused():
    with pytest.raises(Refused) as refusal:
        talk("s: Be brief.", "u: Anybody?")
    assert refusal.value.reason == "no_assistant_turn"


def message(**extra):
    return [{"role": "user", "content": "Q?"}, {"role": "assistant", "content": "A", **extra}]


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        (message(tool_calls=[{"id": "1"}]), "tool_call"),
        (message(function_call={"name": "f"}), "tool_call"),
        ([{"role": "tool", "content": "42"}], "tool_call"),
        ([{"role": "narrator", "content": "42"}], "wrong_form"),
        ([{"content": "42"}], "wrong_form"),
        (["text"], "wrong_form"),
        ("text", "wrong_form"),
        ([], "wrong_form"),
        (message(content=7), "wrong_form"),
        (message(content=[{"type": "image_url", "image_url": {}}]), "not_text"),
    ],
)
def test_what_is_no_text_of_two_speakers_is_refused_with_its_reason(messages, reason):
    with pytest.raises(Refused) as refusal:
        turns_of(messages, "role", "content", ROLES)
    assert refusal.value.reason == reason


def test_parts_of_text_are_one_text():
    parts = [{"type": "text", "text": "One "}, {"type": "text", "text": "two"}]
    assert turns_of(message(content=parts), "role", "content", ROLES)[1].content == "One two"


def test_parts_and_weights_under_their_other_names_are_read():
    parts = [{"type": "text", "value": "One"}]
    turns = turns_of(message(content=parts, loss_weight=0.0), "role", "content", ROLES)
    assert turns[1] == Turn("assistant", "One", trained=False)


def test_null_tool_calls_are_none():
    turns = turns_of(message(tool_calls=None, weight=None), "role", "content", ROLES)
    assert turns[1] == Turn("assistant", "A")
