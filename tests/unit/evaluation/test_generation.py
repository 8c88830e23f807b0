from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model

from tasks.evaluation.generation import (
    PROMPT_TOKENS_PER_BATCH,
    ROWS_PER_BATCH,
    generate_answers,
)
from tasks.evaluation.likelihood import TOKENS_PER_FORWARD
from tasks.modeling.base_model import load_model
from tasks.modeling.chat import end_token_ids, prompt_ids
from tests.tiny_models import SLIDING_WINDOW
from tests.unit.evaluation.conftest import Tiny

QUESTIONS = ["Why?", "What does the handbook say about leave? " * 8, "A ferry is what?"]


def prompts(tiny: Tiny) -> list[list[int]]:
    return [prompt_ids(tiny.tokenizer, {"question": question}) for question in QUESTIONS]


def greedy(model: torch.nn.Module, ids: list[int], steps: int, ends: set[int]) -> list[int]:
    """Return the greedy continuation, computed without cache, batch or padding."""
    new: list[int] = []
    for _ in range(steps):
        with torch.no_grad():
            token = int(model(input_ids=torch.tensor([[*ids, *new]])).logits[0, -1].argmax())
        if token in ends:
            break
        new.append(token)
    return new


def test_batched_answers_are_the_greedy_ones(tiny: Tiny) -> None:
    ends = set(end_token_ids(tiny.tokenizer))
    assert max(len(prompt) for prompt in prompts(tiny)) > SLIDING_WINDOW
    answers = generate_answers(tiny.model, tiny.tokenizer, prompts(tiny), 12)
    for prompt, answer in zip(prompts(tiny), answers, strict=True):
        new = greedy(tiny.model, prompt, 12, ends)
        assert answer.text == tiny.tokenizer.decode(new, skip_special_tokens=True).strip()
        assert answer.stopped == (len(new) < 12)


def test_an_answer_ends_at_its_end_token(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a token that the model does write as the end token."""
    rows = prompts(tiny)
    written = [greedy(tiny.model, row, 12, set()) for row in rows]
    end = written[0][3]
    monkeypatch.setattr("tasks.evaluation.generation.end_token_ids", lambda _tokenizer: [end])
    answers = generate_answers(tiny.model, tiny.tokenizer, rows, 12)
    for tokens, answer in zip(written, answers, strict=True):
        stop = tokens.index(end) if end in tokens else None
        assert answer.stopped == (stop is not None)
        text = tiny.tokenizer.decode(tokens[:stop], skip_special_tokens=True).strip()
        assert answer.text == text
    assert answers[0].stopped


def test_adapters_generate_too(tiny: Tiny) -> None:
    config = LoraConfig(r=4, target_modules=["q_proj", "down_proj"], task_type="CAUSAL_LM")
    model = get_peft_model(load_model(tiny.base), config).eval()
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.5)
    answers = generate_answers(model, tiny.tokenizer, prompts(tiny), 6)
    base = generate_answers(tiny.model, tiny.tokenizer, prompts(tiny), 6)
    assert [answer.text for answer in answers] != [answer.text for answer in base]


def test_as_many_rows_go_on_together_as_may(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows cost half of what sixteen do; scoring's bound on tokens is not theirs."""
    batches: list[int] = []
    generate = tiny.model.generate

    def counted(**options: Any) -> Any:
        batches.append(len(options["input_ids"]))
        return generate(**options)

    monkeypatch.setattr(tiny.model, "generate", counted)
    long = prompt_ids(tiny.tokenizer, {"question": "What about leave? " * 30})
    assert TOKENS_PER_FORWARD < ROWS_PER_BATCH * len(long) < PROMPT_TOKENS_PER_BATCH
    generate_answers(tiny.model, tiny.tokenizer, [long] * (ROWS_PER_BATCH + 2), 1)
    assert batches == [ROWS_PER_BATCH, 2]


def test_nothing_asked_nothing_answered(tiny: Tiny) -> None:
    assert generate_answers(tiny.model, tiny.tokenizer, [], 4) == []
