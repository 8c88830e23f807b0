"""From an example to token ids and a label mask, by the model's own chat template.

The mask is the prefix difference: tokens of prompt and answer minus tokens of the prompt.
It needs no markers in the template, and it is checked on every row: a template or
tokenizer that would train on nothing, on the prompt, or without the end token raises
before training starts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    tokenizer: "PreTrainedTokenizerBase", example: Mapping[str, Any], max_length: int
) -> EncodedExample:
    """Encode one example; only the answer and its end token carry labels.

    Args:
        tokenizer: With a chat template.
        example: A row with question and answer, optionally context and history.
        max_length: Longest row in tokens.

    Raises:
        TrainingError: The row is longer than `max_length`, or the template breaks the mask.
    """
    prompt = prompt_ids(tokenizer, example)
    answer = {"role": "assistant", "content": str(example["answer"])}
    full = _tokenize(tokenizer, [*prompt_messages(example), answer])
    row = example.get("example_id", "?")
    if full[: len(prompt)] != prompt:
        raise TrainingError(
            f"The chat template does not extend its own prompt (row {row}): the tokens of "
            "prompt and answer do not start with the tokens of the prompt. Use a template "
            "whose generation prompt is a prefix of the full conversation."
        )
    end = _end_of_answer(tokenizer, full, len(prompt), row)
    if end > max_length:
        raise TrainingError(
            f"Row {row} has {end} tokens, more than max_length {max_length}. Raise "
            "training.max_length or lower chunking.max_tokens; Temper cuts no row silently."
        )
    labels = [IGNORED] * len(prompt) + full[len(prompt) : end]
    return EncodedExample(tuple(full[:end]), tuple(labels))


def check_mask(
    tokenizer: "PreTrainedTokenizerBase", example: Mapping[str, Any], encoded: EncodedExample
) -> None:
    """Prove that the supervised tokens are the answer and its end token.

    Raises:
        TrainingError: They decode to something else.
    """
    decoded = tokenizer.decode(encoded.supervised, skip_special_tokens=True).strip()
    expected = str(example["answer"]).strip()
    if decoded != expected:
        raise TrainingError(
            f"The supervised tokens of row {example.get('example_id', '?')} decode to "
            f"{decoded[:80]!r}, expected the answer {expected[:80]!r}. The chat template "
            "rewrites or wraps answers: use one that keeps them as they are."
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
        list(messages), tokenize=False, add_generation_prompt=add_generation_prompt
    )
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])
