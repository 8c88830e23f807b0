"""Does the gate notice? Plants faults one by one, and trains honestly ten times.

.venv/bin/python -m benchmarks.detection --home FOLDER

Every fault must end in FAIL on the leg that is there for it, no honest run may end in FAIL.
Everything is the pipeline's own (training, evaluation, memorisation, lineage, gate) on the
embedded model, with few rows and steps. Models, predictions and what memorisation found lie in the
home folder, by what they were made from: a second start trains and measures only what is missing.
Comparison and verdict cost little and are made anew each time, with the gate of the day;
`--write` makes the page of what there is and judges that anew, too.
"""

import argparse
import logging
import os
import platform
import resource
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from benchmarks.command import temper
from benchmarks.planted_faults import FAULTS, Fault, digest_of, no_end_token
from data_contracts.base import digest
from data_contracts.dataset import DatasetRef, content_sha256, read_kept, read_manifest
from data_contracts.results import (
    BaseModelRef,
    Interval,
    LeakageCertificate,
    Leg,
    ModelRef,
    Verdict,
)
from data_contracts.schemas import EXAMPLE
from flows.build_dataset import BuiltDataset
from tasks.curation.audit import audit_leakage
from tasks.curation.config import CurationConfig
from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.task import compare_models, evaluate
from tasks.memorisation.config import MemorisationConfig
from tasks.memorisation.task import measure_memorisation
from tasks.promotion.config import GateConfig
from tasks.promotion.gate import Evidence, judge
from tasks.promotion.lineage import check_lineage
from tasks.tracking import RunContext, start_pipeline_run
from tasks.training.config import TrainingConfig
from tasks.training.task import prepare_base_model, train

PAGE = Path("docs/results/detection.md")
CASES = "cases"
# That nothing was lost takes more items to show than that something was: all of them.
HONEST = Fault("honest", "task_gain", "nothing wrong", evaluation={"general_items_per_skill": None})

ROWS = {"train": 48, "validation": 8, "test": 40}
# Characters of passage, question and answer: short rows, so that a run takes minutes.
LONGEST = 500

TRAINING: dict[str, Any] = {
    "learning_rate": 2e-4,
    "epochs": 1,
    "batch_size": 4,
    "evaluations_per_epoch": 1,
}
EVALUATION = EvaluationConfig(
    test_rows=40,
    validation_rows=1,
    train_rows=24,
    generated_rows=12,
    max_new_tokens=24,
    general_items_per_skill=6,
    general_texts=20,
    general_text_tokens=48,
    noise_rows=0,
)
MEMORY = MemorisationConfig(member_rows=24, alternatives=63)
# Everything is the default but the fewest test rows: the sample documents have 38 short ones.
GATE = GateConfig(
    min_test_rows=24,
    switched_off={"export_parity": "No case exports its model."},
)


@dataclass(frozen=True)
class Setup:
    """What all cases share."""

    base: BaseModelRef
    rows: list[dict[str, Any]]
    contracts: dict[str, dict[str, Any]]
    context: RunContext
    training: Mapping[str, Any] = field(default_factory=lambda: TRAINING)

    @property
    def cases(self) -> Path:
        """The folder of finished cases."""
        return self.context.home / CASES


@dataclass(frozen=True)
class Case:
    """What was found out about a finished case; `page` judges it.

    Attributes:
        of: Digest of what it was made from.
        evidence: What the gate looks at.
        seconds: Time that making it took when it was made first.
        processor_seconds: Likewise, of this process.
    """

    of: str
    evidence: Evidence
    seconds: float
    processor_seconds: float

    def verdict(self) -> Verdict:
        """Return what today's gate says."""
        return judge(self.evidence, GATE)


_CASE = TypeAdapter(Case)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, default=Path("/tmp/temper-detection"))
    parser.add_argument("--model", default="embedded", help="as `base_model` of a profile")
    parser.add_argument("--honest", type=int, default=10, help="honest runs")
    parser.add_argument("--only", nargs="*", help="names of faults; without, all")
    parser.add_argument("--write", action="store_true", help="only write the page")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    os.environ["TEMPER_HOME"] = str(arguments.home)
    if not arguments.write:
        run_all(prepared(arguments.home, arguments.model), arguments)
    PAGE.write_text(page(arguments.home / CASES, arguments), encoding="utf-8")


def run_all(setup: Setup, arguments: argparse.Namespace) -> None:
    """Run what is not finished yet; the first honest run first, since two faults need it."""
    chosen = [fault for fault in FAULTS if not arguments.only or fault.name in arguments.only]
    run(setup, HONEST, 0)
    for fault in chosen:
        run(setup, fault, 0)
    for seed in range(1, arguments.honest):
        run(setup, HONEST, seed)


def prepared(home: Path, model: str) -> Setup:
    """Build the sample documents' dataset by rules alone, and take short rows of it."""
    names = ("faq", "definition", "heading", "fact", "table", "keyword_passage", "cloze")
    listed = ", ".join(f"{{generator: {name}}}" for name in names)
    settings = [
        f"base_model={model}",
        f"generation.generators=[{listed}]",
        "generation.max_rows_per_document=8",
        "augmentation.share=0.05",
    ]
    built = BuiltDataset.model_validate(temper("dataset", "build", "demo", settings=settings))
    context = start_pipeline_run(home, f"sqlite:///{home}/mlflow.db", "detection", "detection", {})
    contracts = {ref.stage: read_manifest(Path(ref.folder)).validation for ref in built.stages}
    base = prepare_base_model.fn(model, context)
    return Setup(base, list(short_rows(read_kept(built.examples))), contracts, context)


def short_rows(examples: pa.Table) -> Iterator[dict[str, Any]]:
    """Yield the shortest rows of each split."""
    for split, most in ROWS.items():
        rows = [
            row
            for row in examples.to_pylist()
            if row["split"] == split and row["parent_id"] is None and row["context"]
        ]
        rows = [row for row in rows if _length(row) <= LONGEST]
        yield from sorted(rows, key=lambda row: str(row["example_id"]))[:most]


def _length(row: dict[str, Any]) -> int:
    return len(row["context"]) + len(row["question"]) + len(row["answer"])


def run(setup: Setup, fault: Fault, seed: int) -> None:
    """Find out what there is about a case and keep it; what is made already costs seconds."""
    path = setup.cases / f"{fault.name}-{seed}.json"
    started, spent = time.monotonic(), processor_seconds()
    examples = stored(fault.rows(setup.rows), setup.context.home)
    found = evidence_of(setup, fault, seed, examples)
    case = Case(
        made_of(setup, fault, seed, examples),
        found,
        time.monotonic() - started,
        processor_seconds() - spent,
    )
    before = read_case(path) if path.is_file() else None
    if before is not None and before.of == case.of:  # what was made then was not made now
        case = replace(case, seconds=before.seconds, processor_seconds=before.processor_seconds)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(_CASE.dump_json(case, indent=1))
    legs = {leg.name: leg.outcome for leg in case.verdict().legs}
    logging.info("%s, seed %d: %s", fault.name, seed, legs)


def read_case(path: Path) -> Case:
    """Return a finished case."""
    return _CASE.validate_json(path.read_bytes())


def made_of(setup: Setup, fault: Fault, seed: int, examples: DatasetRef) -> str:
    """Return a digest of what a case is made from, for telling whether a kept time is its own."""
    options = [dict(setup.training), EVALUATION.model_dump(mode="json"), MEMORY.model_dump()]
    return digest([digest_of(fault), seed, examples.content_sha256, *options], length=32)


def evidence_of(setup: Setup, fault: Fault, seed: int, examples: DatasetRef) -> Evidence:
    """Train and measure a case, as far as that was not done, and compare."""
    context = setup.context
    certificate = audited(examples)
    config = TrainingConfig.model_validate({**setup.training, "seed": seed, **fault.training})
    with no_end_token() if fault.unlearns_end else nullcontext():
        model: ModelRef = train.fn(examples, setup.base, config, context)
    asked = EVALUATION.model_copy(update=dict(fault.evaluation))
    base_scores = evaluate.fn(setup.base, examples, asked, context)
    scores = evaluate.fn(model, examples, asked, context)
    comparison = compare_models.fn(base_scores, scores, examples, certificate, asked, context)
    memory = measure_memorisation.fn(model, examples, MEMORY, context)
    if fault.tampered is not None:
        model = fault.tampered(model, context.home / "tampered" / fault.name)
    lineage = check_lineage(model, base_scores, scores)
    return Evidence(comparison, certificate, setup.contracts, memory, lineage=lineage)


def judged(setup: Setup, fault: Fault, seed: int) -> Verdict:
    """Return the gate's verdict on a case."""
    examples = stored(fault.rows(setup.rows), setup.context.home)
    return judge(evidence_of(setup, fault, seed, examples), GATE)


def stored(rows: list[dict[str, Any]], home: Path) -> DatasetRef:
    """Keep rows as a dataset, named by what they hold."""
    table = pa.Table.from_pylist(rows, schema=EXAMPLE)
    sha256 = content_sha256(table)
    folder = home / "planted" / sha256[:16]
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / "kept-00000.parquet")
    return DatasetRef(
        stage="augmentation",
        fingerprint=sha256[:32],
        folder=str(folder),
        content_sha256=sha256,
        rows=table.num_rows,
    )


@cache
def audited(examples: DatasetRef) -> LeakageCertificate:
    """Return the audit, once for all cases on the same rows.

    The pipeline would stop at a leak; here the gate is to say so.
    """
    return audit_leakage(read_kept(examples), CurationConfig())


def processor_seconds() -> float:
    """Return the processor time of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def page(folder: Path, arguments: argparse.Namespace) -> str:
    """Return the page of all finished cases."""
    faults = [(fault, folder / f"{fault.name}-0.json") for fault in FAULTS]
    planted = [(fault, read_case(path)) for fault, path in faults if path.is_file()]
    seeds = sorted(folder.glob("honest-*.json"), key=seed_of)
    tried = [(seed_of(path), read_case(path)) for path in seeds]
    told = [(fault, case.verdict()) for fault, case in planted]
    honest = [(seed, case.verdict()) for seed, case in tried]
    caught = sum(_leg(found, fault.leg).outcome == "FAIL" for fault, found in told)
    false, passed = (
        sum(found.outcome == outcome for _, found in honest) for outcome in ("FAIL", "PASS")
    )
    spent = sum(case.processor_seconds for _, case in [*planted, *tried])
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "peft"))
    high = rule_of_three(false, len(honest))
    return "\n".join(
        [
            "# Faults planted on purpose: does the gate notice?",
            "",
            f"`.venv/bin/python -m benchmarks.detection --honest {arguments.honest}`, "
            f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores shared "
            f"with others, Python {platform.python_version()}, {packages}; Gemma 3 270M, LoRA, "
            f"at most {ROWS['train']} training and {ROWS['test']} test rows. {spent / 60:.0f} "
            "minutes of processor time, not counted what was kept from an earlier run.",
            "",
            f"**{caught} of {len(told)} faults FAIL on the leg that is there for them** "
            f"({len(FAULTS) - len(told)} of {len(FAULTS)} not run). Of {len(honest)} honest runs "
            f"with different seeds, {passed} PASS and {false} FAIL (at most {high:.0%} elsewhere, "
            "95 %).",
            "",
            "| fault | what was done | leg that must say FAIL | it says | other legs that FAIL |",
            "|---|---|---|---|---|",
            *(_fault_line(fault, found) for fault, found in told),
            "",
            "Why, in the gate's words:",
            "",
            *(f"- `{fault.name}`: {_leg(found, fault.leg).reason}" for fault, found in told),
            "",
            "## Honest runs",
            "",
            "| seed | verdict | legs that are not PASS |",
            "|---|---|---|",
            *(_honest_line(seed, found) for seed, found in honest),
            "",
            "The gate is the default one, but that it asks for "
            f"{GATE.min_test_rows} test rows, not {GateConfig().min_test_rows}, since a case is "
            "to take minutes. Honest runs are measured on all general items, the others on "
            f"{EVALUATION.general_items_per_skill} of each skill, which show a loss and could "
            "not show that there is none.",
            "",
        ]
    )


def rule_of_three(failures: int, runs: int) -> float:
    """Return the upper end of the 95 % interval of a rate (Wilson 1927)."""
    from tasks.promotion.outcomes import share_interval

    found: Interval = share_interval(failures / runs if runs else 0.0, max(runs, 1))
    return found.high


def seed_of(path: Path) -> int:
    """Return the seed of an honest run by the name of its file."""
    return int(path.stem.removeprefix(f"{HONEST.name}-"))


def _fault_line(fault: Fault, found: Verdict) -> str:
    others = [leg.name for leg in found.legs if leg.outcome == "FAIL" and leg.name != fault.leg]
    told = _leg(found, fault.leg).outcome
    return (
        f"| `{fault.name}` | {fault.what} | {fault.leg} | {told} | {', '.join(others) or 'none'} |"
    )


def _honest_line(seed: int, found: Verdict) -> str:
    others = [f"{leg.name} ({leg.outcome})" for leg in found.legs if leg.outcome != "PASS"]
    return f"| {seed} | {found.outcome} | {', '.join(others) or 'none'} |"


def _leg(found: Verdict, name: str) -> Leg:
    return next(leg for leg in found.legs if leg.name == name)


if __name__ == "__main__":
    main()
