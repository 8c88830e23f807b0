"""MLflow: one parent run a pipeline, one child run a stage.

MLflow's active run belongs to a thread, and Prefect runs tasks in threads, so every task
is handed a `RunContext` and opens its child run by identifier.
"""

import logging
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_contracts.base import Result
from data_contracts.dataset import DatasetRef, Manifest, read_head
from tasks.file_lock import one_at_a_time

logger = logging.getLogger(__name__)

# MLflow refuses longer parameter values (mlflow.utils.validation, 6,000 characters).
MAX_PARAM = 6_000

# How the address of a database file begins; the file's path follows.
_LOCAL = "sqlite:///"


class RunContext(Result):
    """Where a run keeps its data and what it logs to; small enough to be a task's parameter."""

    home: Path
    tracking_uri: str
    experiment: str
    run_id: str


def connect(tracking_uri: str) -> Any:
    """Return the `mlflow` module, pointed at the tracking server."""
    import mlflow

    for name in ("mlflow", "alembic"):  # migrations of a new database are no news to the user
        logging.getLogger(name).setLevel(logging.WARNING)
    if mlflow.get_tracking_uri() != tracking_uri:
        mlflow.set_tracking_uri(tracking_uri)
    make_database(tracking_uri)
    return mlflow


@cache
def make_database(tracking_uri: str) -> None:
    """Make the file of a local database, with MLflow's tables, if it is not there yet.

    One process at a time: of two at once, MLflow fails one. And under another name until it is
    whole: MLflow cannot go on with a database whose making was cut short.
    """
    if not tracking_uri.startswith(_LOCAL):
        return
    from mlflow import MlflowClient

    file = Path(tracking_uri.removeprefix(_LOCAL))
    with one_at_a_time(file.parent, "tables of MLflow"):
        if not file.exists():
            _make_whole(file)
        MlflowClient(tracking_uri).search_experiments(max_results=1)  # loads what runs need


def _make_whole(file: Path) -> None:
    from mlflow.store.tracking import DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    unfinished = file.with_name(f"{file.name}.unfinished")
    for left in (unfinished, unfinished.with_name(f"{unfinished.name}-journal")):
        left.unlink(missing_ok=True)  # a journal without its database would be played into the next
    store = SqlAlchemyStore(f"{_LOCAL}{unfinished}", DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH)
    store.engine.dispose()
    unfinished.replace(file)


def start_pipeline_run(
    home: Path, tracking_uri: str, experiment: str, name: str, tags: Mapping[str, str]
) -> RunContext:
    """Open the parent run of a pipeline and return its context.

    Artifacts of a local database go below `home`, not into the working directory.
    """
    mlflow = connect(tracking_uri)
    home.mkdir(parents=True, exist_ok=True)
    client = mlflow.MlflowClient()
    location = (home / "mlartifacts").as_uri() if tracking_uri.startswith(_LOCAL) else None
    experiment_id = _experiment(client, experiment, location)
    run = client.create_run(experiment_id, run_name=name, tags=dict(tags))
    return RunContext(
        home=home, tracking_uri=tracking_uri, experiment=experiment, run_id=run.info.run_id
    )


def _experiment(client: Any, name: str, location: str | None) -> str:
    """Return the identifier of an experiment, made if need be; another run may be as fast."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name, artifact_location=location))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            found = client.get_experiment_by_name(name)
    return str(found.experiment_id)


def finish_pipeline_run(context: RunContext, succeeded: bool) -> None:
    """Close the parent run."""
    client = connect(context.tracking_uri).MlflowClient()
    client.set_terminated(context.run_id, "FINISHED" if succeeded else "FAILED")


def log_config(context: RunContext, config: Mapping[str, Any], params: Mapping[str, str]) -> None:
    """Log a pipeline's whole configuration as a file, and its most telling part as parameters."""
    client = connect(context.tracking_uri).MlflowClient()
    client.log_dict(context.run_id, dict(config), "config.json")
    for name, value in params.items():
        client.log_param(context.run_id, name, value)


@contextmanager
def stage_run(context: RunContext, stage: str) -> Iterator[Any]:
    """Open a child run for a stage; it ends as FAILED when the body raises.

    Yields:
        The `mlflow` module, with the child run active in this thread.
    """
    mlflow = connect(context.tracking_uri)
    experiment = mlflow.get_experiment_by_name(context.experiment)
    with mlflow.start_run(
        experiment_id=experiment.experiment_id,
        run_name=stage,
        nested=True,
        parent_run_id=context.run_id,
        tags={"temper.stage": stage},
        log_system_metrics=False,
    ):
        yield mlflow


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return a nested configuration as `a.b.c` keys with values short enough for MLflow."""
    flat: dict[str, str] = {}
    for key, value in config.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{name}."))
        else:
            flat[name] = str(value)[:MAX_PARAM]
    return flat


def log_dataset(mlflow: Any, ref: DatasetRef, manifest: Manifest) -> None:
    """Log a dataset to the active run: configuration, counts, lineage and the rows' digest."""
    counts = {"rows_in": manifest.rows_in, "rows_kept": manifest.rows_kept}
    counts |= {f"dropped.{reason}": n for reason, n in manifest.drop_reasons.items()}
    figures = {"seconds": manifest.seconds, **manifest.figures}
    metrics = {**counts, "rows_dropped": manifest.rows_dropped, **figures}
    tags = {"temper.fingerprint": ref.fingerprint, "temper.content": ref.content_sha256}
    _log_together(mlflow, flatten(manifest.config), metrics, tags)
    mlflow.log_dict(manifest.model_dump(), "manifest.json")
    for name in manifest.files:
        if not name.endswith(".parquet"):
            mlflow.log_artifact(str(Path(ref.folder) / name))
    mlflow.log_input(_lineage(ref), context=ref.stage)


def _log_together(
    mlflow: Any,
    params: Mapping[str, str],
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
) -> None:
    """Log to the active run by one request or transaction instead of three."""
    from mlflow.entities import Metric, Param, RunTag

    now = int(time.time() * 1000)
    mlflow.MlflowClient().log_batch(
        mlflow.active_run().info.run_id,
        metrics=[Metric(name, float(value), now, step=0) for name, value in metrics.items()],
        params=[Param(name, value) for name, value in params.items()],
        tags=[RunTag(name, value) for name, value in tags.items()],
    )


def _lineage(ref: DatasetRef) -> Any:
    """Return what MLflow records about a dataset: its place, digest and columns, not its rows."""
    from mlflow.data import from_pandas
    from mlflow.data.meta_dataset import MetaDataset

    head = read_head(ref)
    flat = head.select([f.name for f in head.schema if not pa.types.is_nested(f.type)])
    with warnings.catch_warnings():
        # It guesses a signature for serving from the rows, which a dataset is not, when asked for
        # the schema.
        warnings.simplefilter("ignore", UserWarning)
        digest = ref.content_sha256[:32]
        sample = from_pandas(flat.to_pandas(), source=ref.folder, digest=digest)
        return MetaDataset(sample.source, name=ref.stage, digest=digest, schema=sample.schema)


def stage_seconds(context: RunContext) -> dict[str, float]:
    """Return how long each stage took in this run, in the order in which they ran."""
    client = connect(context.tracking_uri).MlflowClient()
    experiment = client.get_experiment_by_name(context.experiment)
    children = client.search_runs(
        [experiment.experiment_id],
        filter_string=f"tags.`mlflow.parentRunId` = '{context.run_id}'",
        order_by=["attributes.start_time ASC"],
    )
    seconds: dict[str, float] = {}
    for child in children:
        if child.info.end_time:
            name = child.data.tags.get("temper.stage", child.info.run_name)
            taken = (child.info.end_time - child.info.start_time) / 1000
            seconds[name] = seconds.get(name, 0.0) + taken
    return seconds


def best_losses(tracking_uri: str, experiment: str) -> dict[str, float]:
    """Return the lowest validation loss that each training method reached, in nats.

    Methods are comparable only on the same rows, so runs count that trained on the dataset
    and base of the newest one; the experiment may not exist yet.
    """
    client = connect(tracking_uri).MlflowClient()
    found = client.get_experiment_by_name(experiment)
    if found is None:
        return {}
    runs = client.search_runs(
        [found.experiment_id],
        filter_string="tags.`temper.stage` = 'training' and attributes.status = 'FINISHED'",
        order_by=["attributes.start_time DESC"],
    )
    loss, data = "training.best_validation_loss", "temper.data"
    told = [run for run in runs if loss in run.data.metrics and data in run.data.tags]
    best: dict[str, float] = {}
    for run in told:
        if run.data.tags[data] == told[0].data.tags[data]:
            method = run.data.params.get("method.method", "")
            best[method] = min(best.get(method, float("inf")), run.data.metrics[loss])
    return best
