"""The page and the picture of `benchmarks.methods`: what was measured, beside the literature."""

from collections.abc import Mapping
from html import escape
from typing import Any

Figures = Mapping[str, Mapping[str, Any]]

GIB, MIB = 2**30, 2**20
COLUMNS = (
    "method | trained share | peak GiB | stored MiB | tokens/s | latency, unmerged | "
    "latency, merged | gain | forgetting | merged as large as the base"
)
WIDTH, HEIGHT, MARGIN = 720, 420, 60


def gain(found: Mapping[str, float]) -> float:
    """Return how far the loss on the task fell, in nats a token."""
    return found["test_base"] - found["test_tuned"]


def forgetting(found: Mapping[str, float]) -> float:
    """Return how far the loss on general text rose, in nats a token."""
    return found["general_tuned"] - found["general_base"]


def render(measured: Figures, heading: str) -> str:
    """Return the page."""
    return "\n".join(
        [
            "# Training methods beside each other",
            "",
            heading,
            "",
            "Latency is that of a generated token, as a multiple of the base's in the same run.",
            "",
            f"| {COLUMNS} |",
            f"|{'---|' * len(COLUMNS.split('|'))}",
            *(line(label, found) for label, found in measured.items()),
            "",
            "![Gain against peak memory](methods.svg)",
            "",
            "## Beside the literature",
            "",
            *(f"- {text}" for text in claims(measured)),
            "",
        ]
    )


def line(label: str, found: Mapping[str, Any]) -> str:
    """Return one row of the table."""
    base = found["latency_base"]
    merged = f"{found['latency_merged'] / base:.2f}" if "latency_merged" in found else "-"
    same = "-"
    if "merged_parameters" in found:
        same = "yes" if found["merged_parameters"] == found["base_parameters"] else "NO"
    return (
        f"| {label} | {found['trainable'] / found['total']:.3%} | "
        f"{found['peak_bytes'] / GIB:.2f} | {found['stored_bytes'] / MIB:.2f} | "
        f"{found['tokens_per_second']:.0f} | {found['latency_unmerged'] / base:.2f} | {merged} | "
        f"{gain(found):+.3f} | {forgetting(found):+.3f} | {same} |"
    )


def claims(measured: Figures) -> list[str]:
    """Return what the literature says and whether these figures agree."""
    found = []
    if {"full", "lora"} <= measured.keys():
        full, lora = measured["full"], measured["lora"]
        found += [
            judged(
                "LoRA needs about a third of the memory of full fine-tuning (Hu et al. 2021: "
                "0.29 for GPT-3)",
                lora["peak_bytes"] / full["peak_bytes"],
                lambda ratio: ratio <= 0.5,
                "of its peak; at 270M parameters libraries, weights and activations weigh more",
            ),
            judged(
                "LoRA learns less and forgets less (Biderman et al. 2024)",
                forgetting(full) - forgetting(lora),
                lambda more: more > 0,
                "nats more forgotten by full fine-tuning",
            ),
        ]
    if {"dora", "lora"} <= measured.keys():
        found.append(
            judged(
                "DoRA is slower than LoRA in training (Liu et al. 2024, section 4.3)",
                measured["dora"]["tokens_per_second"] / measured["lora"]["tokens_per_second"],
                lambda ratio: ratio < 1,
                "of LoRA's tokens a second",
            )
        )
    if {"qlora", "lora"} <= measured.keys():
        found.append(
            judged(
                "QLoRA needs less memory than LoRA (Dettmers et al. 2023)",
                measured["qlora"]["peak_bytes"] / measured["lora"]["peak_bytes"],
                lambda ratio: ratio < 1,
                "of LoRA's peak; here the base is loaded whole before it is quantised",
            )
        )
    equal = next((name for name in measured if name.startswith("lora, rank")), "")
    if equal and "wegeft" in measured:
        found.append(
            judged(
                f"WeGeFT learns at least as much as LoRA of equal size ({equal}; Savadikar et "
                "al. 2023)",
                gain(measured["wegeft"]) - gain(measured[equal]),
                lambda more: more >= 0,
                "nats more gain",
            )
        )
    return found


def judged(claim: str, value: float, agrees: Any, what: str) -> str:
    """Return a claim with the figure and whether it agrees."""
    verdict = "agrees" if agrees(value) else "CONTRADICTS"
    return f"{claim}: {value:.2f} {what}. Our run {verdict}."


def scatter(measured: Figures) -> str:
    """Return the gain of each method against its peak memory, as SVG."""
    points = {label: (f["peak_bytes"] / GIB, gain(f)) for label, f in measured.items()}
    xs, ys = ([point[axis] for point in points.values()] for axis in (0, 1))
    (left, right), (low, high) = spread(xs), spread([*ys, 0.0])
    parts = []
    for label, (x, y) in points.items():
        across = MARGIN + (x - left) / (right - left) * (WIDTH - 3 * MARGIN)
        up = HEIGHT - MARGIN - (y - low) / (high - low) * (HEIGHT - 2 * MARGIN)
        parts.append(
            f'<circle cx="{across:.0f}" cy="{up:.0f}" r="4" fill="#2a6f97"/>'
            f'<text x="{across + 7:.0f}" y="{up + 4:.0f}">{escape(label)}</text>'
        )
    axes = (
        f'<path d="M{MARGIN} {MARGIN / 2}V{HEIGHT - MARGIN}H{WIDTH - MARGIN}" fill="none" '
        'stroke="#888"/>'
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 20}">peak memory, {left:.2f} to {right:.2f} GiB</text>'
        f'<text x="8" y="18">gain, {low:.2f} to {high:.2f} nats a token</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="12">{axes}{"".join(parts)}</svg>\n'
    )


def spread(values: list[float]) -> tuple[float, float]:
    """Return the least and the largest value, apart even where they are equal."""
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)
