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
def register(registry: Registry) -> Register:
    """Return a function that registers a version with a verdict."""

    def add(verdict: str = "PASS") -> str:
        made = registry.client.create_model_version(
            registry.name, "s3://nowhere/model", tags={"temper.verdict": verdict}
        )
        return str(made.version)

    return add
