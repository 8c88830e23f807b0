"""Training methods beside each other: cost, speed, latency, gain and forgetting, on one dataset.

python -m benchmarks.methods [--home FOLDER] [--rows FILE.parquet] [--work FOLDER] [--page PAGE.md]

Each method trains the embedded model in a process of its own, on one thread. What was measured is
kept in --work and not measured again, so a run that was stopped goes on. Rows are those of the
newest dataset that `temper run demo` left in --home, if --rows names no others. Every method is
also an MLflow run, in --work/mlflow.db.
"""

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.methods_claims import EQUAL
from benchmarks.methods_page import render, scatter
from data_contracts.dataset import KEPT
from data_contracts.results import BaseModelRef
from tasks.modeling.base_model import load_model, load_tokenizer, resolve_base_model
from tasks.modeling.chat import encode_example
from tasks.modeling.shapes import ModelShapes, shapes_of
from tasks.settings import Settings
from tasks.tracking import connect, finish_pipeline_run, flatten, start_pipeline_run
from tasks.training.config import TrainingConfig
from tasks.training.methods.lora import Lora
from tasks.training.methods.wegeft import WeGeFt

PAGE = Path(__file__).parents[1] / "docs" / "results" / "methods.md"
# Rows of each split, and the longest in tokens: a run takes about a minute of one processor.
ROWS, LONGEST = {"train": 32, "validation": 8, "test": 24}, 128
TEXTS, BATCH, EPOCHS = 8, 4, 2.0
# The literature's own table first, should time run out.
NAMES = [
    "full",
    "lora",
    "qlora",
    "bottleneck",
    "prefix_tuning",
    "prompt_tuning",
    "ia3",
    "wegeft",
    EQUAL,
    "dora",
    "pissa",
    "loraplus",
    "rslora",
    "adalora",
    "vera",
    "oft",
    "p_tuning",
    "osf",
    "progressive",
]


def main() -> None:
    """Measure what is not measured yet, and write the page after each method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=Settings().resolved_home)
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--work", type=Path, default=Path("/tmp/temper-methods"))
    parser.add_argument("--page", type=Path, default=PAGE)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    base = resolve_base_model("embedded", arguments.home)
    rows = arguments.work / "rows.parquet"
    if not rows.exists():
        pq.write_table(chosen(arguments.rows or newest(arguments.home), base), rows)
    measured: dict[str, dict[str, Any]] = {}
    for label, method in cases(shapes_of(load_model(base))).items():
        measured[label] = one(label, method, base, arguments.work)
        arguments.page.write_text(render(measured, heading(measured, rows)), encoding="utf-8")
        picture = arguments.page.with_suffix(".svg")
        picture.write_text(scatter(measured), encoding="utf-8")


def cases(shapes: ModelShapes) -> dict[str, dict[str, Any]]:
    """Return the methods by label; one is LoRA with as many parameters as WeGeFT."""
    wanted = WeGeFt().trainable_parameters(shapes)
    rank = min(
        range(1, 129), key=lambda rank: abs(Lora(rank=rank).trainable_parameters(shapes) - wanted)
    )
    equal = {"method": "lora", "rank": rank, "alpha": 2.0 * rank}
    methods: dict[str, dict[str, Any]] = {name: {"method": name} for name in NAMES}
    return methods | {EQUAL: equal}


def newest(home: Path) -> Path:
    """Return the rows of the newest augmented dataset below a home folder."""
    files = sorted((home / "datasets" / "augmentation").glob(f"*/{KEPT}"), key=os.path.getmtime)
    return files[-1]


def chosen(file: Path, base: BaseModelRef) -> pa.Table:
    """Return so many rows of each split, short ones, by the hash of their identifiers."""
    tokenizer, table = load_tokenizer(base), pq.read_table(file)
    kept = []
    for split, count in ROWS.items():
        rows = [row for row in table.to_pylist() if row["split"] == split]
        rows = [r for r in rows if len(encode_example(tokenizer, r, 10**6).input_ids) <= LONGEST]
        rows.sort(key=lambda row: hashlib.sha256(row["example_id"].encode()).hexdigest())
        kept += rows[:count]
    return pa.Table.from_pylist(kept, schema=table.schema)


def one(label: str, method: Mapping[str, Any], base: BaseModelRef, work: Path) -> dict[str, Any]:
    """Return the figures of one method, measured now or before.

    Raises:
        RuntimeError: It failed; the message is the end of what it wrote.
    """
    result = work / f"{label.replace(', ', '-').replace(' ', '')}.json"
    if not result.exists():
        training = TrainingConfig.model_validate(
            {"method": method, "epochs": EPOCHS, "batch_size": BATCH, "evaluations_per_epoch": 1}
        )
        job = work / "job.json"
        content: dict[str, Any] = {
            "base": base.model_dump(mode="json"),
            "training": training.model_dump(mode="json"),
            "rows": str(work / "rows.parquet"),
            "texts": TEXTS,
            "result": str(result),
        }
        job.write_text(json.dumps(content), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.methods_run", str(job)],
            env={**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"},
            stderr=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            # A negative status is a signal: -9 where memory ran out, -15 where it was stopped.
            raise RuntimeError(f"{label}: status {done.returncode}, {done.stderr[-2000:]}")
        log(label, content["training"], json.loads(result.read_text(encoding="utf-8")), work)
    found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return found


def log(label: str, training: Mapping[str, Any], found: Mapping[str, Any], work: Path) -> None:
    """Make an MLflow run of a method."""
    uri = f"sqlite:///{work / 'mlflow.db'}"
    context = start_pipeline_run(work, uri, "methods", label, {"temper.kind": "benchmark"})
    client = connect(uri).MlflowClient()
    for name, value in flatten(training).items():
        client.log_param(context.run_id, name, value)
    figures = {name: value for name, value in found.items() if isinstance(value, int | float)}
    for name, figure in figures.items():
        client.log_metric(context.run_id, name, float(figure))
    finish_pipeline_run(context, succeeded=True)


def heading(measured: Mapping[str, Any], rows: Path) -> str:
    """Return how the figures were made."""
    splits = pq.read_table(rows, columns=["split"])["split"].to_pylist()
    counts = ", ".join(f"{splits.count(split)} {split}" for split in ROWS)
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "peft"))
    return (
        f"`.venv/bin/python -m benchmarks.methods`, {datetime.now(UTC):%Y-%m-%d}, "
        f"{platform.machine()}, one thread, Python {platform.python_version()}, {versions}; "
        f"{len(measured)} methods.\n\n"
        f"Gemma 3 270M in single precision; rows of one dataset, at most {LONGEST} tokens long: "
        f"{counts}. Batch {BATCH}, {EPOCHS:g} epochs, every method at its own default rate and "
        "options. Loss in nats a token; gain is how far it falls on test rows, forgetting how "
        f"far it rises on {TEXTS} passages of general text, both with 95 % intervals over "
        "documents and passages. One seed. Speed and latency are by processor time; the machine "
        f"was shared (load {os.getloadavg()[2]:.0f} on {os.cpu_count()} cores), which lengthens "
        "that time, too: compare within the table only."
    )


if __name__ == "__main__":
    main()
