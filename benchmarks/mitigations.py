"""What each mitigation of forgetting gives and costs, over seeds.

python -m benchmarks.mitigations [--seeds 6] [--page PAGE.md] [--home FOLDER]

A tiny model that knows general text learns a task: with each mitigation, with general rows
replayed, by methods that leave old weights alone, and plainly. For what knows of an earlier
training (O-LoRA, online EWC, replay of the earlier task) one that learnt a first task learns a
second. All is drawn anew for each seed: words, text, weights. What a seed gave is kept in the
home folder, so that a run that was stopped goes on.
"""

import argparse
import json
import platform
import tempfile
import time
import warnings
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import mean
from typing import Any

import pyarrow.compute as pc

from tasks.augmentation.replay import Stock
from tasks.estimation.live import LiveBytes
from tasks.training.config import TrainingConfig
from tasks.training.train import train_model
from tests.two_tasks import (
    RATES,
    Learnt,
    Start,
    World,
    after_first_task,
    after_text,
    general_rows,
    learn,
    make_world,
    mitigated,
    paired_interval,
    task_config,
    with_replay,
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
# Share of the training rows that are general ones, each row in as many passes as the task's.
SHARES = (0.2, 0.5)
OWN, WRITTEN = "replay, own rows", "replay, self-written"
# Methods that leave old weights alone, beside full training: options, and the rates at which they
# gained 2 nats or more in a world of its own (seed 100; progressive at 0.003 gained 1.2).
METHODS: dict[str, tuple[dict[str, Any], tuple[float, ...]]] = {
    "osf": ({}, (0.005, 0.01, 0.03)),
    "progressive": ({"width": 16}, (0.01, 0.03, 0.1)),
}
# Method (and what was known before, where it is not general text), mitigation, strength.
Arm = tuple[str, str, float]
AFTER_LORA = "lora after a first task by lora"
# Of the second start what it knows is looked at twice: the text, and the first task.
AFTER_FULL = ("full after a first task by full: general text",
              "full after a first task by full: the first task")  # fmt: skip
PLAIN = ("plain", 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--home", type=Path, default=Path("/tmp/temper-mitigations"))
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    arguments.home.mkdir(parents=True, exist_ok=True)
    memory = kept_memory(arguments.home)
    kept = [kept_seed(arguments.home, seed) for seed in range(arguments.seeds)]
    found: dict[Arm, list[Learnt]] = {}
    for arms, _ in kept:
        for arm, learnt in arms.items():
            found.setdefault(arm, []).append(learnt)
    spent = sum(seconds for _, seconds in kept)
    arguments.page.write_text(page(found, memory, arguments.seeds, spent), encoding="utf-8")


def kept_seed(home: Path, seed: int) -> tuple[dict[Arm, Learnt], float]:
    """Return what a seed gives, and its processor time; it is run unless that was done."""
    path = home / f"seed-{seed}.json"
    if not path.is_file():
        started = time.process_time()
        with tempfile.TemporaryDirectory() as name:
            arms = one_seed(Path(name), seed)
        told = [[*arm, asdict(learnt)] for arm, learnt in arms.items()]
        seconds = time.process_time() - started
        path.write_text(json.dumps({"arms": told, "seconds": seconds}), encoding="utf-8")
    read = json.loads(path.read_text(encoding="utf-8"))
    return {(a, b, c): Learnt(**learnt) for a, b, c, learnt in read["arms"]}, read["seconds"]


def kept_memory(home: Path) -> dict[tuple[str, str], int]:
    """Return the peaks of all arms, measured unless that was done."""
    path = home / "memory.json"
    if not path.is_file():
        with tempfile.TemporaryDirectory() as name:
            peaks = memory_of_each(Path(name))
        path.write_text(json.dumps([[*key, peak] for key, peak in peaks.items()]))
    return {(part, name): peak for part, name, peak in json.loads(path.read_text())}


def text_arms() -> list[Arm]:
    """Return what is tried by either method on a model that knows general text."""
    named = [(n, s) for n, all_of_it in STRENGTHS.items() for s in all_of_it if n != "o_lora"]
    lower = [("rate", share) for share in LOWER_RATES]
    replayed = [(name, share) for name in (OWN, WRITTEN) for share in SHARES]
    return [(method, *arm) for method in RATES for arm in [PLAIN, *lower, *named, *replayed]]


def plan(world: World, folder: Path, seed: int) -> list[tuple[Start, Arm]]:
    """Return every arm with the model that it starts from."""
    text = after_text(world)
    by_lora = after_first_task(world, folder / "by-lora", seed)
    online = [mitigated("online_ewc", 1, text)]
    by_full = after_first_task(world, folder / "by-full", seed, "full", online)
    of_text = replace(by_full, known=world.text)
    other = [("full", method, rate) for method, (_, rates) in METHODS.items() for rate in rates]
    return [
        *((text, arm) for arm in text_arms() + other),
        (by_lora, (AFTER_LORA, *PLAIN)),
        *((by_lora, (AFTER_LORA, "o_lora", strength)) for strength in STRENGTHS["o_lora"]),
        (by_lora, (AFTER_LORA, "l2_sp", 0.1)),
        *((by_lora, (AFTER_LORA, OWN, share)) for share in SHARES),
        *(
            (start, (part, *arm))
            for start, part in zip((of_text, by_full), AFTER_FULL, strict=True)
            for arm in (PLAIN, ("ewc", 1.0), ("online_ewc", 1.0))
        ),
    ]


def one_seed(folder: Path, seed: int) -> dict[Arm, Learnt]:
    """Return how learning went in each arm."""
    world = make_world(folder, seed)
    return {
        arm: one_arm(world, start, arm, folder / str(at), seed)
        for at, (start, arm) in enumerate(plan(world, folder, seed))
    }


def one_arm(world: World, start: Start, arm: Arm, folder: Path, seed: int) -> Learnt:
    """Return how learning went, what the rows for replay took included."""
    started = time.process_time()
    begin = replayed(world, start, arm, folder / "rows")
    spent = time.process_time() - started
    learnt = learn(begin, config_of(arm, start, seed=seed), folder)
    return replace(learnt, seconds=learnt.seconds + spent)


def replayed(world: World, start: Start, arm: Arm, folder: Path) -> Start:
    """Return the start with the rows that an arm replays, if any.

    Own rows are those of the first task where one was learnt, else sentences of the text.
    """
    part, name, share = arm
    if name == WRITTEN:
        return with_replay(start, share, Stock(base=start.base), folder)
    if name != OWN:
        return start
    taught = world.tasks[0].filter(pc.field("split") == "train")
    own = taught if part == AFTER_LORA else general_rows(world.taught)
    return with_replay(start, share, Stock(general=own), folder)


def config_of(arm: Arm, start: Start, **changes: Any) -> TrainingConfig:
    """Return the options of an arm."""
    part, name, strength = arm
    method = part.split()[0]
    if name in METHODS:
        options, _ = METHODS[name]
        changes |= {"learning_rate": strength, "method": {"method": name, **options}}
    elif name == "rate":
        changes["learning_rate"] = RATES[method] * strength
    elif name not in ("plain", OWN, WRITTEN):
        changes["mitigations"] = [mitigated(name, strength, start)]
    return task_config(method, **changes)


def memory_of_each(folder: Path) -> dict[tuple[str, str], int]:
    """Return the peak of all tensors' bytes of a short run of each arm."""
    world = make_world(folder, 0, steps=20)
    peaks: dict[tuple[str, str], int] = {}
    for start, arm in plan(world, folder, 0):
        if arm[:2] not in peaks and arm[1] != WRITTEN:
            begin = replayed(world, start, arm, folder / f"rows-{len(peaks)}")
            config = config_of(arm, start, max_steps=2)
            peaks[arm[:2]] = peak(begin, config, folder / f"peak-{len(peaks)}")
    for method in RATES:  # training is the same, whoever wrote the rows
        peaks[method, WRITTEN] = peaks[method, OWN]
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


def page(
    found: dict[Arm, list[Learnt]], memory: dict[tuple[str, str], int], seeds: int, spent: float
) -> str:
    names = ("torch", "transformers", "peft")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    lines = [
        "# Mitigations of forgetting",
        "",
        f"`python -m benchmarks.mitigations --seeds {seeds}`, {datetime.now(UTC):%Y-%m-%d}, "
        f"{platform.machine()}, Python {platform.python_version()}, {versions}; "
        f"{spent:.0f} s of processor time.",
        "",
        "A tiny model (2 layers, width 32) learns sentences of a grammar, then a task of 16 "
        f"questions in 40 steps. {seeds} seeds draw words, text, task and weights anew. Anchor "
        "texts are 48 that the model wrote itself before the task; forgetting is measured on 64 "
        "other sentences. Losses in nats per token. Differences are mitigated less plain training "
        "of the same seed, with their 95 % interval (Student's t over seeds); `*` where it "
        "excludes 0. Forgetting below 0 and gain above 0 are better. Time is processor time of "
        "the whole run, the writing of anchor texts and of replayed rows included; memory is the "
        "peak of all tensors' bytes in a run of two steps; both are shares of plain training's.",
        "",
        "Replay (`augmentation.replay`): its strength is the share of training rows that are "
        "general ones, so that with 0.5 there are twice the steps. Own rows are sentences that "
        "the model was taught, of which five words ask for the rest; after a first task, that "
        "task's rows. Self-written ones it is made to write by the chat template, which it was "
        "never taught. `(osf instead)` and `(progressive instead)` are methods, not mitigations: "
        "their strength is the learning rate, of those tried all that gained 2 nats of the task in "
        "a world of its own. The first task by full was learnt with online EWC, whose "
        "Fisher information the second training takes over; EWC takes its own alone.",
    ]
    for part in dict.fromkeys(arm[0] for arm in found):
        lines += ["", *table(part, found, memory)]
    return "\n".join(lines) + "\n"


def shown_name(name: str) -> str:
    if name in METHODS:
        return f"({name} instead)"
    return "(lower rate)" if name == "rate" else name


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
            f"| {shown_name(arm[1])} | {arm[2]:g} "
            f"| {shown([o.forgotten - p.forgotten for o, p in pairs])} "
            f"| {shown([o.gained - p.gained for o, p in pairs])} "
            f"| {ratio:.2f} | {memory[part, arm[1]] / size:.2f} |"
        )
    return lines


if __name__ == "__main__":
    main()
