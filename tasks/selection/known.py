"""What a base model knows already: SliCK (Gekhman et al. 2024, section 3 and appendix C).

Each question is asked under several few-shot prompts. A fact is HighlyKnown if the greedy
answer is right under all of them, MaybeKnown if under some, WeaklyKnown if only a sampled
answer is ever right, and Unknown if none is. Sampling is left out where it decides nothing.
"""

import copy
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

import torch

from data_contracts.base import digest
from tasks.progress import track
from tasks.selection.config import Knowledge, KnowledgeConfig
from tasks.text.right import is_right

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TEMPERATURE = 0.5  # as in the paper

# Questions answered at a time: one decoding step reads all weights, whatever their number.
_ROWS_PER_BATCH = 32


@dataclass(frozen=True)
class Fact:
    """A question that stands for a fact, and its answer."""

    fact_id: str
    question: str
    answer: str


@dataclass(frozen=True)
class _Prompt:
    """A few-shot prompt; it says nothing on the facts that it shows."""

    text: str
    shown: frozenset[str]


def classify(
    questions: Sequence[Fact],
    shots: Sequence[Fact],
    model: Any,
    tokenizer: "PreTrainedTokenizerBase",
    config: KnowledgeConfig,
) -> dict[str, Knowledge]:
    """Return the class of each fact.

    A fact that every prompt shows has no class.

    Args:
        questions: The facts to ask about, one question each.
        shots: Facts from which the solved examples are drawn.
        model: The base model, in evaluation mode.
        tokenizer: Its tokenizer.
        config: How often, and when an answer is right.
    """
    greedy: defaultdict[str, list[bool]] = defaultdict(list)
    prompts = list(_prompts(shots, config))
    for prompt in track(prompts, "Asking what the base model knows", len(prompts)):
        asked = [fact for fact in questions if fact.fact_id not in prompt.shown]
        for fact, answers in _ask(model, tokenizer, prompt.text, asked, config, samples=0):
            greedy[fact.fact_id].append(is_right(answers[0], fact.answer, config.min_recall))
    never = [fact for fact in questions if fact.fact_id in greedy and not any(greedy[fact.fact_id])]
    sampled = _sampled(never, prompts, model, tokenizer, config)
    return {name: _class(right, name in sampled) for name, right in greedy.items()}


def _class(greedy: Sequence[bool], sampled: bool) -> Knowledge:
    if all(greedy):
        return "HighlyKnown"
    if any(greedy):
        return "MaybeKnown"
    return "WeaklyKnown" if sampled else "Unknown"


def _sampled(
    questions: Sequence[Fact],
    prompts: Sequence[_Prompt],
    model: Any,
    tokenizer: "PreTrainedTokenizerBase",
    config: KnowledgeConfig,
) -> set[str]:
    """Return the facts of which a sampled answer is right under any prompt."""
    right: set[str] = set()
    if not config.samples:
        return right
    for prompt in track(prompts, "Sampling what it may know", len(prompts)):
        open_ = [f for f in questions if f.fact_id not in right and f.fact_id not in prompt.shown]
        for fact, answers in _ask(model, tokenizer, prompt.text, open_, config, config.samples):
            if any(is_right(answer, fact.answer, config.min_recall) for answer in answers):
                right.add(fact.fact_id)
    return right


def _prompts(shots: Sequence[Fact], config: KnowledgeConfig) -> Iterator[_Prompt]:
    """Yield few-shot prompts of facts with short answers, drawn by the seed."""
    ordered = sorted(shots, key=lambda fact: (len(fact.answer.split()) > 12, fact.fact_id))
    pool = [fact for fact in ordered if len(fact.answer.split()) <= 12] or ordered
    for number in range(config.prompts):
        random = Random(f"{config.seed}:{number}")  # noqa: S311 - no secret
        drawn = random.sample(pool, min(config.shots, len(pool)))
        text = "".join(f"Q: {fact.question}\nA: {fact.answer}\n\n" for fact in drawn)
        yield _Prompt(text, frozenset(fact.fact_id for fact in drawn))


def _ask(
    model: Any,
    tokenizer: "PreTrainedTokenizerBase",
    prefix: str,
    asked: Sequence[Fact],
    config: KnowledgeConfig,
    samples: int,
) -> Iterator[tuple[Fact, list[str]]]:
    """Yield each fact with the greedy answer, or with sampled ones.

    What the questions share, the few-shot prompt, passes through the model once. Padding stands
    between it and a question, where the mask hides it and positions do not count it.
    """
    shared = tokenizer.encode(prefix)
    own = [
        (fact, tokenizer.encode(f"Q: {fact.question}\nA:", add_special_tokens=False))
        for fact in asked
    ]
    own.sort(key=lambda row: len(row[1]))  # rows of like length have little padding
    cache = _read(model, shared)
    for start in range(0, len(own), _ROWS_PER_BATCH):
        batch = own[start : start + _ROWS_PER_BATCH]
        prompts = [ids for _, ids in batch]
        answers = _generate(model, tokenizer, cache, shared, prompts, config, samples)
        for (fact, _), texts in zip(batch, answers, strict=True):
            yield fact, texts


def _read(model: Any, ids: list[int]) -> Any:
    """Return the model's cache after some tokens."""
    with torch.inference_mode():
        row = torch.tensor([ids], device=model.device)
        return model(row, use_cache=True, logits_to_keep=1).past_key_values


def _generate(
    model: Any,
    tokenizer: "PreTrainedTokenizerBase",
    cache: Any,
    shared: list[int],
    prompts: Sequence[list[int]],
    config: KnowledgeConfig,
    samples: int,
) -> list[list[str]]:
    """Return the answers to prompts that go on from the shared tokens, which the cache holds."""
    from transformers import GenerationConfig

    copies, longest = max(samples, 1), max(map(len, prompts))
    padding = [longest - len(ids) for ids in prompts for _ in range(copies)]
    texts = [ids for ids in prompts for _ in range(copies)]
    pad = tokenizer.pad_token_id
    padded = [shared + [pad] * n + ids for n, ids in zip(padding, texts, strict=True)]
    rows = torch.tensor(padded, device=model.device)
    place = torch.arange(rows.shape[1]) - len(shared)
    mask = ((place < 0) | (place >= torch.tensor(padding)[:, None])).long()
    own = copy.deepcopy(cache)
    own.batch_repeat_interleave(len(rows))
    sampling: dict[str, Any] = {"do_sample": False}
    if samples:
        sampling = {"do_sample": True, "temperature": TEMPERATURE, "top_k": 0, "top_p": 1.0}
    settings = GenerationConfig(
        max_new_tokens=config.max_new_tokens,
        eos_token_id=_line_ends(tokenizer),
        pad_token_id=pad,
        **sampling,
    )
    with torch.random.fork_rng(devices=[]), torch.inference_mode():
        torch.manual_seed(int(digest([config.seed, list(prompts)], length=12), 16))
        output = model.generate(
            input_ids=rows,
            attention_mask=mask.to(model.device),
            past_key_values=own,
            generation_config=settings,
        )
    new = output[:, rows.shape[1] :].tolist()
    written = [str(tokenizer.decode(ids, skip_special_tokens=True)) for ids in new]
    answers = [text.strip().split("\n", 1)[0] for text in written]
    return [answers[at : at + copies] for at in range(0, len(answers), copies)]


def _line_ends(tokenizer: "PreTrainedTokenizerBase") -> list[int]:
    """Return the tokens that end an answer: the end token, and line breaks."""
    breaks = [tokenizer.encode("\n" * n, add_special_tokens=False) for n in (1, 2)]
    return [int(str(tokenizer.eos_token_id)), *{ids[0] for ids in breaks if len(ids) == 1}]
