"""Opens and closes the MLflow run that a whole flow logs to."""

from collections.abc import Iterator
from contextlib import contextmanager

from flows.config import PipelineConfig
from flows.environment import log_to_prefect
from tasks.settings import Settings
from tasks.tracking import RunContext, finish_pipeline_run, flatten, log_config, start_pipeline_run


@contextmanager
def pipeline_run(config: PipelineConfig, kind: str) -> Iterator[RunContext]:
    """Yield the context of a new parent run; it ends as FAILED when the body raises.

    Args:
        config: The pipeline's configuration, logged with the run.
        kind: What the run does: "pipeline", "dataset", ...
    """
    from prefect.runtime import flow_run

    log_to_prefect()
    settings = Settings()
    context = start_pipeline_run(
        home=settings.resolved_home,
        tracking_uri=settings.resolved_tracking_uri,
        experiment=config.name,
        name=f"{config.name} {kind}",
        tags={"temper.kind": kind, "prefect.flow_run_id": str(flow_run.get_id() or "")},
    )
    values = config.model_dump(mode="json")
    telling = {key: values[key] for key in ("name", "documents", "base_model")}
    log_config(context, values, flatten(telling))
    succeeded = False
    try:
        yield context
        succeeded = True
    finally:
        finish_pipeline_run(context, succeeded)
