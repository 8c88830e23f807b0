"""The model under test, and how it is tested."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torch import nn

from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.generation import Answer, generate_answers
from tasks.evaluation.likelihood import summed_losses
from tasks.evaluation.multiple_choice import EncodedItem, choice_scores
from tasks.evaluation.remembered import Memory
from tasks.modeling.chat import EncodedExample

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class MeasuredModel:
    """A model in evaluation mode, with what is remembered of it."""

    model: nn.Module
    tokenizer: "PreTrainedTokenizerBase"
    config: EvaluationConfig
    memory: Memory = field(default_factory=Memory)

    @property
    def padding(self) -> int:
        """The token that rows are padded with."""
        return int(self.tokenizer.pad_token_id)

    def losses(self, rows: Sequence[EncodedExample], what: str) -> list[float]:
        """Return the summed loss of each row; `what` the rows are is for the progress line."""
        limit = self.config.scored_tokens_per_forward
        return self.memory.measured(
            ("losses", limit),
            rows,
            lambda row: [row.input_ids, row.labels],
            lambda new: summed_losses(self.model, new, self.padding, limit, what),
        )

    def answers(self, prompts: Sequence[Sequence[int]]) -> list[Answer]:
        """Return the greedy answer to each prompt."""
        most = self.config.max_new_tokens

        def written(new: list[Sequence[int]]) -> list[tuple[str, bool]]:
            answers = generate_answers(self.model, self.tokenizer, new, most)
            return [(answer.text, answer.stopped) for answer in answers]

        found = self.memory.measured(("answers", most), prompts, list, written)
        return [Answer(text, stopped) for text, stopped in found]

    def choice_scores(self, items: Sequence[EncodedItem]) -> list[list[float]]:
        """Return the summed log-probability of each item's choices."""
        limit = self.config.scored_tokens_per_forward
        return self.memory.measured(
            ("choices", limit),
            items,
            lambda item: [item.prompt, item.choices],
            lambda new: choice_scores(self.model, new, self.padding, limit),
        )
