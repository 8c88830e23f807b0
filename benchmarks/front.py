"""The front on a real handbook: what holds of the literature, and what does not.

Run: `.venv/bin/python -m benchmarks.front [--steps 20] [--page PAGE]`; it goes on where it stopped.
"""

import argparse
import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.command import temper
from benchmarks.figures import told
from data_contracts.dataset import DatasetRef, find_dataset
from data_contracts.front import Front, FrontPoint
from data_contracts.results import Interval
from flows.config import load_config
from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.task import EVALUATION
from tasks.front.task import VALIDATION, compared, fall, front_evaluation, rise
from tasks.settings import Settings

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "results" / "front.md"
DATA = ROOT.parent / "shared" / "data"
LOW, HIGH = 2e-5, 2e-4
_METHOD, _RATE = "training.method.method", "training.learning_rate"
_SAM = {"training.mitigations": [{"mitigation": "sam", "rho": 0.05}]}
_NEFTUNE = {"training.neftune_alpha": 5}


def _way(method: str, rate: float, **more: Any) -> dict[str, Any]:
    return {_METHOD: method, _RATE: rate, **more}


# What asks for least memory comes first, so that a machine short of it has something to show.
POINTS: Mapping[str, dict[str, Any]] = {
    "lora low": _way("lora", LOW),
    "lora high": _way("lora", HIGH),
    "lora high sam": _way("lora", HIGH, **_SAM),
    "lora high neftune": _way("lora", HIGH, **_NEFTUNE),
    "full low": _way("full", LOW),
    "full high": _way("full", HIGH),
    "full low sam": _way("full", LOW, **_SAM),
    "osf high": _way("osf", HIGH),
}  # fmt: skip

# What is said, the point it says it of, the point it is compared with, the axis that is lower.
CLAIMS: Sequence[tuple[str, str, str, str]] = (
    ("LoRA learns less than full fine-tuning (Biderman et al. 2024), low rate",
     "lora low", "full low", "learning"),
    ("LoRA learns less than full fine-tuning (Biderman et al. 2024), high rate",
     "lora high", "full high", "learning"),
    ("LoRA forgets less than full fine-tuning (Biderman et al. 2024), high rate",
     "lora high", "full high", "forgetting"),
    ("At a low rate full fine-tuning forgets less than LoRA at its usual, higher one (PEFT)",
     "full low", "lora high", "forgetting"),
    ("SAM lowers forgetting (Li et al. 2024), LoRA",
     "lora high sam", "lora high", "forgetting"),
    ("SAM lowers forgetting (Li et al. 2024), full", "full low sam", "full low", "forgetting"),
    ("OSF forgets less than full fine-tuning at the same rate (Nayak et al. 2025)",
     "osf high", "full high", "forgetting"),
    ("NEFTune's noise lowers what is learned of the reference answers in few steps",
     "lora high neftune", "lora high", "learning"),
)  # fmt: skip

ELSEWHERE = (
    "LIMA's plateau (quality over number of rows) and unknown facts (Gekhman et al. 2024) need "
    "other rows, not other points: few-rows.md and unknown-facts.md. NEFTune's own claim is about "
    "judged conversation, which likelihoods do not show."
)


def main() -> None:
    """Run the front and write its page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--documents", type=Path, default=DATA / "docs" / "18f-handbook")
    parser.add_argument("--general", type=Path, default=DATA / "general")
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    settings = settings_of(options.steps, options.general)
    documents = ("--documents", str(options.documents))
    told = temper("front", "handbook", *documents, settings=settings)
    front = Front.model_validate(told["front"])
    evaluation = load_config("handbook", str(options.documents), settings).evaluation
    found = differences(front, Settings().home, front_evaluation(evaluation))
    options.page.write_text(render(front, options.steps, found), encoding="utf-8")


def settings_of(steps: int, general: Path) -> list[str]:
    """Return the overrides of the handbook's profile."""
    return [
        f"front.points={json.dumps(list(POINTS.values()))}",
        f"training.max_steps={steps}",
        "training.evaluations_per_epoch=15",
        f"evaluation.general_folder={general}",
        "evaluation.general_items_per_skill=15",
        "evaluation.general_texts=25",
        "evaluation.sharpness.directions=2",
        "evaluation.sharpness.rows=8",
    ]


def differences(front: Front, home: Path, evaluation: EvaluationConfig) -> list[Interval | None]:
    """Return, for each claim, by how much its point is above the other, on the same rows.

    None where one of the two was not measured.
    """
    found: list[Interval | None] = []
    named = {name: front.points[at] for at, name in enumerate(POINTS)}
    for _, one, other, axis in CLAIMS:
        ours, theirs = (_predictions(named[name], home) for name in (one, other))
        if ours is None or theirs is None:
            found.append(None)
            continue
        comparison = compared(theirs, ours, evaluation)
        learning = axis == "learning"
        found.append(fall(comparison, VALIDATION) if learning else rise(comparison, "general_text"))
    return found


def _predictions(point: FrontPoint, home: Path) -> DatasetRef | None:
    if point.predictions is None:
        return None
    return find_dataset(home, EVALUATION.name, point.predictions)


def render(front: Front, steps: int, found: Sequence[Interval | None]) -> str:
    """Return the page."""
    sections = [_head(front, steps), _points(front), _literature(found), _chosen(front)]
    return "\n\n".join(sections) + "\n"


def _head(front: Front, steps: int) -> str:
    names = ("temper", "torch", "transformers", "peft")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    trained = sum(point.processor_seconds for point in front.points)
    return (
        "# The front on a real handbook\n\n"
        "`python -m benchmarks.front`: the 18F handbook, Gemma 3 270M, "
        f"{steps} steps of 4 rows a point. Measured {datetime.now(UTC):%Y-%m-%d} on "
        f"{os.cpu_count()} cores, no accelerator; Python {platform.python_version()}, {versions}. "
        f"Training took {trained:.0f} s of processor time for {len(front.measured)} of "
        f"{len(front.points)} points. So few steps show the directions of effects, not their size "
        "after whole epochs."
    )


def _points(front: Front) -> str:
    lines = [
        "## Points\n",
        "Learning: fall of the validation answers' cross-entropy. Forgetting: rise of general "
        "text's. Nats per token, 95 % intervals, paired with the base. Sharpness: mean rise of "
        "the training loss 5 % of each filter's norm away. `*`: on the front.\n",
        "| point | learning | forgetting | skills lost | sharpness | processor s | peak GiB |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [_line(front, point) for point in front.points]
    if front.base_sharpness is not None:
        lines.append(f"\nThe base's sharpness: {front.base_sharpness.mean_rise:+.3f}.")
    return "\n".join(lines)


def _line(front: Front, point: FrontPoint) -> str:
    name = f"{point.name}{' *' if point.number in front.pareto else ''}"
    if point.reason is not None:
        return f"| {name} | not measured: {point.reason.splitlines()[0]} | | | | | |"
    sharp = "-" if point.sharpness is None else f"{point.sharpness.mean_rise:+.3f}"
    intervals = (point.learning, point.forgetting, point.skill_loss)
    cells = [name, *map(told, intervals), sharp, f"{point.processor_seconds:.0f}"]
    return f"| {' | '.join(cells)} | {point.peak_memory_bytes / 2**30:.1f} |"


def _literature(found: Sequence[Interval | None]) -> str:
    lines = [
        "## What held of the literature\n",
        "| claim | here | difference |",
        "| --- | --- | --- |",
    ]
    for (claim, *_), difference in zip(CLAIMS, found, strict=True):
        lines.append(f"| {claim} | {verdict(difference)} | {told(difference)} |")
    return "\n".join(lines) + (
        "\n\nThe difference is that of the two points on the same rows, paired, in nats per token; "
        "`agrees` where its whole interval lies below 0, `CONTRADICTS` where it lies above. "
        f"{ELSEWHERE}"
    )


def verdict(difference: Interval | None) -> str:
    """Say whether the first point's figure is lower, as a claim has it."""
    if difference is None:
        return "not measured"
    if difference.high < 0:
        return "agrees"
    return "CONTRADICTS" if difference.low > 0 else "does not tell"


def _chosen(front: Front) -> str:
    on_test = ""
    if front.test_learning is not None:
        on_test = f" On the test rows, measured once and for it alone: {told(front.test_learning)}."
    return f"## The recommended point\n\n{front.rule} {front.because}{on_test}"


if __name__ == "__main__":
    main()
