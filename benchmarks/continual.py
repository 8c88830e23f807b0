"""Three parts of a real handbook, learned one after the other: what is kept of each.

Run: `.venv/bin/python -m benchmarks.continual [--steps 20] [--page PAGE]`; it goes on where it
stopped.
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
from benchmarks.figures import marked
from data_contracts.front import ContinualArm, ContinualResult

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "results" / "continual.md"
DATA = ROOT.parent / "shared" / "data"
# Folders of the handbook's `pages`, put together so that each has enough for a split of its own.
SETS: Mapping[str, Sequence[str]] = {
    "people": (
        "travel-and-leave",
        "hiring-staying-or-changing-jobs",
        "performance-management",
        "training-and-development",
        "supervisor-resources",
    ),
    "tools": ("tools", "getting-started", "launching-software", "updating-the-handbook"),
    "organisation": ("18f", "about-us", "office-of-operations", "office-of-solutions"),
}
WAYS: Mapping[str, dict[str, Any]] = {
    "plain": {},
    "earlier": {"continual.replay_earlier": True, "augmentation.replay.share": 0.25},
    "ewc": {"training.mitigations": [{"mitigation": "ewc", "strength": 100}]},
    "wise_ft": {"training.mitigations": [{"mitigation": "wise_ft"}]},
}
# LoRA's usual rate, at which the front's points forget enough for something to be kept.
RATE = 2e-4


def main() -> None:
    """Go through the sequence each way and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--handbook", type=Path, default=DATA / "docs" / "18f-handbook")
    parser.add_argument("--general", type=Path, default=DATA / "general")
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    settings = settings_of(options.steps, options.handbook, options.general)
    told = temper("continual", "handbook", settings=settings)
    found = ContinualResult.model_validate(told["result"])
    options.page.write_text(render(found, options.steps), encoding="utf-8")


def settings_of(steps: int, handbook: Path, general: Path) -> list[str]:
    """Return the overrides of the handbook's profile."""
    pages = handbook / "pages"
    sets = {name: [str(pages / folder) for folder in SETS[name]] for name in SETS}
    return [
        f"continual={json.dumps({'sets': sets, 'ways': WAYS})}",
        "generation.max_rows_per_document=6",
        "splitting={train: 0.6, validation: 0.15, test: 0.25}",
        f"training.learning_rate={RATE}",
        f"training.max_steps={steps}",
        "training.evaluations_per_epoch=1",
        f"evaluation.general_folder={general}",
        "evaluation.general_items_per_skill=1",
        "evaluation.general_texts=25",
    ]


def render(found: ContinualResult, steps: int) -> str:
    """Return the page."""
    sections = [_head(found, steps), _kept(found), _beside(found), *map(_matrix(found), found.arms)]
    return "\n\n".join(sections) + "\n"


def _head(found: ContinualResult, steps: int) -> str:
    names = ("temper", "torch", "transformers", "peft")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    sets = ", ".join(
        f"{name} ({rows} test rows)" for name, rows in zip(found.sets, found.rows, strict=True)
    )
    return (
        "# Document sets one after the other\n\n"
        "`python -m benchmarks.continual`: parts of the 18F handbook in the order "
        f"{sets}; Gemma 3 270M, LoRA of rank 8 at {RATE:g}, {steps} steps of 4 rows a set, each "
        "from the last one's merged model. The ways: "
        + "; ".join(f"`{name}`: {json.dumps(values)}" for name, values in WAYS.items())
        + f". Measured {datetime.now(UTC):%Y-%m-%d} on {os.cpu_count()} cores, no accelerator; "
        f"Python {platform.python_version()}, {versions}. One seed; nats per token, 95 % "
        "intervals paired over documents."
    )


def _kept(found: ContinualResult) -> str:
    sets = found.sets[:-1]
    lines = [
        "## From when a set was learned to the end\n",
        "Rise of its loss; of general text from the base on. Backward transfer and forgetting "
        "(Lopez-Paz and Ranzato 2017, Chaudhry et al. 2018) are means over the sets.\n",
        f"| way | {' | '.join(sets)} | general text | backward | forward | forgetting | seconds |",
        "| --- |" + " --- |" * (len(sets) + 5),
    ]
    for arm in found.arms:
        transfer = arm.transfer
        figures = (transfer.backward, transfer.forward or 0.0, transfer.forgetting[-1])
        cells = [arm.name, *map(marked, arm.lost), marked(arm.text_lost)]
        cells += [*(f"{figure:+.3f}" for figure in figures), f"{sum(arm.seconds):.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _beside(found: ContinualResult) -> str:
    lines = [
        f"## At the end, less `{found.arms[0].name}` on the same rows\n",
        f"| way | {' | '.join(found.sets)} | general text |",
        "| --- |" + " --- |" * (len(found.sets) + 1),
    ]
    for arm in found.arms[1:]:
        cells = [
            arm.name,
            *map(marked, arm.beside_first),
            marked(arm.text_beside_first),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _matrix(found: ContinualResult) -> Any:
    def shown(arm: ContinualArm) -> str:
        lines = [
            f"## `{arm.name}`: loss after each step\n",
            f"| after | {' | '.join(found.sets)} | general text |",
            "| --- |" + " --- |" * (len(found.sets) + 1),
        ]
        steps: Sequence[str] = ("the base", *found.sets)
        for name, losses, text in zip(steps, arm.losses, arm.text, strict=True):
            figures = " | ".join(f"{loss:.3f}" for loss in (*losses, text))
            lines.append(f"| {name} | {figures} |")
        return "\n".join(lines)

    return shown


if __name__ == "__main__":
    main()
