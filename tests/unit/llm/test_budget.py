"""What is set aside while requests are under way."""

import pytest

from tasks.llm.budget import Budget, BudgetExceeded
from tasks.llm.client import Request
from tasks.llm.config import LLMConfig
from tests.unit.llm.conftest import Answer, reply

LONG = Request([{"role": "user", "content": "x" * 299}], Answer)  # about 100 tokens
SHORT = Request([{"role": "user", "content": "x"}], Answer)


def test_prompts_and_replies_under_way_are_set_aside() -> None:
    budget = Budget(LLMConfig(max_tokens=16, max_tokens_total=230))
    with budget.set_aside(LONG):
        with pytest.raises(BudgetExceeded, match="0 of 230 tokens"), budget.set_aside(LONG):
            pass
        with budget.set_aside(SHORT):
            pass
    with budget.set_aside(LONG):
        budget.spend(reply(tokens=16))
    assert (budget.prompt_tokens, budget.completion_tokens) == (3, 16)
    with budget.set_aside(LONG):  # what was set aside is free again
        pass
    with pytest.raises(BudgetExceeded), budget.set_aside(LONG), budget.set_aside(LONG):
        pass


def test_how_many_requests_a_budget_allows_at_once() -> None:
    config = LLMConfig(max_tokens=16, max_cost=0.001, price_prompt=1.0, price_completion=10.0)
    assert Budget(config).affordable([LONG] * 9) == 3  # 0.00026 each
    assert Budget(LLMConfig()).affordable([LONG] * 9) == 9
