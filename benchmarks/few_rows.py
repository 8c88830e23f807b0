"""How many different rows teach a style: LIMA's plateau (Zhou et al. 2023, section 5), here.

python -m benchmarks.few_rows --home FOLDER [--steps 48] [--work FOLDER] [--page PAGE.md]

The same number of steps on ever more different rows, each set within the next, so that only how
different the rows are changes. Rows are those of the newest dataset in --home. What was measured is
kept in --work and not measured again.
"""

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.figures import told
from benchmarks.methods import newest
from data_contracts.results import BaseModelRef, Interval
from tasks.evaluation.bootstrap import paired_interval
from tasks.modeling.base_model import load_tokenizer, resolve_base_model
from tasks.modeling.chat import encode_example
from tasks.training.config import TrainingConfig

PAGE = Path(__file__).parents[1] / "docs" / "results" / "few-rows.md"
SIZES = (8, 32, 128, 500)
HELD_OUT = {"validation": 12, "test": 60}
# Tokens. Of the 18F handbook's 71 test rows 57 are no longer, of 13 documents; 15 are up to 128.
LONGEST, BATCH, TEXTS, RATE = 224, 4, 16, 2e-4
SEED, RESAMPLES = 0, 2_000

Figures = Mapping[int, Mapping[str, Any]]


def main() -> None:
    """Measure what is not measured yet, and write the page after each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=48)
    parser.add_argument("--work", type=Path, default=Path("/tmp/temper-few-rows"))
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    base = resolve_base_model("embedded", options.home)
    table = short_rows(newest(options.home), base)
    measured: dict[int, Any] = {}
    for size in SIZES:
        rows = options.work / f"rows-{size}.parquet"
        if not rows.exists():
            pq.write_table(chosen(table, size), rows)
        measured[size] = one(size, rows, base, options.steps, options.work)
        options.page.write_text(render(measured, options.steps), encoding="utf-8")


def short_rows(file: Path, base: BaseModelRef) -> pa.Table:
    """Return the rows of a dataset that are no variants and not too long."""
    tokenizer, table = load_tokenizer(base), pq.read_table(file)
    own = [row for row in table.to_pylist() if row["parent_id"] is None]
    kept = [r for r in own if len(encode_example(tokenizer, r, 10**6).input_ids) <= LONGEST]
    return pa.Table.from_pylist(kept, schema=table.schema)


def chosen(table: pa.Table, size: int) -> pa.Table:
    """Return so many training rows and those held out, by the hash of their identifiers.

    Raises:
        ValueError: There are fewer training rows.
    """
    kept: list[dict[str, Any]] = []
    for split, count in {"train": size, **HELD_OUT}.items():
        rows = [row for row in table.to_pylist() if row["split"] == split]
        if split == "train" and len(rows) < size:
            raise ValueError(f"{size} training rows are asked for, and there are {len(rows)}.")
        rows.sort(key=lambda row: hashlib.sha256(row["example_id"].encode()).hexdigest())
        kept += rows[:count]
    return pa.Table.from_pylist(kept, schema=table.schema)


def one(size: int, rows: Path, base: BaseModelRef, steps: int, work: Path) -> dict[str, Any]:
    """Return the figures of one size, measured now or before, in a process of its own."""
    result = work / f"{size}-{steps}.json"
    if not result.exists():
        training = TrainingConfig.model_validate(
            {
                "method": {"method": "lora"},
                "learning_rate": RATE,
                "max_steps": steps,
                "epochs": steps * BATCH / size,
                "batch_size": BATCH,
                "evaluations_per_epoch": 1,
            }
        )
        job = work / "job.json"
        content = {
            "base": base.model_dump(mode="json"),
            "training": training.model_dump(mode="json"),
            "rows": str(rows),
            "texts": TEXTS,
            "result": str(result),
        }
        job.write_text(json.dumps(content), encoding="utf-8")
        subprocess.run([sys.executable, "-m", "benchmarks.methods_run", str(job)], check=True)
    found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return found


def render(measured: Figures, steps: int) -> str:
    """Return the page."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "peft"))
    seen = steps * BATCH
    held_out = next(iter(measured.values()))["test_clusters"]
    lines = [
        "# How many different rows teach a style",
        "",
        f"`python -m benchmarks.few_rows --home FOLDER --steps {steps}`, "
        f"{datetime.now(UTC):%Y-%m-%d}, "
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{versions}.",
        "",
        f"Gemma 3 270M, LoRA at {RATE:g}, at most {steps} steps of {BATCH} rows whatever their "
        f"number: {seen} rows are seen, the same ones {seen // SIZES[0]} times or new ones each "
        f"time. Rows of at most {LONGEST} tokens, without variants. Gain is how far the loss falls "
        f"on {len(held_out)} test rows of {len(set(held_out))} documents, forgetting how far it "
        f"rises on {TEXTS} passages of general text, nats a token, 95 % intervals over documents "
        "and passages. One seed; the "
        f"checkpoint that {HELD_OUT['validation']} validation rows call best.",
        "",
        "| different rows | loss on test rows | gain | beyond the line above | forgetting |",
        "|---:|---:|---|---|---|",
    ]
    before: Mapping[str, Any] | None = None
    for size, found in measured.items():
        more = "-" if before is None else told(gain(before, found))
        cells = [found["test_tuned"], told(own_gain(found)), more, told(rise(found))]
        lines.append(f"| {size} | {cells[0]:.3f} | {' | '.join(cells[1:])} |")
        before = found
    return "\n".join([*lines, "", plateau(measured), ""])


def plateau(measured: Figures) -> str:
    """Say from what number on more rows no longer gained anything that can be told."""
    steps = [(size, gain(a, b)) for (_, a), (size, b) in pairwise(measured.items())]
    if not steps:
        return ""
    gaining = [size for size, found in steps if found.low > 0]
    last = max(gaining, default=0)
    if last == steps[-1][0]:
        return f"No plateau up to {last} rows: the last step still gained."
    reached = last or min(measured)
    return (
        f"Beyond {reached} different rows no step gained anything that these test rows tell from "
        "chance. LIMA says the same of 2,000 and more rows and of judged quality, which is "
        "another measure on another scale."
    )


def rise(found: Mapping[str, Any]) -> Interval:
    """Return how far the loss on general text rose above the base's."""
    return changed(found["general_base_rows"], found["general_tuned_rows"], found, "general")


def own_gain(found: Mapping[str, Any]) -> Interval:
    """Return how far the loss on test rows fell below the base's."""
    return changed(found["test_tuned_rows"], found["test_base_rows"], found, "test")


def gain(fewer: Mapping[str, Any], more: Mapping[str, Any]) -> Interval:
    """Return how much lower the loss on test rows is with more rows than with fewer."""
    return changed(more["test_tuned_rows"], fewer["test_tuned_rows"], more, "test")


def changed(
    one: Sequence[float], other: Sequence[float], found: Mapping[str, Any], what: str
) -> Interval:
    """Return the mean of other - one over tokens, with its interval."""
    tokens = found[f"{what}_tokens"]
    own = [str(place) for place in range(len(tokens))]
    clusters = found["test_clusters"] if what == "test" else own
    return paired_interval(one, other, clusters, SEED, RESAMPLES, weights=tokens)


if __name__ == "__main__":
    main()
