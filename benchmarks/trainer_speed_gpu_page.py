"""The page of `benchmarks.trainer_speed_gpu`."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from benchmarks.cards import Products, peak_of
from benchmarks.figures import middle
from benchmarks.trainer_speed_gpu_worker import has_liger

if TYPE_CHECKING:
    from benchmarks.trainer_speed_gpu import Plan

GIB = 2**30
TITLE = "# On a GPU: the trainer beside TRL with Liger kernels, and the largest model by QLoRA"
# First losses of both tools agree to three digits, or their figures are not of one task.
SAME = 5e-3
Runs = dict[str, list[dict[str, Any] | None]]


@dataclass(frozen=True)
class Speeds:
    """Figures of each tool, one entry a round, by method and kind of rows; None: no memory left."""

    cases: dict[tuple[str, str], Runs]
    products: Products


def not_measured(command: str) -> str:
    """Return the page of a machine without an accelerator."""
    return "\n".join(
        [
            TITLE,
            "",
            f"`{command}`, {_machine()}.",
            "",
            "**Not measured.** PyTorch finds no CUDA on this machine. Where there is one:",
            "",
            "    pip install liger-kernel    # without it TRL runs with its own kernels alone",
            "    python -m benchmarks.trainer_speed_gpu",
            "",
            "It makes a Llama 3.2 1B with random weights, trains it by LoRA and whole with Temper "
            "and with TRL, tells tokens a second, the share of the card's peak, and peak memory, "
            "and then climbs a ladder of real architectures, 1B to 405B, by QLoRA until one does "
            "not fit. `--tiny --page FILE` runs the same code on shrunken models on any machine.",
            "",
        ]
    )


def render(plan: "Plan", speeds: Speeds, rungs: Sequence[dict[str, Any]], command: str) -> str:
    """Return the page."""
    return "\n".join(
        [
            TITLE,
            "",
            f"`{command}`, {_machine()}; {_card(speeds, rungs)}.",
            "",
            *(["A trial on shrunken models: **no figure here means anything.**", ""] * plan.tiny),
            *_how(plan),
            "",
            *_comparison(plan, speeds),
            "",
            *_ladder(plan, rungs),
            "",
        ]
    )


def _machine() -> str:
    names = ("torch", "transformers", "trl", "bitsandbytes")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    liger = f"liger-kernel {version('liger-kernel')}" if has_liger() else "no liger-kernel"
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, {versions}, {liger}"
    )


def _card(speeds: Speeds, rungs: Sequence[dict[str, Any]]) -> str:
    found = [run for runs in speeds.cases.values() for each in runs.values() for run in each]
    found += [rung["measured"] for rung in rungs]
    known = next((run for run in found if run), None)
    if known is None:
        return "on no measurement was there enough memory"
    if not known["card"]:
        return "no card, on the processor"
    peak = peak_of(known["card"])
    told = f"{peak / 1e12:g} TFLOP/s in dense 16-bit products" if peak else "peak not known here"
    return f"{known['card']}, {known['memory'] / GIB:.0f} GiB, {told}"


def _how(plan: "Plan") -> list[str]:
    liger = (
        "TRL has `use_liger_kernel=True`; its own fused loss takes the place of Liger's."
        if has_liger()
        else "**TRL runs without Liger kernels: they are not installed here.** Its fused loss it "
        "has."
    )
    shapes = "; ".join(
        f"`{name}`: {length} tokens, of which the last {supervised} carry a label"
        for name, (length, supervised) in plan.shapes.items()
    )
    return [
        f"{plan.architecture} with random weights, rows of random tokens ({shapes}), batch "
        f"{plan.batch}, LoRA of rank 8, AdamW, {plan.steps} steps of which {plan.warm_up} are not "
        f"counted, {plan.rounds} round(s) in turn, each run a process of its own; medians. "
        "Products in bfloat16 where the card has it; a frozen base is held in it, what is trained "
        f"in single precision, for both tools. Nothing is computed anew. {liger}",
        "",
        "Share of the peak: what the step has to compute, 6·N operations a token for full "
        "fine-tuning (Kaplan et al. 2020), 4·N and 6 for each adapter weight for LoRA, over the "
        "card's published peak; N is the weights of the layers' matrices, and the head's where a "
        "token carries a label. Attention's products are not counted, so the share is a little "
        "too low, the same for both.",
    ]


def _comparison(plan: "Plan", speeds: Speeds) -> list[str]:
    lines = [
        "| what | tool | tokens/s | share of the peak | allocated GiB | reserved GiB | first loss "
        "| last loss | speed to trl | memory to trl |",
        "|---" * 10 + "|",
    ]
    differing = []
    for (method, rows), runs in speeds.cases.items():
        lines += [_row(plan, speeds.products, method, rows, tool, runs) for tool in runs]
        first = [run["losses"][0] for each in runs.values() for run in each if run]
        if first and max(first) - min(first) > SAME * min(first):
            differing.append(f"{method}, {rows}: {min(first):.4f} to {max(first):.4f}")
    if differing:
        lines += ["", f"**First losses differ, so do not compare: {'; '.join(differing)}.**"]
    return lines


def _row(plan: "Plan", products: Products, method: str, rows: str, tool: str, runs: Runs) -> str:
    found = [run for run in runs[tool] if run]
    if len(found) < len(runs[tool]):
        return f"| {method}, {rows} | {tool} | out of memory |" + " - |" * 7
    length, supervised = (each * plan.batch for each in plan.shapes[rows])
    seconds = middle(found, "wall")
    peak = peak_of(found[0]["card"])
    needed = products.operations(method, length, supervised, found[0]["trained"])
    share = f"{needed / seconds / peak:.1%}" if peak else "not told"
    peer = [run for run in runs["trl"] if run]
    compared = "- | -"
    if len(peer) == len(runs["trl"]):
        memory = middle(found, "reserved") / middle(peer, "reserved")
        compared = f"{middle(peer, 'wall') / seconds:.2f} times | {memory:.2f} of it"
    return (
        f"| {method}, {rows} | {tool} | {length / seconds:,.0f} | {share} "
        f"| {middle(found, 'allocated') / GIB:.2f} | {middle(found, 'reserved') / GIB:.2f} "
        f"| {found[0]['losses'][0]:.4f} | {found[0]['losses'][-1]:.4f} | {compared} |"
    )


def _ladder(plan: "Plan", rungs: Sequence[dict[str, Any]]) -> list[str]:
    lines = [
        "## The largest model by QLoRA",
        "",
        f"NF4 with double quantisation, rank 8, one row of {plan.rung_tokens} tokens, layers "
        "computed anew; random weights, packed matrix by matrix as they are made. Two steps, so "
        "that the second has the optimizer's state. Estimate: what `temper estimate` tells, "
        "allocator included, against what PyTorch reserved at most, packing included.",
        "",
        "| model | parameters | trained | made in s | a step in s | reserved GiB | estimated GiB "
        "| error |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    return lines + [_rung(rung) for rung in rungs]


def _rung(rung: dict[str, Any]) -> str:
    found, estimated = rung["measured"], rung["estimated"]
    if found is None:
        return f"| {rung['model']} | out of memory | - | - | - | - | {estimated / GIB:.1f} | - |"
    total, trained = found["total"] / 1e9, found["trained"]
    wrong = "" if found["finite"] else ", **not numbers, or not changed**"
    return (
        f"| {rung['model']} | {total:.2f}B | {trained:,}{wrong} | {found['built']:.0f} "
        f"| {found['wall']:.2f} | {found['reserved'] / GIB:.2f} | {estimated / GIB:.2f} "
        f"| {estimated / found['reserved'] - 1:+.1%} |"
    )
