"""What 10 thousand to 100 million documents and models of 1B to 70B take: machines, hours, money.

Arithmetic: figures of other pages of docs/results, read from them; the memory that `temper
estimate` tells; and assumptions and prices that are options here and are named on the page.

Run: `.venv/bin/python -m benchmarks.sizing [--core-hour 0.05] [--accelerator-hour 3.0]`
"""

import argparse
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.estimate import architecture
from tasks.estimation.config import RunShape
from tasks.estimation.estimate import MemoryEstimate, assemble
from tasks.estimation.trace import trace_step
from tasks.near_duplicates.find import DOCUMENT_BYTES
from tasks.training.methods.full import Full
from tasks.training.methods.lora import Lora

RESULTS = Path(__file__).parents[1] / "docs" / "results"
PAGE = RESULTS / "sizing.md"
COUNTS = (10_000, 1_000_000, 100_000_000)
MODELS = ("llama-3.2-1b", "llama-3.1-8b", "llama-3.1-70b")
LENGTH, BATCH = 512, 4
DEVICES = (1, 2, 4, 8, 16, 32, 64)
GB, HOUR = 1e9, 3600
# A row of a table: its first cell and one more, both to be kept.
STAGE = re.compile(r"^\| ([^|*]+?) \| ([\d.]+) \|", re.MULTILINE)
SEARCH = re.compile(
    r"^\| ([\d,]+) \|(?: [^|]+\|){2} ([\d.]+) \|(?: [^|]+\|){4} ([\d,]+) \|", re.MULTILINE
)


@dataclass(frozen=True)
class Way:
    """How a model is trained.

    Attributes:
        passes: What a token costs, in forward passes: one forward, one again as activations are
            not kept, one back through the activations, and one for the weights if all are trained.
    """

    name: str
    prepare: Callable[[Any], Any]
    shape: dict[str, Any]
    passes: int


WAYS = (
    Way("full, AdamW in single precision", Full().prepare, {"optimizer": "adamw_fp32"}, 4),
    Way("LoRA of rank 16", Lora(rank=16).prepare, {}, 3),
    Way(
        "QLoRA of rank 16",
        Lora(rank=16).prepare,
        {"quantisation": "nf4", "optimizer": "paged_adamw"},
        3,
    ),
)


@dataclass(frozen=True)
class Measured:
    """Figures of other pages.

    Attributes:
        stages: Processor seconds a document, stage by stage.
        words: Of a document.
        rows: Training rows a document.
        search: Processor seconds a document of the search for near-duplicates on disk.
        disk: Bytes a document that this search leaves.
        tokens: Of a long row of the trainer's benchmark.
        speed: Tokens a processor second of the 270M model there.
    """

    stages: dict[str, float]
    words: int
    rows: float
    search: float
    disk: float
    tokens: int
    speed: float


@dataclass(frozen=True)
class Fit:
    """The fewest accelerators that a way of training fits on, and what each holds."""

    devices: int
    memory: MemoryEstimate


def measured() -> Measured:
    """Return the figures, read from their pages."""
    built, trained = _page("increments"), _page("trainer-speed")
    number = _number(_only(r"--documents (\d+) --paragraphs \d+ \d+`", built))
    table = built.partition("| stage |")[2].partition("\n\n")[0]
    stages = {name: float(seconds) / number for name, seconds in STAGE.findall(table)}
    del stages["imports, Prefect, MLflow"]  # once, whatever the number
    found, seconds, megabytes = map(_number, SEARCH.findall(_page("near-duplicates-scale"))[-1])
    return Measured(
        stages=stages,
        words=int(_only(r"\((\d+) words a document", built)),
        rows=_number(_only(r"\| augmentation \| ([\d,]+) \|", built)) / number,
        search=seconds / found,
        disk=megabytes * 1e6 / found,
        tokens=int(_only(r"long ones (\d+)", trained)),
        speed=float(_only(r"lora, long rows \| temper \| ([\d.]+) \|", trained)),
    )


def fit(model: str, way: Way, memory: float) -> Fit | None:
    """Return on how few accelerators of `memory` bytes a way of training fits, if on any."""
    shape = RunShape(
        batch_size=BATCH, sequence_length=LENGTH, gradient_checkpointing="full", **way.shape
    )
    trace = trace_step(architecture(model), way.prepare, shape)
    for devices in DEVICES:
        spread = {"devices": devices, "parallel": "fsdp" if devices > 1 else "ddp"}
        found = assemble(trace, shape.model_copy(update=spread))
        if found.device <= memory:
            return Fit(devices, found)
    return None


def documents_table(figures: Measured, price: float) -> list[str]:
    """Return what the stages take by number of documents."""
    heads = " | ".join(f"{count:,}" for count in COUNTS)
    lines = [f"| core hours | {heads} |", f"|---|{'---:|' * len(COUNTS)}"]
    parts = {**figures.stages, "**all stages**": sum(figures.stages.values())}
    for name, seconds in parts.items():
        cells = (f"{seconds * count / HOUR:,.2f}" for count in COUNTS)
        if seconds * COUNTS[-1] / HOUR >= 1:
            lines.append(f"| {name} | {' | '.join(cells)} |")
    everything = parts["**all stages**"]
    money = (f"{everything * count / HOUR * price:,.2f}" for count in COUNTS)
    days = (f"{everything * count / HOUR / 24:,.2f}" for count in COUNTS)
    rows = (f"{figures.rows * count:,.0f}" for count in COUNTS)
    disk = (f"{figures.disk * count / GB:,.2f}" for count in COUNTS)
    return [
        *lines,
        f"| money, at {price} a core hour | {' | '.join(money)} |",
        f"| days on one core | {' | '.join(days)} |",
        f"| training rows | {' | '.join(rows)} |",
        f"| disk of a search for near-duplicates among them, GB | {' | '.join(disk)} |",
    ]


def models_table(options: argparse.Namespace, figures: Measured) -> list[str]:
    """Return what training takes by model and way, for a million rows and one pass."""
    lines = [
        "| model | way | parameters, billions | accelerators | GB on each | accelerator hours for "
        "a million rows | money | GB on disk |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for model in MODELS:
        for way in WAYS:
            found = fit(model, way, options.memory * GB)
            if found is None:
                lines.append(f"| {model} | {way.name} | | more than {DEVICES[-1]} | | | | |")
                continue
            memory = found.memory
            operations = 2 * way.passes * memory.parameters * figures.tokens * 1e6
            hours = operations / (options.operations * options.utilisation) / HOUR
            lines.append(
                f"| {model} | {way.name} | {memory.parameters / 1e9:.2f} | {found.devices} | "
                f"{memory.device / GB:.1f} | {hours:.1f} | {hours * options.accelerator_hour:,.0f} "
                f"| {memory.disk / GB:.2f} |"
            )
    return lines


def render(options: argparse.Namespace) -> str:
    """Return the page."""
    figures = measured()
    work = 2 * 3 * 0.27e9 * figures.speed / 1e9
    text = TEXT.read_text(encoding="utf-8")
    return text.format(
        documents="\n".join(documents_table(figures, options.core_hour)),
        models="\n".join(models_table(options, figures)),
        tokens=figures.tokens,
        rows=f"{figures.rows:.2f}",
        words=f"{figures.words:,}",
        search=f"{figures.search * 1e6:.1f}",
        starts=f"{DOCUMENT_BYTES * COUNTS[-1] / GB:.0f}",
        search_hours=f"{figures.search * COUNTS[-1] / HOUR:.1f}",
        speed=figures.speed,
        work=f"{work:.0f}",
        length=LENGTH,
        batch=BATCH,
        **vars(options) | {"operations": f"{options.operations / 1e12:.0f}"},
    )


def _page(name: str) -> str:
    return (RESULTS / f"{name}.md").read_text(encoding="utf-8")


def _only(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise LookupError(f"No page says {pattern!r} any more; correct benchmarks/sizing.py.")
    return found[1]


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--core-hour", type=float, default=0.05)
    parser.add_argument("--accelerator-hour", type=float, default=3.0)
    parser.add_argument("--memory", type=float, default=80.0, help="GB of an accelerator.")
    parser.add_argument("--operations", type=float, default=989e12, help="A second, 16 bits.")
    parser.add_argument("--utilisation", type=float, default=0.3)
    options = parser.parse_args()
    PAGE.write_text(render(options), encoding="utf-8")


TEXT = Path(__file__).with_name("sizing.notes.md")

if __name__ == "__main__":
    main()
