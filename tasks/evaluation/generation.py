"""Greedy answers, in batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from tasks.evaluation.likelihood import Size, plan_batches
from tasks.modeling.chat import end_token_ids
from tasks.modeling.supervised import has_virtual_tokens
from tasks.progress import track

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# One step reads all weights, whatever the number of rows. On the embedded model, 24 answers
# took 37 s of CPU time in batches of 8, 28 s in batches of 16, and no less in one of 24.
ROWS_PER_BATCH = 16

# Prompt tokens of a batch, padding included. What every row's keys and values take is what bounds
# it: on the embedded model 36 KiB a token, 0.15 GB in all.
PROMPT_TOKENS_PER_BATCH = 4_096


@dataclass(frozen=True)
class Answer:
    """What a model wrote, and whether it ended by itself."""

    text: str
    stopped: bool


def generate_answers(
    model: nn.Module,
    tokenizer: "PreTrainedTokenizerBase",
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int,
) -> list[Answer]:
    """Let the model answer each prompt, always taking the likeliest next token.

    Args:
        model: A causal language model with `generate`, wrapped or not, in evaluation mode.
        tokenizer: Its tokenizer, with a padding token.
        prompts: Token ids of each prompt.
        max_new_tokens: Longest answer; one that reaches it has not stopped.
    """
    answers: dict[int, Answer] = {}
    sizes = [Size(len(prompt), 1) for prompt in prompts]
    batches = plan_batches(sizes, ROWS_PER_BATCH, PROMPT_TOKENS_PER_BATCH)
    for batch in track(batches, "Generating answers", len(batches)):
        rows = _generate(model, tokenizer, [prompts[at] for at in batch], max_new_tokens)
        ends = set(end_token_ids(tokenizer))
        for at, row in zip(batch, rows, strict=True):
            answers[at] = _answer(tokenizer, row, ends)
    return [answers[at] for at in range(len(prompts))]


def _generate(
    model: Any,
    tokenizer: "PreTrainedTokenizerBase",
    prompts: list[Sequence[int]],
    max_new_tokens: int,
) -> list[list[int]]:
    """Return the new tokens of each prompt, with whatever follows the end token."""
    from transformers import GenerationConfig

    if has_virtual_tokens(model) and len({len(prompt) for prompt in prompts}) > 1:
        # They come before the padding: a padded row would be further away from them.
        return [_generate(model, tokenizer, [p], max_new_tokens)[0] for p in prompts]
    longest = max(len(prompt) for prompt in prompts)
    padding = [longest - len(prompt) for prompt in prompts]
    pad = tokenizer.pad_token_id
    rows = zip(padding, prompts, strict=True)
    ids = torch.tensor([[pad] * missing + list(prompt) for missing, prompt in rows])
    mask = (torch.arange(longest) >= torch.tensor(padding)[:, None]).long()
    device = next(model.parameters()).device
    settings = GenerationConfig(
        max_new_tokens=max_new_tokens,
        do_sample=False,
        use_cache=True,
        eos_token_id=end_token_ids(tokenizer),
        pad_token_id=pad,
    )
    with torch.inference_mode():
        output = model.generate(
            input_ids=ids.to(device), attention_mask=mask.to(device), generation_config=settings
        )
    return [row[longest:] for row in output.tolist()]


def _answer(tokenizer: "PreTrainedTokenizerBase", tokens: list[int], ends: set[int]) -> Answer:
    end = next((at for at, token in enumerate(tokens) if token in ends), None)
    text = tokenizer.decode(tokens[:end], skip_special_tokens=True)
    return Answer(str(text).strip(), stopped=end is not None)
