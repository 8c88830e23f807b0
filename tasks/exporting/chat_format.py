"""A chat template as plain text around each message, found by rendering it.

Formats other than Jinja (Ollama's Go templates) can say what stands before and after a
message, and not much more. So the template is rendered on probe conversations, the texts
around the messages are read off, and the result is checked on other conversations. What
does not fit is refused: Gemma's, ChatML's and Llama's families and Temper's own plain
template fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data_contracts.errors import ExportError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Conversation = Sequence[tuple[str, str]]

_CHECKED: tuple[Conversation, ...] = (
    (("user", "What is it?"),),
    (("system", "Be brief."), ("user", "What is it?")),
    (("user", "One?"), ("assistant", "Yes."), ("user", "Two?")),
    (("system", "Be brief."), ("user", "One?"), ("assistant", "Yes."), ("user", "Two?")),
    (("user", "A"), ("assistant", "B"), ("user", "C"), ("assistant", "D"), ("user", "E")),
)


@dataclass(frozen=True)
class ChatFormat:
    """The texts around messages; without the start token, which the tokenizer adds.

    Attributes:
        adds_start: Whether the template begins with the start token.
        opening: Before a conversation without a system message.
        system: Before and after a system message.
        merges_system: Whether a system message is the begin of the first user message.
        user: Before and after a user message.
        assistant: Before and after an answer that is followed by another question.
        answer: Where the model goes on.
        system_allowed: Whether the template takes system messages.
    """

    adds_start: bool
    opening: str
    system: tuple[str, str]
    merges_system: bool
    user: tuple[str, str]
    assistant: tuple[str, str]
    answer: str
    system_allowed: bool

    def render(self, conversation: Conversation) -> str:
        """Return the prompt after which the model answers the conversation."""
        texts = [] if conversation[0][0] == "system" else [self.opening]
        around = {"system": self.system, "user": self.user, "assistant": self.assistant}
        merged = False
        for role, content in conversation:
            before, after = around[role]
            texts += ["" if merged else before, content, after]
            merged = role == "system" and self.merges_system
        return "".join([*texts, self.answer])


def find_chat_format(tokenizer: "PreTrainedTokenizerBase") -> ChatFormat:
    """Return a tokenizer's chat template as texts around messages.

    Raises:
        ExportError: The template does more than to put texts around messages.
    """
    found = _read_off(tokenizer)
    for conversation in _CHECKED:
        if conversation[0][0] == "system" and not found.system_allowed:
            continue
        expected, got = _render(tokenizer, conversation, True), found.render(conversation)
        if expected != got:
            raise _unknown(f"it renders {expected!r}, and as texts around messages {got!r}")
    return found


def _read_off(tokenizer: "PreTrainedTokenizerBase") -> ChatFormat:
    question, answer, other = "Q1q", "A1a", "Q2q"  # in no template
    one = _render(tokenizer, [("user", question)], False)
    asked = _render(tokenizer, [("user", question)], True)
    answered = _render(tokenizer, [("user", question), ("assistant", answer)], False)
    turns = [("user", question), ("assistant", answer), ("user", other)]
    first, between, again, after = _split(_render(tokenizer, turns, False), [*_contents(turns)])
    user_after = after
    if _split(one, [question])[1] != user_after:
        raise _unknown("it treats the last question in another way than the first")
    assistant_before = _without_start(between, user_after)
    assistant_after = _split(answered, [question, answer])[2]
    assistant_after = assistant_after if again.startswith(assistant_after) else ""
    user_before = again.removeprefix(assistant_after)
    if not first.endswith(user_before):  # the end of an answer cannot be told from the opening
        raise _unknown("it begins the first question in another way than the second")
    system, merges, allowed = _system(tokenizer, question, user_before)
    return ChatFormat(
        adds_start=_adds_start(tokenizer),
        opening=first.removesuffix(user_before),
        system=system,
        merges_system=merges,
        user=(user_before, user_after),
        assistant=(assistant_before, assistant_after),
        answer=_without_start(_split(asked, [question])[1], user_after),
        system_allowed=allowed,
    )


def _system(
    tokenizer: "PreTrainedTokenizerBase", question: str, user_before: str
) -> tuple[tuple[str, str], bool, bool]:
    """Return the texts around a system message, whether it is merged, whether it is allowed."""
    from jinja2 import TemplateError

    said = "S1s"
    try:
        text = _render(tokenizer, [("system", said), ("user", question)], False)
    except TemplateError:  # templates refuse roles by raising
        return ("", ""), False, False
    before, between, _after = _split(text, [said, question])
    if between.endswith(user_before):
        return (before, between.removesuffix(user_before)), False, True
    return (before, between), True, True


def _render(
    tokenizer: "PreTrainedTokenizerBase", conversation: Conversation, answering: bool
) -> str:
    messages = [{"role": role, "content": content} for role, content in conversation]
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=answering)
    return str(text).removeprefix(str(tokenizer.bos_token or ""))


def _adds_start(tokenizer: "PreTrainedTokenizerBase") -> bool:
    text = tokenizer.apply_chat_template([{"role": "user", "content": "a"}], tokenize=False)
    return bool(tokenizer.bos_token) and str(text).startswith(str(tokenizer.bos_token))


def _contents(conversation: Conversation) -> list[str]:
    return [content for _, content in conversation]


def _split(text: str, contents: Sequence[str]) -> list[str]:
    """Return what stands before, between and after the contents."""
    pieces = []
    for content in contents:
        before, found, text = text.partition(content)
        if not found or content in text:
            raise _unknown("it leaves a message out or says it twice")
        pieces.append(before)
    return [*pieces, text]


def _without_start(text: str, start: str) -> str:
    if not text.startswith(start):
        raise _unknown(f"a question is followed by {text!r}, expected it to begin with {start!r}")
    return text.removeprefix(start)


def _unknown(why: str) -> ExportError:
    return ExportError(
        f"The chat template cannot be written as an Ollama template: {why}. The families of Gemma, "
        "ChatML and Llama can. Export as merged safetensors, whose template stays as it is."
    )
