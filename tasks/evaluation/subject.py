"""The model that is examined."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import nn

from tasks.evaluation.generation import generate_answers
from tasks.evaluation.likelihood import summed_losses
from tasks.modeling.chat import EncodedExample, encode_example, prompt_ids

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# No answer is longer: prompts were measured before.
_ANY_LENGTH = 2**31


@dataclass(frozen=True)
class Subject:
    """A model in evaluation mode with its tokenizer, and up to which length it is asked."""

    model: nn.Module
    tokenizer: "PreTrainedTokenizerBase"
    max_length: int
    scored_tokens: int

    def prompt_tokens(self, row: Mapping[str, Any]) -> int:
        """Return how many tokens a row's prompt has."""
        return len(prompt_ids(self.tokenizer, row))

    def answers(self, rows: Sequence[Mapping[str, Any]], max_new_tokens: int) -> list[str]:
        """Return the model's greedy answer to each row's question."""
        prompts = [prompt_ids(self.tokenizer, row) for row in rows]
        found = generate_answers(self.model, self.tokenizer, prompts, max_new_tokens)
        return [answer.text for answer in found]

    def certainties(self, rows: Sequence[Mapping[str, Any]], answers: Sequence[str]) -> list[float]:
        """Return the geometric mean probability of each answer's tokens, its end among them."""
        answered = [{**row, "answer": text} for row, text in zip(rows, answers, strict=True)]
        encoded = [encode_example(self.tokenizer, row, _ANY_LENGTH) for row in answered]
        pad, what = int(self.tokenizer.pad_token_id), "Scoring the model's own answers"
        losses = summed_losses(self.model, encoded, pad, self.scored_tokens, what)
        return [_mean_probability(e, loss) for e, loss in zip(encoded, losses, strict=True)]


def _mean_probability(encoded: EncodedExample, loss: float) -> float:
    return math.exp(-loss / len(encoded.supervised))
