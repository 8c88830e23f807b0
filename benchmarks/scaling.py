"""Time per token of training against sequence length, batch and model size.

python -m benchmarks.scaling --model FOLDER [--methods lora full] [--rounds 2]

FOLDER is the converted base model. Lengths and batches are those of rows it is trained on; sizes
are its own architecture with fewer or more layers, or wider ones, with random weights, on which
time does not depend. Each measurement is a fresh process on one thread.
"""

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.trainer_speed import VOCABULARY

PAGE = Path(__file__).parents[1] / "docs" / "results" / "scaling.md"
PICTURE = PAGE.with_suffix(".svg")
SEED, SUPERVISED, STEPS = 17, 25, 3
LENGTHS, BATCHES = (64, 128, 256, 512, 1024), (1, 2, 4, 8, 16)
# Layers, width, width of the feed-forward part: Gemma 3 270M has 18, 640 and 2,048, its sister of
# 1B parameters 26, 1,152 and 6,912.
SIZES = ((6, 640, 2048), (12, 640, 2048), (18, 640, 2048), (18, 1152, 6912), (26, 1152, 6912))
OWN, LENGTH, BATCH = SIZES[2], 128, 2
GIB = 2**30

Point = dict[str, Any]


def main() -> None:
    """Measure everything and write page and picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--methods", nargs="+", default=["lora", "full"])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--work", type=Path, help="keeps what was measured, and goes on from there")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(json.loads(options.measure), options.model)))
        return
    with tempfile.TemporaryDirectory() as name:
        work = options.work or Path(name)
        work.mkdir(parents=True, exist_ok=True)
        found = {
            axis: [measured(point, options, work) for point in points]
            for axis, points in asked(options.methods).items()
        }
    options.page.write_text(render(found, options.rounds), encoding="utf-8")
    draw(found, options.page.with_suffix(".svg"))


def asked(methods: Sequence[str]) -> dict[str, list[Point]]:
    """Return what is measured: along each axis the other two stay as they are."""

    def points(name: str, values: Sequence[Any]) -> list[Point]:
        stays = {"length": LENGTH, "batch": BATCH, "size": OWN}
        return [{**stays, "method": m, name: value} for m in methods for value in values]

    return {
        "length": points("length", LENGTHS),
        "batch": points("batch", BATCHES),
        "size": points("size", SIZES),
    }


def measured(point: Point, options: argparse.Namespace, work: Path) -> Point:
    """Return a point with its figures, medians over rounds in processes of their own."""
    file = work / f"{point['method']}-{point['length']}-{point['batch']}-{point['size']}.json"
    if not file.exists():
        rounds = [_in_process(point, options.model) for _ in range(options.rounds)]
        figures = {name: median(found[name] for found in rounds) for name in rounds[0]}
        file.write_text(json.dumps(figures), encoding="utf-8")
        print(point, figures, file=sys.stderr)
    known: Point = json.loads(file.read_text(encoding="utf-8"))
    return point | known


def _in_process(point: Point, model: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.scaling", "--model", str(model)]
    done = subprocess.run(
        [*command, "--measure", json.dumps(point)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(point: Point, folder: Path) -> dict[str, float]:
    """Train some steps; return processor seconds a token, parameters and peak memory."""
    import resource

    import torch

    from tasks.training.config import TrainingConfig
    from tasks.training.trainer import SupervisedTrainer

    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    config = TrainingConfig.model_validate(
        {
            "method": {"method": point["method"]},
            "epochs": 1,
            "batch_size": point["batch"],
            "learning_rate": 1e-5,
            "seed": SEED,
        }
    )
    bare = _model(folder, *point["size"])
    parameters = sum(p.numel() for p in bare.parameters())
    marks: list[float] = []
    rows = _rows(point["length"], point["batch"] * (STEPS + 1))
    with tempfile.TemporaryDirectory() as name:
        trainer = SupervisedTrainer(
            config.method.prepare(bare), config, rows, rows[:1], 0, Path(name), lambda told: None
        )
        trainer.args.eval_strategy = trainer.args.save_strategy = "no"
        trainer.args.load_best_model_at_end = False
        trainer.callback_handler.callbacks = [_timed(marks)]
        trainer.train()
    tokens = point["length"] * point["batch"] * (len(marks) - 1)  # the first step warms up
    return {
        "seconds": (marks[-1] - marks[0]) / tokens,
        "parameters": parameters,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def _model(folder: Path, layers: int, width: int, inner: int) -> Any:
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(folder)
    kinds = (config.layer_types * (layers // len(config.layer_types) + 1))[:layers]
    changed = {"num_hidden_layers": layers, "hidden_size": width, "intermediate_size": inner}
    for name, value in {**changed, "layer_types": kinds, "dtype": "float32"}.items():
        setattr(config, name, value)
    return AutoModelForCausalLM.from_config(config)


def _rows(length: int, count: int) -> list[Any]:
    import random

    from tasks.modeling.chat import IGNORED, EncodedExample

    drawn = random.Random(SEED)
    rows = []
    for _ in range(count):
        ids = tuple(drawn.randrange(*VOCABULARY) for _ in range(length))
        labels = (IGNORED,) * (length - SUPERVISED) + ids[length - SUPERVISED :]
        rows.append(EncodedExample(ids, labels))
    return rows


def _timed(marks: list[float]) -> Any:
    from transformers import TrainerCallback

    class Timed(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            marks.append(time.process_time())

    return Timed()


def render(found: Mapping[str, Sequence[Point]], rounds: int) -> str:
    """Return the page."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "peft"))
    lines = [
        "# Time per token against length, batch and model size",
        "",
        f"`python -m benchmarks.scaling`, {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, "
        f"{os.cpu_count()} cores shared with other work (one thread a run), {versions}.",
        "",
        "Temper's trainer on Gemma 3's architecture in single precision, weights at random; rows "
        f"of random tokens, {SUPERVISED} of each supervised; {STEPS} steps after a first one, "
        f"medians of {rounds} runs, milliseconds of processor time a token. What is not on the "
        f"axis stays at {LENGTH} tokens, {BATCH} rows a step and the size of Gemma 3 270M.",
        "",
        f"![Time per token]({PICTURE.name})",
    ]
    for axis, points in found.items():
        lines += ["", f"## {axis.capitalize()}", "", *table(axis, points)]
    return "\n".join(lines) + "\n"


def table(axis: str, points: Sequence[Point]) -> list[str]:
    """Return the figures along one axis, and the exponent by which time grows along it."""
    heads = ["ms a token", "of the first", "peak GiB"]
    lines = [f"| method | {axis} | {' | '.join(heads)} |", "|---" * (2 + len(heads)) + "|"]
    by_method: dict[str, list[Point]] = {}
    for point in points:
        by_method.setdefault(point["method"], []).append(point)
    for method, own in by_method.items():
        lines += [
            f"| {method} | {_label(axis, point)} | {point['seconds'] * 1000:.1f} | "
            f"{point['seconds'] / own[0]['seconds']:.2f} | {point['peak'] / GIB:.2f} |"
            for point in own
        ]
    told = [f"{method}: {_exponent(axis, own):+.2f}" for method, own in by_method.items()]
    return [*lines, "", f"Time per token grows as the {axis} to the power of {'; '.join(told)}."]


def _label(axis: str, point: Point) -> str:
    if axis != "size":
        return str(point[axis])
    layers, width, inner = point["size"]
    return f"{point['parameters'] / 1e6:.0f}M ({layers} layers of {width}/{inner})"


def _exponent(axis: str, points: Sequence[Point]) -> float:
    """Return the slope of the least-squares line through the logarithms."""
    xs = [math.log(_along(axis, point)) for point in points]
    ys = [math.log(point["seconds"]) for point in points]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum(
        (a - x) ** 2 for a in xs
    )


def _along(axis: str, point: Point) -> float:
    """Return where a point lies: models by all their parameters, embeddings included."""
    return float(point["parameters"] if axis == "size" else point[axis])


def draw(found: Mapping[str, Sequence[Point]], file: Path) -> None:
    """Draw one panel for each axis, both scales logarithmic."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "temper"  # the same figures give the same file
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    panels = figure.subplots(1, len(found), sharey=True)
    for panel, (axis, points) in zip(panels, found.items(), strict=True):
        for method in dict.fromkeys(point["method"] for point in points):
            own = [point for point in points if point["method"] == method]
            xs = [_along(axis, point) for point in own]
            panel.loglog(xs, [p["seconds"] * 1000 for p in own], marker="o", label=method)
        panel.set_xlabel({"length": "tokens a row", "batch": "rows a step"}.get(axis, "parameters"))
        _label_ticks(panel.xaxis, sorted({_along(axis, point) for point in points}))
        panel.tick_params("x", rotation=60 if axis == "size" else 0)
        panel.grid(visible=True, alpha=0.3)
    _label_ticks(panels[0].yaxis, (3, 5, 10, 20, 40, 80))
    panels[0].set_ylabel("ms a token")
    panels[0].legend()
    figure.savefig(file, metadata={"Date": None})


def _label_ticks(axis: Any, values: Sequence[float]) -> None:
    """Write plain numbers at these values and nowhere else."""
    axis.set_ticks(values, labels=[f"{v / 1e6:.0f}M" if v >= 1e6 else f"{v:g}" for v in values])
    axis.set_ticks([], minor=True)


if __name__ == "__main__":
    main()
