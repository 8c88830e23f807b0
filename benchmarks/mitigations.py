"""What each mitigation of forgetting gives and costs, over seeds.

python -m benchmarks.mitigations [--seeds 6] [--page PAGE.md]

A tiny model that knows general text learns a task, with each mitigation and without; for O-LoRA,
which protects earlier adapters, one that knows a first task by LoRA learns a second. All is drawn
anew for each seed: words, text, weights.
"""

import argparse
import platform
import resource
import tempfile
import warnings
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import mean
from typing import Any

from tasks.estimation.live import LiveBytes
from tasks.training.config import TrainingConfig
from tasks.training.train import train_model
from tests.two_tasks import (
    RATES,
    Learnt,
    Start,
    after_first_task,
    after_text,
    learn,
    make_world,
    mitigated,
    paired_interval,
    task_config,
)

PAGE = Path(__file__).parents[1] / "docs" / "results" / "mitigations.md"

# Chosen before the first run: the default, and steps from it. None were left out after.
STRENGTHS: dict[str, tuple[float, ...]] = {
    "ewc": (1, 100),
    "online_ewc": (1,),
    "l2_sp": (0.1, 1),
    "lwf": (1,),
    "sam": (0.05, 0.2),
    "fip": (10, 100),
    "o_lora": (0.5,),
    "wise_ft": (0.05, 0.2),
    "freezing": (0.5,),
}
# What costs nothing: the same training at a lower rate.
LOWER_RATES = (0.5, 0.25)
# Method (and what was known before, where it is not general text), mitigation, strength.
Arm = tuple[str, str, float]
AFTER_TASK = "lora after a first task by lora"
TASK_ARMS: list[Arm] = [
    (AFTER_TASK, "plain", 1.0),
    *[(AFTER_TASK, "o_lora", strength) for strength in STRENGTHS["o_lora"]],
    (AFTER_TASK, "l2_sp", 0.1),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--page", type=Path, default=PAGE)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    found: dict[Arm, list[Learnt]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        memory = memory_of_each(folder / "memory")
        for seed in range(arguments.seeds):
            for arm, learnt in one_seed(folder / str(seed), seed).items():
                found.setdefault(arm, []).append(learnt)
            if seed:  # an interval needs two; a run that is stopped leaves what it has
                arguments.page.write_text(page(found, memory, seed + 1), encoding="utf-8")


def text_arms() -> list[Arm]:
    named = [(n, s) for n, all_of_it in STRENGTHS.items() for s in all_of_it if n != "o_lora"]
    lower = [("rate", share) for share in LOWER_RATES]
    return [(method, *arm) for method in RATES for arm in [("plain", 1.0), *lower, *named]]


def one_seed(folder: Path, seed: int) -> dict[Arm, Learnt]:
    world = make_world(folder, seed)
    start, second = after_text(world), after_first_task(world, folder, seed)
    plan = [(start, arm) for arm in text_arms()] + [(second, arm) for arm in TASK_ARMS]
    return {
        arm: learn(begin, config_of(arm, begin, seed=seed), folder / "-".join(map(str, arm)))
        for begin, arm in plan
    }


def config_of(arm: Arm, start: Start, **changes: Any) -> TrainingConfig:
    part, name, strength = arm
    method = part.split()[0]
    if name == "rate":
        changes["learning_rate"] = RATES[method] * strength
    elif name != "plain":
        changes["mitigations"] = [mitigated(name, strength, start)]
    return task_config(method, **changes)


def memory_of_each(folder: Path) -> dict[tuple[str, str], int]:
    """Return the peak of all tensors' bytes of a short run with each mitigation."""
    world = make_world(folder, 0, steps=20)
    start, second = after_text(world), after_first_task(world, folder, 0)
    plan = [(start, arm) for arm in text_arms()] + [(second, arm) for arm in TASK_ARMS]
    peaks: dict[tuple[str, str], int] = {}
    for begin, arm in plan:
        if arm[:2] not in peaks:
            config = config_of(arm, begin, max_steps=2)
            peaks[arm[:2]] = peak(begin, config, folder / f"peak-{len(peaks)}")
    return peaks


def peak(start: Start, config: TrainingConfig, folder: Path) -> int:
    with LiveBytes() as live:
        train_model(start.task, start.base, config, folder, lambda point: None)
    highest: int = live.peak
    return highest


def shown(values: list[float]) -> str:
    middle, low, high = paired_interval(values)
    mark = "" if low <= 0 <= high else " *"
    return f"{middle:+.3f} [{low:+.3f}, {high:+.3f}]{mark}"


def page(found: dict[Arm, list[Learnt]], memory: dict[tuple[str, str], int], seeds: int) -> str:
    names = ("torch", "transformers", "peft")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    used = resource.getrusage(resource.RUSAGE_SELF)
    lines = [
        "# Mitigations of forgetting",
        "",
        f"`python -m benchmarks.mitigations --seeds {seeds}`, {datetime.now(UTC):%Y-%m-%d}, "
        f"{platform.machine()}, Python {platform.python_version()}, {versions}; "
        f"{used.ru_utime + used.ru_stime:.0f} s of processor time.",
        "",
        "A tiny model (2 layers, width 32) learns sentences of a grammar, then a task of 16 "
        f"questions in 40 steps. {seeds} seeds draw words, text, task and weights anew. Anchor "
        "texts are 48 that the model wrote itself before the task; forgetting is measured on 64 "
        "other sentences. Losses in nats per token. Differences are mitigated less plain training "
        "of the same seed, with their 95 % interval (Student's t over seeds); `*` where it "
        "excludes 0. Forgetting below 0 and gain above 0 are better. Time is processor time of "
        "the whole run, the writing of anchor texts included; memory is the peak of all tensors' "
        "bytes in a run of two steps; both are shares of plain training's.",
    ]
    for part in dict.fromkeys(arm[0] for arm in found):
        lines += ["", *table(part, found, memory)]
    return "\n".join(lines) + "\n"


def table(
    part: str, found: dict[Arm, list[Learnt]], memory: dict[tuple[str, str], int]
) -> list[str]:
    plain, size = found[part, "plain", 1.0], memory[part, "plain"]
    lines = [
        f"## {part}",
        "",
        f"Plain training forgets {mean([o.forgotten for o in plain]):.3f} and gains "
        f"{mean([o.gained for o in plain]):.3f}.",
        "",
        "| mitigation | strength | forgetting | gain | time | memory |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for arm, learnt in found.items():
        if arm[0] != part or arm[1] == "plain":
            continue
        pairs = list(zip(learnt, plain, strict=True))
        ratio = sum(o.seconds for o, _ in pairs) / sum(p.seconds for _, p in pairs)
        lines.append(
            f"| {'(lower rate)' if arm[1] == 'rate' else arm[1]} | {arm[2]:g} "
            f"| {shown([o.forgotten - p.forgotten for o, p in pairs])} "
            f"| {shown([o.gained - p.gained for o, p in pairs])} "
            f"| {ratio:.2f} | {memory[part, arm[1]] / size:.2f} |"
        )
    return lines


if __name__ == "__main__":
    main()
