"""MLflow's model registry: versions with tags, the aliases `challenger` and `champion`."""

import logging
from collections.abc import Mapping
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from pydantic import Field

from data_contracts.base import Config
from data_contracts.errors import PromotionError
from data_contracts.results import ModelRef, ModelVersionRef, Outcome

logger = logging.getLogger(__name__)

CHAMPION = "champion"
CHALLENGER = "challenger"
VERDICT_TAG = "temper.verdict"
MODEL_TAG = "temper.model"

# What a process that loads the registered model needs besides Temper's own code, which
# travels with the model.
_SERVING_PACKAGES = ("mlflow", "pandas", "peft", "pydantic", "torch", "transformers", "safetensors")


class RegistryConfig(Config):
    """Where the tuned model is registered."""

    model_name: str = Field("temper", description="Name of the registered model in MLflow.")


def find_version(client: Any, name: str, fingerprint: str, verdict: Outcome) -> str | None:
    """Return the registered version of that tuned model with that verdict, if there is one."""
    from mlflow.exceptions import MlflowException

    try:
        found = client.search_model_versions(f"name = '{name}'")
    except MlflowException as error:
        raise PromotionError(f"MLflow's registry cannot be searched: {error.message}") from error
    for candidate in found:
        tags = candidate.tags
        if tags.get(MODEL_TAG) == fingerprint and tags.get(VERDICT_TAG) == verdict:
            return str(candidate.version)
    return None


def log_and_register(mlflow: Any, model: ModelRef, name: str, tags: Mapping[str, str]) -> str:
    """Log the tuned model to the active run and register it; return the new version.

    Raises:
        PromotionError: MLflow refuses.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

    question = ColSpec(DataType.string, "question")
    passage = ColSpec(DataType.string, "context", required=False)
    limit = ParamSpec("max_new_tokens", DataType.integer, 128)
    root = Path(__file__).parents[2]
    try:
        info = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(Path(__file__).with_name("served_model.py")),
            artifacts={"model": str(model.folder)},
            code_paths=[str(root / "tasks"), str(root / "data_contracts")],
            signature=ModelSignature(
                inputs=Schema([question, passage]),
                outputs=Schema([ColSpec(DataType.string)]),
                params=ParamSchema([limit]),
            ),
            pip_requirements=[f"{package}=={installed(package)}" for package in _SERVING_PACKAGES],
            registered_model_name=name,
        )
    except MlflowException as error:
        raise PromotionError(
            f"MLflow did not register the model as {name!r}: {error.message}"
        ) from error
    client = mlflow.MlflowClient()
    for key, value in tags.items():
        client.set_model_version_tag(name, info.registered_model_version, key, value)
    return str(info.registered_model_version)


def set_aliases(client: Any, name: str, version: str, verdict: Outcome) -> ModelVersionRef:
    """Make a version the challenger and, on PASS only, the champion."""
    client.set_registered_model_alias(name, CHALLENGER, version)
    if verdict == "PASS":
        client.set_registered_model_alias(name, CHAMPION, version)
        logger.info("registry: %s version %s is challenger and champion", name, version)
    else:
        logger.info("registry: %s version %s is challenger (%s)", name, version, verdict)
    return ModelVersionRef(name=name, version=version, champion=verdict == "PASS")


def promote_version(client: Any, name: str, version: str) -> ModelVersionRef:
    """Move the alias `champion` to a version whose verdict is PASS.

    Raises:
        PromotionError: There is no such version, or its verdict is not PASS.
    """
    from mlflow.exceptions import MlflowException

    try:
        found = client.get_model_version(name, version)
    except MlflowException as error:
        raise PromotionError(
            f"MLflow has no version {version!r} of a model {name!r}: {error.message} "
            "`temper promote` without a version takes the challenger."
        ) from error
    verdict = found.tags.get(VERDICT_TAG, "none")
    if verdict != "PASS":
        raise PromotionError(
            f"{name} version {version} has the verdict {verdict}, and only PASS is promoted. "
            "Its run in MLflow holds the report with the reasons."
        )
    return set_aliases(client, name, version, "PASS")


def challenger_version(client: Any, name: str) -> str:
    """Return the version that the alias `challenger` points to.

    Raises:
        PromotionError: There is no such model or it has no challenger.
    """
    from mlflow.exceptions import MlflowException

    try:
        return str(client.get_model_version_by_alias(name, CHALLENGER).version)
    except MlflowException as error:
        raise PromotionError(
            f"No model {name!r} with a challenger is registered in MLflow. Run `temper run` first, "
            "or name the model with --name."
        ) from error
