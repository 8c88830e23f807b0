"""Runs the pipeline on a profile and writes what came out as a page for docs/results.

python benchmarks/pipeline_results.py PROFILE PAGE.md [--beside KEY=VALUE]... [more options]

More options are those of `temper run`.

With `--beside training.method.method=full` the pipeline runs once more with this setting, and the
page compares both runs; said several times, the other run has all these settings. The runs share
data and what is known of the base.
"""

import argparse
import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import psutil

from benchmarks.command import temper
from data_contracts.dataset import Manifest
from tasks.settings import Settings
from tasks.tracking import RunContext, stage_seconds

# What stands for a whole run where two are compared.
TELLING = (
    ("test", "cross_entropy"),
    ("test", "token_f1"),
    ("test", "exact_match"),
    ("general_text", "cross_entropy"),
    ("general_skill", "accuracy"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile")
    parser.add_argument("page", type=Path)
    parser.add_argument(
        "--beside", action="append", metavar="KEY=VALUE", help="Compare with a run set so."
    )
    told, arguments = parser.parse_known_args()
    first = run(told.profile, arguments)
    told.page.write_text(render(first))
    if told.beside:
        settings = [part for setting in told.beside for part in ("--set", setting)]
        other = run(told.profile, [*arguments, *settings])
        told.page.write_text(render(first, other, " ".join(told.beside)))
    print(f"{told.page} written, verdict {first.artifact('gate', 'verdict.json')['outcome']}")


@dataclass(frozen=True)
class Measured:
    """A pipeline's run, as it lies in MLflow.

    Attributes:
        command: What was run.
        run: The parent run.
        stages: Its child runs, in the order in which they started.
        seconds: What each stage took.
    """

    command: str
    run: Any
    stages: list[Any]
    seconds: dict[str, float]

    def of_stage(self, name: str) -> list[Any]:
        """Return the child runs of a stage: evaluation has one for each model."""
        return [child for child in self.stages if child.data.tags["temper.stage"] == name]

    def artifact(self, stage: str, name: str) -> dict[str, Any]:
        """Return a JSON file of a stage's last child run."""
        return artifact(self.of_stage(stage)[-1], name)

    @property
    def manifests(self) -> list[Manifest]:
        """What each stage up to the audit says of its dataset."""
        names = [child.data.tags["temper.stage"] for child in self.stages]
        data = self.stages[: names.index("audit")]
        return [Manifest(**artifact(child, "manifest.json")) for child in data]


def artifact(child: Any, name: str) -> dict[str, Any]:
    """Return a JSON file of a child run."""
    path = mlflow.MlflowClient().download_artifacts(child.info.run_id, name)
    found: dict[str, Any] = json.loads(Path(path).read_text())
    return found


def run(profile: str, arguments: Sequence[str]) -> Measured:
    """Run the pipeline in a process of its own; its lines go to the terminal."""
    found = temper("run", profile, *arguments)
    return measured(["temper", "run", profile, *arguments], found["mlflow_run_id"])


def measured(command: Sequence[str], run_id: str) -> Measured:
    """Return what lies in MLflow of a pipeline's run."""
    uri = Settings().resolved_tracking_uri
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient()
    found = client.get_run(run_id)
    experiment = client.get_experiment(found.info.experiment_id).name
    context = RunContext(home=Path(), tracking_uri=uri, experiment=experiment, run_id=run_id)
    stages = client.search_runs(
        [found.info.experiment_id],
        f"tags.`mlflow.parentRunId` = '{run_id}'",
        order_by=["attributes.start_time ASC"],
    )
    return Measured(" ".join(command), found, list(stages), stage_seconds(context))


def render(found: Measured, other: Measured | None = None, setting: str | None = None) -> str:
    """Return the page of a run, compared with another that has one more setting."""
    sections = [
        head(found),
        verdict(found.artifact("gate", "verdict.json")),
        *([beside(found, other, setting)] if other and setting else []),
        cost(found),
        deltas(found.artifact("comparison", "comparison.json")),
        funnel(found.manifests),
        kinds(found.manifests),
        audit(found.artifact("audit", "leakage_certificate.json")),
        times(found.seconds),
    ]
    return "\n\n".join(sections) + "\n"


def head(found: Measured) -> str:
    packages = ("temper", "torch", "transformers", "peft", "prefect", "mlflow")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    memory = psutil.virtual_memory().total / 2**30
    started = datetime.fromtimestamp(found.run.info.start_time / 1000, UTC)
    seconds = (found.run.info.end_time - found.run.info.start_time) / 1000
    return (
        f"# Results: `{found.command}`\n\n"
        f"Measured {started:%Y-%m-%d} on {psutil.cpu_count()} cores, {memory:.0f} GiB, "
        f"no accelerator; Python {platform.python_version()}, {versions}. "
        f"Wall time of the pipeline {seconds:.0f} s."
    )


def table(columns: list[str], rows: list[list[object]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def verdict(value: dict[str, Any]) -> str:
    rows = [[leg["name"], leg["outcome"], leg["reason"]] for leg in value["legs"]]
    return f"## Verdict: {value['outcome']}\n\n" + table(["leg", "outcome", "why"], rows)


def beside(found: Measured, other: Measured, setting: str) -> str:
    """Compare two runs on the same rows: what was gained, what was lost, what it took."""
    runs = [found, other]
    rows: list[list[object]] = [
        ["verdict", *(run.artifact("gate", "verdict.json")["outcome"] for run in runs)]
    ]
    comparisons = [run.artifact("comparison", "comparison.json") for run in runs]
    for set_, measure in TELLING:
        cells = [change(comparison, set_, measure) for comparison in comparisons]
        rows.append([f"{set_}, {measure}", *cells])
    trained = [run.of_stage("training")[-1].data.metrics for run in runs]
    for name, unit, size in (
        ("trainable_parameters", "", 1),
        ("seconds", " s", 1),
        ("processor_seconds", " s", 1),
        ("peak_memory_bytes", " GiB", 2**30),
    ):
        values = [told[f"training.{name}"] / size for told in trained]
        text = [f"{value:.1f}{unit}" if size > 1 else f"{value:,.0f}{unit}" for value in values]
        rows.append([f"training: {name.replace('_', ' ')}", *text])
    columns = ["change, 95 % interval", "this run", f"with `{setting}`"]
    return "## Beside another run\n\n" + table(columns, rows)


def change(comparison: dict[str, Any], set_: str, measure: str) -> str:
    """Return the change over all rows of a set."""
    keys = (set_, "all", measure)
    for item in comparison["deltas"]:
        if (item["set"], item["name"], item["measure"]) == keys:
            return interval(item["delta"])
    return "-"


def interval(value: dict[str, float]) -> str:
    return f"{value['estimate']:+.3f} [{value['low']:+.3f}, {value['high']:+.3f}]"


def cost(found: Measured) -> str:
    """Set the evaluation of both models beside training, in wall and in processor time.

    The figures are those of when a stage was computed, also where this run reused it.
    """
    trained = found.of_stage("training")[-1].data
    training = [trained.metrics[f"training.{name}"] for name in ("seconds", "processor_seconds")]
    rows: list[list[object]] = [["training", *map(rounded, training)]]
    total = [0.0, 0.0]
    for child in found.of_stage("evaluation"):
        tuned = artifact(child, "manifest.json")["parents"]["model"] == trained.tags["temper.model"]
        model = "tuned model" if tuned else "base"
        figures = child.data.metrics
        parts = [name.removeprefix("seconds.") for name in figures if name.startswith("seconds.")]
        for part in sorted(parts):
            both = [figures[f"{clock}.{part}"] for clock in ("seconds", "processor_seconds")]
            total = [sum(pair) for pair in zip(total, both, strict=True)]
            rows.append([f"{model}: {part}", *map(rounded, both)])
    rows.append(["evaluation", *map(rounded, total)])
    shares = [f"{part / whole:.2f}" for part, whole in zip(total, training, strict=True)]
    rows.append(["evaluation / training", *shares])
    return "## What the evaluation cost\n\n" + table(["", "wall s", "processor s"], rows)


def rounded(value: float) -> str:
    return f"{value:.0f}"


def deltas(comparison: dict[str, Any]) -> str:
    rows = []
    for item in comparison["deltas"]:
        figures = [f"{item['base']:.3f}", f"{item['tuned']:.3f}", interval(item["delta"])]
        rows.append([item["set"], item["name"], item["measure"], item["rows"], *figures])
    columns = ["set", "name", "measure", "rows", "base", "tuned", "change, 95 % interval"]
    return "## Base against tuned, on the same rows\n\n" + table(columns, rows)


def funnel(manifests: list[Manifest]) -> str:
    rows: list[list[object]] = [
        [
            manifest.stage,
            manifest.rows_in,
            manifest.rows_kept,
            manifest.rows_dropped,
            ", ".join(f"{count} {reason}" for reason, count in manifest.drop_reasons.items()),
        ]
        for manifest in manifests
    ]
    return "## Counts per stage\n\n" + table(["stage", "in", "kept", "dropped", "why"], rows)


def kinds(manifests: list[Manifest]) -> str:
    figures = {f"{m.stage}: {name}": value for m in manifests for name, value in m.figures.items()}
    return "## Figures\n\n" + table(
        ["figure", "value"], [[k, f"{v:g}"] for k, v in figures.items()]
    )


def audit(certificate: dict[str, Any]) -> str:
    rows = [
        [item["split"], item["detector"], item["threshold"], item["hits"], f"{item['highest']:.3f}"]
        for item in certificate["findings"]
    ]
    state = "passed" if certificate["passed"] else "failed"
    counts = f"Rows {certificate['rows']}, groups {certificate['groups']}"
    return (
        f"## Leakage audit: {state}\n\n{counts}, {certificate['shared_groups']} groups shared.\n\n"
        + table(["against train", "detector", "threshold", "hits", "highest"], rows)
    )


def times(seconds: dict[str, float]) -> str:
    rows: list[list[object]] = [[stage, f"{value:.1f}"] for stage, value in seconds.items()]
    return "## Seconds per stage\n\n" + table(["stage", "seconds"], rows)


if __name__ == "__main__":
    main()
