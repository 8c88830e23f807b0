"""Serves the deployments: run as `python -m flows.serve`, which `temper up` does.

Three ways to use Temper: on a schedule, by hand from the form in Prefect's UI (or through
its API), and by promoting a version in MLflow's registry.
"""

from typing import TYPE_CHECKING, cast

from flows.environment import log_to_terminal, prepare_environment
from tasks.settings import Settings

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment

# Nightly at 02:00: documents changed during the day, the machine is free.
NIGHTLY = "0 2 * * *"


def serve_deployments() -> None:
    """Serve all deployments from this process until it is ended."""
    prepare_environment(Settings())
    log_to_terminal()
    from prefect import serve

    from flows.build_dataset import dataset_pipeline
    from flows.pipeline import fine_tuning_pipeline
    from flows.promote import promote

    deployments = [
        fine_tuning_pipeline.to_deployment(
            name="nightly",
            cron=NIGHTLY,
            concurrency_limit=1,  # two runs would compete for the same processor and memory
            tags=["temper"],
            description="The whole pipeline, every night. Unchanged stages are reused.",
        ),
        fine_tuning_pipeline.to_deployment(
            name="by-hand",
            tags=["temper"],
            description="The whole pipeline with parameters from the form.",
        ),
        dataset_pipeline.to_deployment(
            name="by-hand", tags=["temper"], description="The dataset alone."
        ),
        promote.to_deployment(
            name="by-hand",
            tags=["temper"],
            description="Make a version in MLflow's registry the champion, if it passed.",
        ),
    ]
    # to_deployment is a coroutine only where an event loop runs already, and none does here
    serve(*cast("list[RunnerDeployment]", deployments), limit=1)


if __name__ == "__main__":
    serve_deployments()
