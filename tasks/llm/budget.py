"""How many tokens and how much money the replies may need, with a hard stop."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from data_contracts.errors import EndpointError
from tasks.llm.config import LLMConfig
from tasks.llm.reading import prompt_size
from tasks.llm.request import Request
from tasks.llm.response_log import Completion

MILLION = 1_000_000


class BudgetExceeded(EndpointError):
    """The next request could need more than the budget has left; all replies are kept."""


class Budget:
    """What the replies that a run uses need; those from the log count as well.

    Before a request is sent, its longest reply is set aside, so requests under way cannot
    overdraw the budget together. The size of a prompt is a guess until its reply comes.

    Args:
        config: Limits and prices.

    Attributes:
        prompt_tokens: Of all prompts.
        completion_tokens: Of all replies.
    """

    def __init__(self, config: LLMConfig) -> None:
        self.config = config
        self.prompt_tokens = self.completion_tokens = 0
        self._aside_prompt = self._aside_completion = 0
        self._lock = threading.Lock()

    @property
    def cost(self) -> float:
        """What the replies cost, at the configured prices."""
        return cost(self.config, self.prompt_tokens, self.completion_tokens)

    @contextmanager
    def set_aside(self, request: Request) -> Iterator[None]:
        """Set the largest need of a request aside while it is under way.

        Raises:
            BudgetExceeded: There is not so much left.
        """
        prompt, completion = prompt_size(request), self.config.max_tokens
        with self._lock:
            self._check(prompt, completion)
            self._aside_prompt += prompt
            self._aside_completion += completion
        try:
            yield
        finally:
            with self._lock:
                self._aside_prompt -= prompt
                self._aside_completion -= completion

    def spend(self, reply: Completion) -> None:
        """Count a reply."""
        with self._lock:
            self.prompt_tokens += reply.prompt_tokens
            self.completion_tokens += reply.completion_tokens

    def affordable(self, requests: list[Request]) -> int:
        """Return how many of the first requests the budget allows, all at once."""
        prompt = completion = 0
        for count, request in enumerate(requests):
            prompt, completion = prompt + prompt_size(request), completion + self.config.max_tokens
            try:
                with self._lock:
                    self._check(prompt, completion)
            except BudgetExceeded:
                return count
        return len(requests)

    def _check(self, prompt: int, completion: int) -> None:
        prompt += self.prompt_tokens + self._aside_prompt
        completion += self.completion_tokens + self._aside_completion
        most = self.config.max_tokens_total
        if most is not None and prompt + completion > most:
            used = self.prompt_tokens + self.completion_tokens
            raise BudgetExceeded(_told("max_tokens_total", f"{used:,} of {most:,} tokens"))
        money = self.config.max_cost
        if money is not None and cost(self.config, prompt, completion) > money:
            raise BudgetExceeded(_told("max_cost", f"{self.cost:.4f} of {money:g}"))


def _told(field: str, used: str) -> str:
    return (
        f"The budget of the language model is used up: {used}, and the next reply could need "
        f"more than is left. All replies so far are kept: raise `llm.{field}` and run again to go "
        "on from there, or set `llm.on_budget` to `finish` to go on with the replies there are."
    )


def cost(config: LLMConfig, prompt_tokens: int, completion_tokens: int) -> float:
    """Return what so many tokens cost."""
    price = prompt_tokens * config.price_prompt + completion_tokens * config.price_completion
    return price / MILLION
