"""On a GPU: Temper's trainer beside TRL with Liger kernels, and the largest model by QLoRA.

python -m benchmarks.trainer_speed_gpu [--architecture llama-3.2-1b] [--rounds 3] [--steps 20]

Nothing is downloaded: architectures are files of `benchmarks/architectures`, weights are random,
rows are random tokens of fixed length. Each run is a fresh process; tools take turns within a
round. TRL has Liger kernels where `pip install liger-kernel` was done. Without CUDA the page says
that nothing was measured. `--tiny` runs all of it on shrunken models, on any machine, as a trial.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.estimate import ARCHITECTURES
from benchmarks.trainer_speed_gpu_page import Speeds, not_measured, render
from benchmarks.trainer_speed_gpu_worker import has_liger
from tasks.estimation.architecture import read_architecture
from tasks.modeling.chat import IGNORED
from tasks.training.base_precision import computes_in_bfloat16
from tasks.training.config import TrainingConfig
from tasks.training.sampling import LengthGroupedSampler

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "results" / "trainer-speed-gpu.md"
SEED = 17
# Smallest first; the first that does not fit ends the climb.
LADDER = (
    "llama-3.2-1b",
    "llama-3.2-3b",
    "llama-3.1-8b",
    "qwen2.5-14b",
    "qwen2.5-32b",
    "llama-3.1-70b",
    "mistral-large-123b",
    "gpt-3-175b",
    "llama-3.1-405b",
)
TOOLS = ("temper", "trl")
# What a shrunken model has in place of its own figures.
TINY = {
    "hidden_size": 64,
    "word_embed_proj_dim": 64,
    "intermediate_size": 128,
    "ffn_dim": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "vocab_size": 320,
}


@dataclass(frozen=True)
class Plan:
    """What is run.

    Attributes:
        shapes: Tokens of a row and how many of them are supervised, by name.
        warm_up: Steps that are not counted.
    """

    architecture: str
    ladder: tuple[str, ...]
    shapes: dict[str, tuple[int, int]]
    methods: tuple[str, ...]
    batch: int
    steps: int
    warm_up: int
    rounds: int
    rung_tokens: int
    tiny: bool


def main(given: Sequence[str] | None = None) -> None:
    """Measure, if there is something to measure with, and write the page."""
    arguments = _arguments(given)
    plan = planned(arguments)
    command = " ".join(["python -m benchmarks.trainer_speed_gpu", *(given or sys.argv[1:])])
    import torch

    if not (torch.cuda.is_available() or plan.tiny):
        arguments.page.write_text(not_measured(command), encoding="utf-8")
        return
    with tempfile.TemporaryDirectory() as name:
        speeds, rungs = Speeds({}, {}), []
        for speeds in compared(plan, Path(name)):  # the page grows with each case
            arguments.page.write_text(render(plan, speeds, [], command), encoding="utf-8")
        for found in climbed(plan, Path(name)):
            rungs.append(found)
            arguments.page.write_text(render(plan, speeds, rungs, command), encoding="utf-8")


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architecture", default="llama-3.2-1b")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--length", type=int, default=1024, help="Tokens of a row.")
    parser.add_argument("--answer", type=int, default=128, help="Of them, of an answer.")
    parser.add_argument("--rows", nargs="+", default=["answers", "all"], choices=["answers", "all"])
    parser.add_argument("--methods", nargs="+", default=["lora", "full"])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--warm-up", type=int, default=3, help="Steps that are not counted.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ladder", nargs="*", default=list(LADDER))
    parser.add_argument("--tiny", action="store_true", help="A trial; the figures mean nothing.")
    parser.add_argument("--page", type=Path, default=PAGE)
    arguments = parser.parse_args(given)
    if arguments.tiny and arguments.page == PAGE:
        parser.error("--tiny measures nothing that a page should keep: name another with --page.")
    return arguments


def planned(arguments: argparse.Namespace) -> Plan:
    """Return what the command line asks for."""
    length, answer = (24, 8) if arguments.tiny else (arguments.length, arguments.answer)
    supervised = {"answers": answer, "all": length - 1}
    return Plan(
        architecture=arguments.architecture,
        ladder=tuple(arguments.ladder),
        shapes={name: (length, supervised[name]) for name in arguments.rows},
        methods=tuple(arguments.methods),
        batch=2 if arguments.tiny else arguments.batch,
        steps=arguments.steps,
        warm_up=arguments.warm_up,
        rounds=arguments.rounds,
        rung_tokens=length,
        tiny=arguments.tiny,
    )


def compared(plan: Plan, folder: Path) -> Iterator[Speeds]:
    """Train by each method on each kind of rows with both tools; yield all figures so far."""
    from benchmarks.cards import products
    from benchmarks.random_models import write_random

    config = read_architecture(str(architecture_file(plan.architecture, plan, folder)))
    write_random(config, folder / "model", SEED)
    speeds = Speeds({}, products(config))
    for method in plan.methods:
        for name, (length, supervised) in plan.shapes.items():
            rows = make_rows(length, supervised, plan.steps * plan.batch, config.vocab_size)
            files = _written(rows, plan.batch, folder)
            found: dict[str, list[Any]] = {tool: [] for tool in TOOLS}
            for _ in range(plan.rounds):
                for tool in TOOLS:
                    asked = {
                        "run": "speed",
                        "tool": tool,
                        "method": method,
                        "rows": str(files[tool]),
                        "model": str(folder / "model"),
                        "batch": plan.batch,
                        "warm_up": plan.warm_up,
                        "liger": has_liger(),
                    }
                    found[tool].append(run(asked, folder))
            speeds.cases[method, name] = found
            yield speeds


def climbed(plan: Plan, folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the figures of each model that QLoRA trains, and at last of the one it cannot."""
    for name in plan.ladder:
        file = architecture_file(name, plan, folder)
        config = read_architecture(str(file))
        rows = make_rows(plan.rung_tokens, plan.rung_tokens - 1, 2, config.vocab_size)
        (folder / "rows").write_text(json.dumps(rows), encoding="utf-8")
        asked = {"run": "rung", "architecture": str(file), "rows": str(folder / "rows")}
        found = run(asked, folder)
        yield {"model": name, "measured": found, "estimated": estimated(config, plan)}
        if found is None:
            return


def estimated(config: Any, plan: Plan) -> int:
    """Return the peak in bytes that Temper predicts for a rung, as PyTorch counts."""
    import torch

    from tasks.estimation.estimate import estimate_memory
    from tasks.estimation.fit import as_trained, training_shape

    training = TrainingConfig.model_validate(
        {"method": {"method": "qlora"}, "batch_size": 1, "gradient_checkpointing": "full"}
    )
    shape = training_shape(
        training,
        plan.rung_tokens,
        plan.rung_tokens - 1,
        accelerator=torch.cuda.is_available(),
        native=computes_in_bfloat16(),
    )
    method = training.method
    return estimate_memory(config, method.prepare, as_trained(shape, method, config)).peak


def architecture_file(name: str, plan: Plan, folder: Path) -> Path:
    """Return the file of an architecture; in a trial, of one of the same kind that is tiny."""
    file = ARCHITECTURES / f"{name}.json"
    if not plan.tiny:
        return file
    values = json.loads(file.read_text(encoding="utf-8"))
    small = {key: TINY.get(key, value) for key, value in values.items()}
    shrunken = folder / f"{name}.json"
    shrunken.write_text(json.dumps(small), encoding="utf-8")
    return shrunken


def make_rows(
    length: int, supervised: int, count: int, vocabulary: int
) -> list[dict[str, list[int]]]:
    """Return rows of random tokens; only the last ones carry labels."""
    drawn = random.Random(SEED)
    hidden = [IGNORED] * (length - supervised)
    rows = []
    for _ in range(count):
        ids = [drawn.randrange(2, vocabulary) for _ in range(length)]  # 0 and 1 are marks
        rows.append({"input_ids": ids, "labels": hidden + ids[len(hidden) :]})
    return rows


def _written(rows: list[Any], batch: int, folder: Path) -> dict[str, Path]:
    """Write the rows for each tool: TRL takes them as they come, so in the order Temper draws."""
    order = LengthGroupedSampler([len(row["input_ids"]) for row in rows], batch, SEED)
    files = {tool: folder / f"{tool}.json" for tool in TOOLS}
    files["temper"].write_text(json.dumps(rows), encoding="utf-8")
    files["trl"].write_text(json.dumps([rows[at] for at in order]), encoding="utf-8")
    return files


def run(asked: dict[str, Any], folder: Path) -> dict[str, Any] | None:
    """Run one measurement in a process of its own; None if the card's memory ran out.

    Raises:
        RuntimeError: It failed otherwise; the message is the end of what it wrote.
    """
    spec = folder / "spec.json"
    spec.write_text(json.dumps(asked), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.trainer_speed_gpu_worker", str(spec)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    if "OutOfMemoryError" in done.stderr:
        return None
    if done.returncode:
        raise RuntimeError(f"{asked}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    print(f"{asked}: {found}", file=sys.stderr)
    return found


if __name__ == "__main__":
    main()
