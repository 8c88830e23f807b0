"""What a base model knows: asking with a shared prompt equals asking in full."""

import pytest
import torch

from tasks.modeling.base_model import load_model, load_tokenizer
from tasks.selection import known
from tasks.selection.config import KnowledgeConfig
from tasks.selection.known import Fact, classify
from tasks.text.right import is_right
from tests.tiny_models import tiny_base

FACTS = [
    Fact(f"f{n}", f"Where is the ferry {'very ' * (n % 3)}number {n}?", f"pier {n}")
    for n in range(12)
]
CONFIG = KnowledgeConfig(prompts=3, shots=2, samples=2, max_new_tokens=6)


@pytest.fixture(scope="module", params=["gemma3", "llama"])
def tiny(request, tmp_path_factory):
    base = tiny_base(tmp_path_factory.mktemp(request.param), request.param)
    return load_model(base).eval(), load_tokenizer(base)


def test_a_shared_prompt_gives_the_answers_that_whole_prompts_give(tiny) -> None:
    model, tokenizer = tiny
    prefix = "Q: Where is the ship?\nA: at sea\n\n"
    answers = dict(known._ask(model, tokenizer, prefix, FACTS, CONFIG, samples=0))
    for fact in FACTS:
        ids = tokenizer.encode(prefix)
        ids += tokenizer.encode(f"Q: {fact.question}\nA:", add_special_tokens=False)
        with torch.inference_mode():
            output = model.generate(
                input_ids=torch.tensor([ids]),
                attention_mask=torch.ones(1, len(ids), dtype=torch.long),
                max_new_tokens=CONFIG.max_new_tokens,
                do_sample=False,
                eos_token_id=known._line_ends(tokenizer),
                pad_token_id=tokenizer.pad_token_id,
            )
        text = tokenizer.decode(output[0, len(ids) :], skip_special_tokens=True)
        assert answers[fact] == [text.strip().split("\n", 1)[0]]


def test_every_fact_has_a_class_and_the_same_one_each_time(tiny) -> None:
    model, tokenizer = tiny
    classes = classify(FACTS, FACTS, model, tokenizer, CONFIG)
    assert set(classes) == {fact.fact_id for fact in FACTS}
    assert classes == classify(FACTS, FACTS, model, tokenizer, CONFIG)


def test_classes_follow_from_which_answers_are_right(monkeypatch) -> None:
    right = {"always": [True] * 3, "once": [False, True, False], "never": [False] * 3}
    right["sampled"] = [False] * 3
    asked: dict[str, int] = dict.fromkeys(right, 0)

    def ask(model, tokenizer, prefix, facts, config, samples):
        for fact in facts:
            if samples:
                yield fact, ["wrong", "pier" if fact.fact_id == "sampled" else "wrong"]
            else:
                yield fact, ["pier" if right[fact.fact_id][asked[fact.fact_id]] else "wrong"]
                asked[fact.fact_id] += 1

    monkeypatch.setattr(known, "_ask", ask)
    facts = [Fact(name, "Where?", "pier") for name in right]
    shots = [Fact(f"s{n}", "Who?", "me") for n in range(9)]
    assert classify(facts, shots, None, None, CONFIG) == {
        "always": "HighlyKnown",
        "once": "MaybeKnown",
        "sampled": "WeaklyKnown",
        "never": "Unknown",
    }


@pytest.mark.parametrize(
    ("answer", "reference", "right"),
    [
        ("It is at Pier 4, in the harbour.", "pier 4", True),
        ("Pier 14", "pier 4", False),
        ("The harbour master of the port approves it", "The harbour master approves it.", True),
        ("The captain", "The harbour master approves it.", False),
        ("", "pier", False),
    ],
)
def test_an_answer_is_right_if_it_holds_the_reference(answer, reference, right) -> None:
    assert is_right(answer, reference, 0.8) is right


@pytest.mark.model
def test_the_embedded_model_knows_capitals_and_not_our_ferries(embedded_base) -> None:
    capitals = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Japan": "Tokyo"}
    capitals |= {"Germany": "Berlin", "Egypt": "Cairo", "Russia": "Moscow", "Greece": "Athens"}
    facts = [Fact(c, f"What is the capital of {c}?", t) for c, t in capitals.items()]
    invented = ["Quorlit", "Vembadd", "Trusk", "Olivane"]
    facts += [Fact(n, f"What is the capital of {n}?", f"{n[::-1].title()}") for n in invented]
    model, tokenizer = load_model(embedded_base).eval(), load_tokenizer(embedded_base)
    config = KnowledgeConfig(prompts=3, shots=4, samples=2, max_new_tokens=8)
    classes = classify(facts, facts[:8], model, tokenizer, config)
    known_ones = [classes[c] in ("HighlyKnown", "MaybeKnown") for c in capitals if c in classes]
    assert sum(known_ones) >= 0.7 * len(known_ones)
    assert all(classes[name] == "Unknown" for name in invented)
