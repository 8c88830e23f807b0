"""The decision framework, as one table.

Each rule says when it holds, what it is worth to which methods, why, and who found it.
Points are comparable across rules: 1 tips the balance between equals, 3 decides. No rule
asks for the budgets: they remove methods and never reorder them, so that more memory never
takes a method away.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tasks.recommendation.situation import Situation

HU = "Hu et al. 2021, arXiv 2106.09685"
DETTMERS = "Dettmers et al. 2023, arXiv 2305.14314"
BIDERMAN = "Biderman et al. 2024, arXiv 2405.09673"
GEKHMAN = "Gekhman et al. 2024, arXiv 2405.05904"
LIU = "Liu et al. 2022, arXiv 2205.05638"
LESTER = "Lester et al. 2021, arXiv 2104.08691"
NAYAK = "Nayak et al. 2025, arXiv 2504.07097"
PEFT = "PEFT's method comparison on Llama-3.2-3B, 2026"


@dataclass(frozen=True)
class Trait:
    """What a method is when it serves, whatever the situation."""

    mergeable: bool  # becomes plain weights: the base's latency
    extra_latency: float  # share of the base's time a token, where it is not merged
    swappable: bool  # many on one base in memory
    source: str


@dataclass(frozen=True)
class Rule:
    """One criterion: when it holds, points for methods, the reason and its source."""

    criterion: str
    holds: Callable[[Situation], bool]
    points: Mapping[str, float]
    reason: str
    source: str


TRAITS: dict[str, Trait] = {
    "full": Trait(True, 0.0, False, HU),
    "lora": Trait(True, 0.1, True, HU),
    "dora": Trait(True, 0.2, True, PEFT),
    "qlora": Trait(True, 0.1, True, DETTMERS),
    "osf": Trait(True, 0.0, False, NAYAK),
    "ia3": Trait(True, 0.02, True, LIU),
    "prefix_tuning": Trait(False, 0.05, True, PEFT),
    "prompt_tuning": Trait(False, 0.05, True, LESTER),
    "bottleneck": Trait(False, 0.25, True, f"{HU}, table 1: 20 to 30 % at batch 1"),
}

RULES: tuple[Rule, ...] = (
    Rule(
        "start",
        lambda s: True,
        {"lora": 3, "dora": 2.5, "qlora": 2.5, "full": 2, "osf": 1.5, "bottleneck": 1, "ia3": 1},
        "accuracy on GSM8K: LoRA 0.48 to 0.51, full 0.47, DoRA 0.47, OSF 0.43, IA3 0.31 to 0.46, "
        "prefix 0.19 to 0.42, prompt 0.06 to 0.34; QLoRA equals LoRA at 16 bits, but is slower",
        f"{PEFT}; {DETTMERS}",
    ),
    Rule(
        "knowledge",
        lambda s: s.objective == "knowledge",
        {"full": 1, "prompt_tuning": -2, "prefix_tuning": -2, "ia3": -2},
        "facts need capacity: full fine-tuning learns more than LoRA, a few vectors hold little",
        BIDERMAN,
    ),
    Rule(
        "complexity and data",
        lambda s: s.complexity == "complex" and s.examples >= 50_000,
        {"full": 3, "ia3": -1, "prompt_tuning": -2, "prefix_tuning": -1},
        "in code and mathematics with much data LoRA stays behind full fine-tuning: its updates "
        "have 10 to 100 times the rank",
        BIDERMAN,
    ),
    Rule(
        "little data",
        lambda s: s.examples < 500 and s.complexity == "simple",
        {"ia3": 3, "full": -2, "osf": -1},
        "with few examples IA3 beat in-context learning and full fine-tuning overfits",
        LIU,
    ),
    Rule(
        "unknown facts",
        lambda s: s.unknown_share > 0.3,
        {"full": -2, "osf": 0.5},
        "learning unknown facts makes a model invent: 37.5 falls to 25.8 % by convergence; what "
        "changes less of the model limits the harm",
        f"{GEKHMAN}; {BIDERMAN}",
    ),
    Rule(
        "many tasks",
        lambda s: s.tasks_at_once > 1,
        {"full": -4, "osf": -4},
        "adapters share one base in memory; a full copy for each task does not",
        HU,
    ),
    Rule(
        "very many simple tasks",
        lambda s: s.tasks_at_once >= 50 and s.complexity == "simple",
        {"ia3": 3, "prompt_tuning": 2},
        "hundreds of tasks in one batch: a few vectors a task, at most a megabyte",
        f"{LIU}; {LESTER}",
    ),
    Rule(
        "retention",
        lambda s: s.keep_abilities,
        {"osf": 3, "lora": 0.5, "full": 0.5, "prompt_tuning": -1, "prefix_tuning": -1},
        "rise of loss on other text: OSF 0.017, full at a low rate 0.030, LoRA 0.050, prompts up "
        "to 1.8 while they are active",
        f"{NAYAK}; {PEFT}",
    ),
)

# What no choice of method can do, said beside the ranking.
ADVICE: tuple[Rule, ...] = (
    Rule(
        "unknown facts",
        lambda s: s.objective == "knowledge" and s.unknown_share > 0.3,
        {},
        "stop early, prefer facts that the base half knows, and answer from retrieved documents",
        GEKHMAN,
    ),
    Rule(
        "learning rate",
        lambda s: s.keep_abilities,
        {},
        "the rate matters as much as the method: full fine-tuning at 1e-5 forgot less than LoRA",
        PEFT,
    ),
)
