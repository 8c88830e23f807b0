"""Serves the deployments of `deploy/prefect.yaml`: run as `python -m flows.serve` by `temper up`.

The same file is what `flows.register` registers for workers, so there is one list of deployments.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import yaml

from flows.environment import log_to_terminal, prepare_environment
from tasks.settings import Settings

if TYPE_CHECKING:
    from prefect.client.schemas.objects import ConcurrencyLimitConfig
    from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
    from prefect.deployments.runner import RunnerDeployment
    from prefect.events import DeploymentTriggerTypes

DEPLOYMENTS = Path(__file__).parents[1] / "deploy" / "prefect.yaml"


def specifications() -> list[dict[str, Any]]:
    """Return the deployments as the file states them."""
    stated = yaml.safe_load(DEPLOYMENTS.read_text(encoding="utf-8"))
    return cast("list[dict[str, Any]]", stated["deployments"])


def pull_folder() -> str:
    """Return the folder in which Temper lies on workers: the file's, or TEMPER_INSTALLED."""
    elsewhere = Settings().installed
    if elsewhere is not None:
        return str(elsewhere)
    stated = yaml.safe_load(DEPLOYMENTS.read_text(encoding="utf-8"))
    step = stated["pull"][0]["prefect.deployments.steps.set_working_directory"]
    return str(step["directory"])


def deployments() -> "list[RunnerDeployment]":
    """Return all deployments, to be served by this process: work pools are left out."""
    # to_deployment is a coroutine only where an event loop runs already, and none does here
    return [cast("RunnerDeployment", deployment(stated)) for stated in specifications()]


def serve_deployments() -> None:
    """Serve all deployments from this process until it is ended."""
    prepare_environment(Settings())
    log_to_terminal()
    from prefect import serve

    serve(*deployments(), limit=1)  # two runs would compete for the same processor and memory


def deployment(stated: dict[str, Any]) -> Any:
    """Return one deployment as the file states it, without its work pool."""
    path, flow_name = stated["entrypoint"].split(":")
    module = import_module(path.removesuffix(".py").replace("/", "."))
    return getattr(module, flow_name).to_deployment(
        name=stated["name"],
        description=stated["description"],
        tags=stated["tags"],
        parameters=stated.get("parameters"),
        schedules=[{"schedule": _schedule(item)} for item in stated.get("schedules", [])],
        concurrency_limit=_limit(stated["concurrency_limit"]),
        triggers=[_trigger(item) for item in stated.get("triggers", [])],
    )


def _schedule(stated: dict[str, Any]) -> "CronSchedule | IntervalSchedule":
    from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule

    kind = CronSchedule if "cron" in stated else IntervalSchedule
    return kind.model_validate(stated)


def _limit(stated: dict[str, Any]) -> "ConcurrencyLimitConfig":
    from prefect.client.schemas.objects import ConcurrencyLimitConfig

    return ConcurrencyLimitConfig.model_validate(stated)


def _trigger(stated: dict[str, Any]) -> "DeploymentTriggerTypes":
    from prefect.events import DeploymentTriggerTypes
    from pydantic import TypeAdapter

    return TypeAdapter[DeploymentTriggerTypes](DeploymentTriggerTypes).validate_python(stated)


if __name__ == "__main__":
    serve_deployments()
