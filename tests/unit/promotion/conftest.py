"""A real MLflow store with registered versions, in a folder of the test's own."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tasks.file_lock import file_lock
from tasks.promotion.champion import Registry, Signature
from tasks.tracking import connect

BY = Signature("ada@somewhere", "read by hand")

Register = Callable[..., str]


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of one database for all tests: a new one takes seconds to migrate."""
    uri = f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"
    connect(uri).MlflowClient().search_registered_models()
    return uri


@pytest.fixture
def client(store: str) -> Any:
    return connect(store).MlflowClient()


@pytest.fixture
def registry(client: Any, request: pytest.FixtureRequest, tmp_path: Path) -> Registry:
    """Return an empty registered model, named after the test."""
    client.create_registered_model(request.node.name)
    lock = file_lock(tmp_path / "promotion.lock")
    return Registry(client, request.node.name, partial(lock.held, request.node.name))


@pytest.fixture
def judged(client: Any, tmp_path: Path) -> Callable[[str], str]:
    """Return a function that logs a verdict to a run of its own and returns the run."""
    experiment = client.create_experiment(str(tmp_path), artifact_location=tmp_path.as_uri())

    def log(outcome: str) -> str:
        run = client.create_run(experiment).info.run_id
        client.log_dict(run, {"outcome": outcome, "legs": []}, "verdict.json")
        return str(run)

    return log


@pytest.fixture
def register(registry: Registry, judged: Callable[[str], str]) -> Register:
    """Return a function that registers a version with a verdict, that of its run if not told."""

    def add(verdict: str = "PASS", logged: str | None = None) -> str:
        made = registry.client.create_model_version(
            registry.name,
            "s3://nowhere/model",
            run_id=judged(verdict if logged is None else logged),
            tags={"temper.verdict": verdict},
        )
        return str(made.version)

    return add
