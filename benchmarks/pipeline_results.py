"""Runs the pipeline on a profile and writes what came out as a page for docs/results.

python benchmarks/pipeline_results.py PROFILE PAGE.md [further arguments of `temper run`]
"""

import json
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import psutil

from data_contracts.dataset import Manifest
from tasks.settings import Settings
from tasks.tracking import RunContext, stage_seconds

DATA_STAGES = ("ingestion", "chunking", "generation", "curation", "splitting", "augmentation")


def main() -> None:
    profile, page, *arguments = sys.argv[1:]
    command = [sys.executable, "-m", "flows.cli", "run", profile, "--json", *arguments]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    result = json.loads(output)
    text = render(["temper", "run", profile, *arguments], result["mlflow_run_id"])
    Path(page).write_text(text)
    print(f"{page} written, verdict {result['verdict']['outcome']}")


def render(command: list[str], run_id: str) -> str:
    """Return the page of a pipeline's run, from what lies in MLflow."""
    uri = Settings().resolved_tracking_uri
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient()
    run = client.get_run(run_id)
    children = {
        child.data.tags["temper.stage"]: child
        for child in client.search_runs(
            [run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run_id}'"
        )
    }

    def artifact(stage: str, name: str) -> dict[str, Any]:
        path = client.download_artifacts(children[stage].info.run_id, name)
        return json.loads(Path(path).read_text())

    manifests = [Manifest(**artifact(stage, "manifest.json")) for stage in DATA_STAGES]
    context = RunContext(
        home=Path(),
        tracking_uri=uri,
        experiment=client.get_experiment(run.info.experiment_id).name,
        run_id=run_id,
    )
    comparison = artifact("comparison", "comparison.json")
    certificate = artifact("audit", "leakage_certificate.json")
    sections = [
        head(command, (run.info.end_time - run.info.start_time) / 1000),
        verdict(artifact("gate", "verdict.json")),
        deltas(comparison),
        funnel(manifests),
        kinds(manifests),
        audit(certificate),
        times(stage_seconds(context)),
    ]
    return "\n\n".join(sections) + "\n"


def head(command: list[str], seconds: float) -> str:
    packages = ("temper", "torch", "transformers", "peft", "prefect", "mlflow")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"# Results: `{' '.join(command)}`\n\n"
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {psutil.cpu_count()} cores, {memory:.0f} GiB, "
        f"no accelerator; Python {platform.python_version()}, {versions}. "
        f"Wall time of the pipeline {seconds:.0f} s."
    )


def table(columns: list[str], rows: list[list[object]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def verdict(value: dict[str, Any]) -> str:
    rows = [[leg["name"], leg["outcome"], leg["reason"]] for leg in value["legs"]]
    return f"## Verdict: {value['outcome']}\n\n" + table(["leg", "outcome", "why"], rows)


def deltas(comparison: dict[str, Any]) -> str:
    rows = []
    for item in comparison["deltas"]:
        change = item["delta"]
        interval = f"{change['estimate']:+.3f} [{change['low']:+.3f}, {change['high']:+.3f}]"
        figures = [f"{item['base']:.3f}", f"{item['tuned']:.3f}", interval]
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
