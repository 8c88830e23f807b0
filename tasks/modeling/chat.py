"""From an example to token ids and a label mask, by the model's own chat template.

The mask is the prefix difference: tokens of prompt and answer minus tokens of the prompt.
It needs no markers in the template, and it is checked on every row: a template or
tokenizer that would train on nothing, on the prompt, or without the end token raises
before training starts.

Only the template speaks in control tokens. A message that spells one out ("<end_of_turn>" in
a document about chat models, or in a hostile one) is encoded as the text that it is, in
training and in serving.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from data_contracts.errors import TrainingError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100  # the label that torch's cross-entropy skips


@dataclass(frozen=True)
class EncodedExample:
    """One row as the model sees it.

    Attributes:
        input_ids: Tokens of prompt and answer, up to and including the end token.
        labels: The same length; `IGNORED` wherever no loss is computed.
    """

    input_ids: tuple[int, ...]
    labels: tuple[int, ...]

    @property
    def supervised(self) -> list[int]:
        """The supervised tokens."""
        return [label for label in self.labels if label != IGNORED]


def user_message(example: Mapping[str, Any]) -> str:
    """Return what the user says: the passage, where the row has one, then the question."""
    context = example.get("context")
    return f"{context}\n\n{example['question']}" if context else str(example["question"])


def prompt_messages(example: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the messages up to and including the question."""
    return [*(example.get("history") or []), {"role": "user", "content": user_message(example)}]


def prompt_ids(tokenizer: "PreTrainedTokenizerBase", example: Mapping[str, Any]) -> list[int]:
    """Return the tokens after which the model is to answer."""
    return _tokenize(tokenizer, prompt_messages(example), add_generation_prompt=True)


def encode_example(
    tokenizer: "PreTrainedTokenizerBase",
    example: Mapping[str, Any],
    max_length: int,
    every_turn: bool = False,
) -> EncodedExample:
    """Encode one example; only the answer and its end token carry labels.

    Args:
        tokenizer: With a chat template.
        example: A row with question and answer, optionally context and history.
        max_length: Longest row in tokens.
        every_turn: Whether the assistant's earlier turns carry labels too.

    Raises:
        TrainingError: The row is longer than `max_length`, or the template breaks the mask.
    """
    row = example.get("example_id", "?")
    messages = _conversation(example)
    full = _tokenize(tokenizer, messages)
    labels = [IGNORED] * len(full)
    end = 0
    for turn in _supervised_turns(messages, every_turn):
        start, end = _span(tokenizer, messages[: turn + 1], full, row)
        labels[start:end] = full[start:end]
    if end > max_length:
        raise TrainingError(
            f"Row {row} has {end} tokens, more than max_length {max_length}. Raise "
            "training.max_length or lower chunking.max_tokens; Temper cuts no row silently."
        )
    return EncodedExample(tuple(full[:end]), tuple(labels[:end]))


def _conversation(example: Mapping[str, Any]) -> list[dict[str, str]]:
    answer = {"role": "assistant", "content": str(example["answer"])}
    return [*prompt_messages(example), answer]


def _supervised_turns(messages: Sequence[Mapping[str, str]], every_turn: bool) -> list[int]:
    """Return the places of the messages that carry labels; the last of them is the answer."""
    last = len(messages) - 1
    earlier = [i for i in range(last) if messages[i]["role"] == "assistant"]
    return [*earlier, last] if every_turn else [last]


def _span(
    tokenizer: "PreTrainedTokenizerBase",
    messages: Sequence[Mapping[str, str]],
    full: Sequence[int],
    row: str,
) -> tuple[int, int]:
    """Return where the last of `messages` lies in the tokens of the whole conversation."""
    prompt = _tokenize(tokenizer, messages[:-1], add_generation_prompt=True)
    turn = _tokenize(tokenizer, messages)
    end = _end_of_answer(tokenizer, turn, len(prompt), row)
    if turn[: len(prompt)] != prompt or list(full[:end]) != turn[:end]:
        raise TrainingError(
            f"The chat template does not extend its own prompt (row {row}): the tokens of "
            "prompt and answer do not start with the tokens of the prompt. Use a template "
            "whose generation prompt is a prefix of the full conversation (and, with "
            "training.supervise all_turns, one that does not rewrite earlier turns)."
        )
    return len(prompt), end


def check_mask(
    tokenizer: "PreTrainedTokenizerBase",
    example: Mapping[str, Any],
    encoded: EncodedExample,
    every_turn: bool = False,
) -> None:
    """Prove that the supervised tokens are the answer (or every answer) and its end token.

    Raises:
        TrainingError: They decode to something else.
    """
    messages = _conversation(example)
    turns = _supervised_turns(messages, every_turn)
    expected = [str(messages[turn]["content"]).strip() for turn in turns]
    runs = [list(run) for on, run in groupby(encoded.labels, lambda i: i != IGNORED) if on]
    decoded = [tokenizer.decode(run, skip_special_tokens=True).strip() for run in runs]
    if decoded != expected:
        raise TrainingError(
            f"The supervised tokens of row {example.get('example_id', '?')} decode to "
            f"{' / '.join(decoded)[:80]!r}, expected the answer {' / '.join(expected)[:80]!r}. "
            "The chat template rewrites or wraps answers: use one that keeps them as they are."
        )


def end_token_ids(tokenizer: "PreTrainedTokenizerBase") -> list[int]:
    """Return the tokens that end an answer: the end of sequence and what the template uses."""
    probe = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    full = _tokenize(tokenizer, probe)
    ends = [token for token in full[-2:] if token in set(tokenizer.all_special_ids)]
    return sorted({int(token) for token in [*ends, tokenizer.eos_token_id] if token is not None})


def _end_of_answer(
    tokenizer: "PreTrainedTokenizerBase", full: Sequence[int], start: int, row: str
) -> int:
    """Return the index after the first end token that follows the answer."""
    ends = set(end_token_ids(tokenizer))
    for index in range(len(full) - 1, start, -1):
        if full[index] in ends:
            while full[index - 1] in ends and index - 1 > start:
                index -= 1
            return index + 1
    raise TrainingError(
        f"The chat template puts no end token after the answer (row {row}): a model trained "
        "on it would never stop. Use a template that closes assistant messages."
    )


def _tokenize(
    tokenizer: "PreTrainedTokenizerBase",
    messages: Sequence[Mapping[str, str]],
    add_generation_prompt: bool = False,
) -> list[int]:
    text = tokenizer.apply_chat_template(
        [_broken_up(tokenizer, message) for message in messages],
        tokenize=False,
        add_generation_prompt=add_generation_prompt,
    )
    pieces = str(text).split(_BREAK)
    return [i for piece in pieces for i in tokenizer(piece, add_special_tokens=False)["input_ids"]]


# A noncharacter: Unicode promises that no text holds it (section 23.7 of the standard).
_BREAK = "\ufdd0"


def _broken_up(tokenizer: "PreTrainedTokenizerBase", message: Mapping[str, str]) -> dict[str, str]:
    """Return a message with a break inside each control token that its text spells out."""
    content = message["content"].replace(_BREAK, "")
    broken = _control_tokens(tokenizer).sub(lambda m: f"{m[0][0]}{_BREAK}{m[0][1:]}", content)
    return {**message, "content": broken}


@lru_cache(maxsize=4)
def _control_tokens(tokenizer: "PreTrainedTokenizerBase") -> re.Pattern[str]:
    """Return what finds a tokenizer's control tokens; numbered ones are one alternative."""
    added = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]
    names = {name for name in (*added, *map(str, tokenizer.all_special_tokens)) if len(name) > 1}
    forms = {re.sub(r"\d+", r"\\d+", re.escape(name)) for name in names}
    return re.compile("|".join(sorted(forms, key=len, reverse=True)) or r"(?!)")
