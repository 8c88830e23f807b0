"""What the literature says of training methods, and whether measured figures agree."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from statistics import median
from typing import Any, Literal

from data_contracts.results import Interval
from tasks.evaluation.bootstrap import paired_interval

Figures = Mapping[str, Mapping[str, Any]]
Rows = Literal["test", "general"]

# LoRA of a rank at which it trains as many parameters as WeGeFT does.
EQUAL = "lora, as large as wegeft"
SEED, RESAMPLES = 29, 2_000


@dataclass(frozen=True)
class Claim:
    """A statement about two methods.

    Attributes:
        text: The statement, with its source.
        methods: The methods that must have been measured.
        value: What our figures say, given them in that order.
        least: The figure lies above, if the statement is true.
        most: And below.
        what: What the figure is.
    """

    text: str
    methods: tuple[str, ...]
    value: Callable[..., Interval]
    least: float
    most: float
    what: str

    def known(self, measured: Figures) -> bool:
        """Return whether all its methods were measured."""
        return all(name in measured for name in self.methods)

    def judged(self, measured: Figures) -> str:
        """Return the claim with our figure and whether that agrees."""
        found = self.value(*(measured[name] for name in self.methods))
        verdict = "does not tell"
        if self.least <= found.low and found.high <= self.most:
            verdict = "agrees"
        elif found.high < self.least or found.low > self.most:
            verdict = "CONTRADICTS"
        figure = f"{found.estimate:.2f}"
        if found.low < found.high:
            figure += f" ({found.low:.2f} to {found.high:.2f})"
        return f"{self.text}: {figure} {self.what}. Our run {verdict}."


def exactly(value: float) -> Interval:
    """Return a figure that was measured once."""
    return Interval(estimate=value, low=value, high=value)


def ratio(name: str) -> Callable[..., Interval]:
    """Return the quotient of a figure of two methods."""
    return lambda first, second: exactly(first[name] / second[name])


def told(found: Mapping[str, Any], name: str) -> Interval:
    """Return a model's latency beside the base's: the median over rounds, and all of them."""
    pairs = zip(found[f"latency_{name}_rounds"], found["latency_base_rounds"], strict=True)
    rounds = [mine / base for mine, base in pairs]
    return Interval(estimate=median(rounds), low=min(rounds), high=max(rounds))


def change(found: Mapping[str, Any], rows: Rows, falls: bool) -> Interval:
    """Return how far a method changes the loss, in nats a token: falls (gain), or else rises."""
    before, after = found[f"{rows}_base_rows"], found[f"{rows}_tuned_rows"]
    return difference(found, rows, *((after, before) if falls else (before, after)))


def more_gain(first: Mapping[str, Any], second: Mapping[str, Any]) -> Interval:
    """Return how much more the first method learns, on the same test rows."""
    return difference(first, "test", first["test_tuned_rows"], second["test_tuned_rows"])


def more_forgotten(first: Mapping[str, Any], second: Mapping[str, Any]) -> Interval:
    """Return how much more the first method forgets, on the same passages."""
    return difference(first, "general", second["general_tuned_rows"], first["general_tuned_rows"])


def difference(
    found: Mapping[str, Any], rows: Rows, less: list[float], more: list[float]
) -> Interval:
    """Return more - less over the same rows, a token as good as another."""
    tokens = found[f"{rows}_tokens"]
    clusters = found.get(f"{rows}_clusters") or [str(number) for number in range(len(tokens))]
    return paired_interval(less, more, clusters, SEED, RESAMPLES, weights=tokens)


CLAIMS = (
    Claim(
        "LoRA needs about a third of the memory of full fine-tuning (Hu et al. 2021: 0.29 for "
        "GPT-3; at 270M parameters libraries, weights and activations weigh more)",
        ("lora", "full"),
        ratio("peak_bytes"),
        0,
        0.5,
        "of its peak",
    ),
    Claim(
        "LoRA learns less than full fine-tuning (Biderman et al. 2024)",
        ("full", "lora"),
        more_gain,
        0,
        inf,
        "nats more gain by full fine-tuning",
    ),
    Claim(
        "LoRA forgets less than full fine-tuning (Biderman et al. 2024)",
        ("full", "lora"),
        more_forgotten,
        0,
        inf,
        "nats more forgotten by full fine-tuning",
    ),
    Claim(
        "A merged LoRA answers as fast as its base (Hu et al. 2021, section 4.1)",
        ("lora",),
        lambda lora: told(lora, "merged"),
        0.9,
        1.1,
        "of the base's latency",
    ),
    Claim(
        "Bottleneck adapters make answers slower (Hu et al. 2021, table 1: up to 30 % at batch 1)",
        ("bottleneck",),
        lambda bottleneck: told(bottleneck, "unmerged"),
        1,
        inf,
        "of the base's latency",
    ),
    Claim(
        "QLoRA needs less memory than LoRA (Dettmers et al. 2023; here the base is loaded whole "
        "before it is quantised)",
        ("qlora", "lora"),
        ratio("peak_bytes"),
        0,
        1,
        "of LoRA's peak",
    ),
    Claim(
        "QLoRA learns as much as LoRA on 16 bits, within 0.05 nats (Dettmers et al. 2023)",
        ("qlora", "lora"),
        more_gain,
        -0.05,
        0.05,
        "nats more gain by QLoRA",
    ),
    Claim(
        "Prefix tuning learns less than LoRA (Hu et al. 2021, table 4)",
        ("lora", "prefix_tuning"),
        more_gain,
        0,
        inf,
        "nats more gain by LoRA",
    ),
    Claim(
        "On small models prompt tuning stays behind full fine-tuning (Lester et al. 2021)",
        ("full", "prompt_tuning"),
        more_gain,
        0,
        inf,
        "nats more gain by full fine-tuning",
    ),
    Claim(
        "With few rows IA3 learns more than full fine-tuning (Liu et al. 2022)",
        ("ia3", "full"),
        more_gain,
        0,
        inf,
        "nats more gain by IA3",
    ),
    Claim(
        "WeGeFT learns at least as much as LoRA of equal size (Savadikar et al. 2023)",
        ("wegeft", EQUAL),
        more_gain,
        0,
        inf,
        "nats more gain by WeGeFT",
    ),
    Claim(
        "DoRA trains more slowly than LoRA (Liu et al. 2024, section 4.3)",
        ("dora", "lora"),
        ratio("tokens_per_second"),
        0,
        1,
        "of LoRA's tokens a second",
    ),
    Claim(
        "DoRA learns at least as much as LoRA (Liu et al. 2024)",
        ("dora", "lora"),
        more_gain,
        0,
        inf,
        "nats more gain by DoRA",
    ),
    Claim(
        "PiSSA learns faster than LoRA (Meng et al. 2024)",
        ("pissa", "lora"),
        more_gain,
        0,
        inf,
        "nats more gain by PiSSA in the same steps",
    ),
    Claim(
        "LoRA+ learns faster than LoRA (Hayou et al. 2024)",
        ("loraplus", "lora"),
        more_gain,
        0,
        inf,
        "nats more gain by LoRA+ in the same steps",
    ),
)
