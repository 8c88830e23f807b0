"""The model under test, and how it is tested."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from torch import nn

from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.generation import Answer, generate_answers
from tasks.evaluation.likelihood import summed_losses
from tasks.evaluation.multiple_choice import EncodedItem, choice_scores
from tasks.evaluation.remembered import Memory
from tasks.modeling.chat import EncodedExample

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Row = TypeVar("Row")
Found = TypeVar("Found")


@dataclass(frozen=True)
class MeasuredModel:
    """A model in evaluation mode, with what is remembered of it.

    Attributes:
        model: The model.
        tokenizer: Its tokenizer.
        config: How rows are batched.
        memory: What is remembered.
        order: Seed of the order in which rows are batched; by their length alone if None.
    """

    model: nn.Module
    tokenizer: "PreTrainedTokenizerBase"
    config: EvaluationConfig
    memory: Memory = field(default_factory=Memory)
    order: int | None = None

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
            lambda new: self._batched(
                new, lambda part: summed_losses(self.model, part, self.padding, limit, what)
            ),
        )

    def answers(self, prompts: Sequence[Sequence[int]]) -> list[Answer]:
        """Return the greedy answer to each prompt."""
        most = self.config.max_new_tokens

        def written(new: list[Sequence[int]]) -> list[tuple[str, bool]]:
            answers = self._batched(
                new, lambda part: generate_answers(self.model, self.tokenizer, part, most)
            )
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
            lambda new: self._batched(
                new, lambda part: choice_scores(self.model, part, self.padding, limit)
            ),
        )

    def _batched(
        self, rows: Sequence[Row], measure: Callable[[list[Row]], list[Found]]
    ) -> list[Found]:
        """Measure rows; where there is a seed, in two halves that it draws, one after the other.

        Batches hold rows of similar length, whatever order they come in. Where half of the rows
        are missing, each has other neighbours and other padding.
        """
        if self.order is None:
            return measure(list(rows))
        places = list(range(len(rows)))
        random.Random(self.order).shuffle(places)  # noqa: S311 - no secret
        found: dict[int, Found] = {}
        for half in (places[::2], places[1::2]):
            found |= dict(zip(half, measure([rows[at] for at in half]), strict=True))
        return [found[at] for at in range(len(rows))]
