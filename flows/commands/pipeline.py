"""`temper run`: the whole pipeline."""

from typing import TYPE_CHECKING

import typer

from flows.commands.output import (
    Documents,
    Json,
    Overrides,
    Profile,
    console,
    prefect_session,
    prepare_profile,
    print_json,
    print_pairs,
    print_table,
)

if TYPE_CHECKING:
    from data_contracts.results import Verdict
    from flows.pipeline import PipelineResult


def register(app: typer.Typer) -> None:
    """Add this module's verbs."""
    app.command()(run)


def run(
    profile: Profile = "demo",
    documents: Documents = None,
    settings: Overrides = None,
    json_output: Json = False,
) -> None:
    """Run the whole pipeline: documents in, a judged and registered model out.

    Ends with the verdict. The exit code says whether the pipeline ran, not whether the model
    passed; `temper gate` answers that.

    Example: temper run demo --documents ./handbook --set training.epochs=2
    """
    places = prepare_profile(profile, documents, settings)
    with prefect_session(places):
        from flows.pipeline import fine_tuning_pipeline

        result = fine_tuning_pipeline(profile, documents, settings or [])
    if json_output:
        print_json(result.model_dump(mode="json"))
    else:
        show_result(result)


def show_verdict(verdict: "Verdict") -> None:
    """Print the verdict and its legs."""
    console.print(f"\nVerdict: {verdict.outcome}\n", style="bold")
    print_table(
        "", ["leg", "outcome", "why"], [(x.name, x.outcome, x.reason) for x in verdict.legs]
    )


def show_result(result: "PipelineResult") -> None:
    """Print what a run ended with, and where everything lies."""
    show_verdict(result.verdict)
    version = result.model_version
    role = "challenger and champion" if version.champion else "challenger"
    console.print()
    print_pairs(
        {
            "report": result.report,
            "model": f"{version.name} version {version.version} ({role})",
            "weights": result.model_folder,
            "dataset": result.dataset_folder,
            "MLflow run": f"{result.mlflow_run_id} in {result.tracking_uri}",
            "both UIs": "temper up",
        }
    )
