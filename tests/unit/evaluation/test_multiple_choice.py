import logging

import pytest
import torch
from peft import IA3Config, LoraConfig, PromptTuningConfig, get_peft_model

from tasks.evaluation import multiple_choice
from tasks.evaluation.general import ChoiceItem
from tasks.evaluation.multiple_choice import (
    EncodedItem,
    choice_scores,
    encode_item,
    plain_scores,
    shared_scores,
)
from tests.tiny_models import SLIDING_WINDOW, tiny_base
from tests.unit.evaluation.conftest import Tiny

QUERIES = ["The capital of France is", "Question: Which of these is a colour?", "Ferry " * 9]
CHOICES = [("Paris", "Rome."), ("The sky is blue, of course.", "No", "x"), ("a", "b", "ab", "abc")]


@pytest.fixture
def items(tiny: Tiny) -> list[EncodedItem]:
    raw = [
        ChoiceItem(str(at), "skill", query, choices, 0)
        for at, (query, choices) in enumerate(zip(QUERIES, CHOICES, strict=True))
    ]
    return [encode_item(tiny.tokenizer, item) for item in raw]


def wrapped(tiny: Tiny, config: object) -> torch.nn.Module:
    """Return a fresh copy of the model with an adapter that changes its output."""
    from tasks.modeling.base_model import load_model

    model = get_peft_model(load_model(tiny.base), config).eval()
    torch.manual_seed(1)
    for parameter in model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.3)
    return model


def assert_equal(left: list[list[float]], right: list[list[float]]) -> None:
    assert [len(row) for row in left] == [len(row) for row in right]
    for a, b in zip(left, right, strict=True):
        assert a == pytest.approx(b, rel=1e-4)


@pytest.mark.parametrize("limit", [16, 512])
def test_sharing_the_prompt_gives_what_the_plain_way_gives(
    tiny: Tiny, items: list[EncodedItem], limit: int
) -> None:
    pad = tiny.tokenizer.pad_token_id
    shared = shared_scores(tiny.model, items, pad, limit)
    assert_equal(shared, plain_scores(tiny.model, items, pad, limit))
    assert len({round(score, 3) for row in shared for score in row}) == 9  # not all alike


def test_sharing_works_on_adapters(tiny: Tiny, items: list[EncodedItem]) -> None:
    pad = tiny.tokenizer.pad_token_id
    for config in (
        LoraConfig(r=4, target_modules=["q_proj", "v_proj", "down_proj"], task_type="CAUSAL_LM"),
        IA3Config(
            target_modules=["k_proj", "down_proj"],
            feedforward_modules=["down_proj"],
            task_type="CAUSAL_LM",
        ),
    ):
        model = wrapped(tiny, config)
        shared = shared_scores(model, items, pad, 512)
        assert_equal(shared, plain_scores(model, items, pad, 512))
        base = shared_scores(tiny.model, items, pad, 512)
        assert base[0] != pytest.approx(shared[0], rel=1e-3)  # the adapter was in force


def test_prompt_tuning_is_scored_the_plain_way(
    tiny: Tiny, items: list[EncodedItem], caplog: pytest.LogCaptureFixture
) -> None:
    pad = tiny.tokenizer.pad_token_id
    model = wrapped(tiny, PromptTuningConfig(num_virtual_tokens=4, task_type="CAUSAL_LM"))
    assert_equal(choice_scores(model, items, pad, 512), plain_scores(model, items, pad, 512))
    assert caplog.text == ""  # known beforehand, not found out by trying


def test_items_beyond_the_sliding_window_are_scored_the_plain_way(
    tiny: Tiny, items: list[EncodedItem]
) -> None:
    pad = tiny.tokenizer.pad_token_id
    long = ChoiceItem("long", "skill", "The ferry carries cars. " * 20, ("blue", "a dog"), 0)
    mixed = [*items, encode_item(tiny.tokenizer, long), items[0]]
    assert mixed[3].longest > SLIDING_WINDOW
    assert_equal(
        choice_scores(tiny.model, mixed, pad, 512), plain_scores(tiny.model, mixed, pad, 512)
    )


@pytest.mark.parametrize("fault", ["ignores masks", "refuses masks"])
def test_a_model_that_cannot_share_is_found_out(
    tiny: Tiny,
    items: list[EncodedItem],
    fault: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    original = tiny.model.forward

    def forward(attention_mask: torch.Tensor, **options: object) -> object:
        if attention_mask.dim() == 4:
            if fault == "refuses masks":
                raise ValueError("wrong shape of attention_mask")
            attention_mask = None
        return original(attention_mask=attention_mask, **options)

    monkeypatch.setattr(tiny.model, "forward", forward)
    pad = tiny.tokenizer.pad_token_id
    with caplog.at_level(logging.WARNING):
        found = choice_scores(tiny.model, items, pad, 512)
    assert_equal(found, plain_scores(tiny.model, items, pad, 512))
    assert "do not share" in caplog.text


def test_sharing_is_used_where_it_can(
    tiny: Tiny, items: list[EncodedItem], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def spy(model: object, items: list[EncodedItem], *rest: object) -> list[list[float]]:
        calls.append(len(items))
        return shared_scores(model, items, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(multiple_choice, "shared_scores", spy)
    choice_scores(tiny.model, items, tiny.tokenizer.pad_token_id, 512)
    assert calls == [len(items)]


def test_prompt_and_choice_are_the_tokens_of_the_whole_text(tiny: Tiny) -> None:
    item = ChoiceItem("i", "s", " The capital of France is ", ("Paris.", " Paris, France"), 0)
    encoded = encode_item(tiny.tokenizer, item)
    texts = ["The capital of France is Paris.", "The capital of France is Paris, France"]
    for choice, text in zip(encoded.choices, texts, strict=True):
        assert tiny.tokenizer.decode(encoded.prompt + choice) == f"<bos>{text}"


def test_questions_are_followed_by_answer(tiny: Tiny) -> None:
    item = ChoiceItem("i", "s", "Question: dresser\n", ("blue", "red"), 0)
    encoded = encode_item(tiny.tokenizer, item)
    whole = tiny.tokenizer.decode(encoded.prompt + encoded.choices[0])
    assert whole == "<bos>Question: dresser\nAnswer: blue"


def test_choices_that_begin_alike_share_no_more_than_the_query(tiny: Tiny) -> None:
    item = ChoiceItem("i", "s", "Question: dresser", ("the blue one", "the blue"), 0)
    encoded = encode_item(tiny.tokenizer, item)
    assert all(encoded.choices)
    assert tiny.tokenizer.decode(encoded.choices[1]).strip() == "the blue"


@pytest.mark.model
def test_the_embedded_model_scores_alike_and_well_above_chance(embedded_base) -> None:
    from tasks.evaluation.general import SHIPPED, read_general
    from tasks.evaluation.predict import pick
    from tasks.modeling.base_model import load_model, load_tokenizer

    model, tokenizer = load_model(embedded_base).eval(), load_tokenizer(embedded_base)
    chosen = pick(read_general(SHIPPED).items, lambda item: item.item_id, 60)
    encoded = [encode_item(tokenizer, item) for item in chosen]
    shared = shared_scores(model, encoded, tokenizer.pad_token_id, 256)
    assert_equal(shared[:12], plain_scores(model, encoded[:12], tokenizer.pad_token_id, 256))
    right = sum(max(s) == s[item.gold] for s, item in zip(shared, chosen, strict=True))
    chance = sum(1 / len(item.choices) for item in chosen)
    assert chance + 2 * len(chosen) ** 0.5 / 2 < right < 0.97 * len(chosen)


def test_unknown_architectures_have_no_tiny_model(tmp_path) -> None:
    with pytest.raises(ValueError, match="gemma3, llama"):
        tiny_base(tmp_path, "mamba")
