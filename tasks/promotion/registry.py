"""MLflow's model registry: versions with tags, the aliases `challenger` and `champion`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version as installed
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from pydantic import Field

from data_contracts.base import Config
from data_contracts.errors import PromotionError
from data_contracts.results import ModelRef, Outcome

CHAMPION = "champion"
CHALLENGER = "challenger"
VERDICT_TAG = "temper.verdict"
MODEL_TAG = "temper.model"
DATASET_TAG = "temper.dataset"
CONTENT_TAG = "temper.dataset_content"

# `served_model.py` imports from it
CODE_FILE = "temper.zip"
_PACKAGES = ("data_contracts", "tasks")

# What a process that loads the registered model needs besides Temper's own code, which
# travels with the model.
_SERVING_PACKAGES = ("mlflow", "pandas", "peft", "pydantic", "torch", "transformers", "safetensors")


# What of MLflow compares a model's requirements with what is installed.
_COMPARES = "warn_dependency_requirement_mismatches"
_ONE_AT_A_TIME = Lock()


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


def pack_code(folder: Path) -> Path:
    """Write the code that a registered model needs as one file, from which Python imports.

    The same code gives the same bytes. MLflow uploads each file by a request of its own and
    checks the login for each (figures: docs/decisions/005-models-from-code.md).
    """
    root = Path(__file__).parents[2]
    path = folder / CODE_FILE
    with ZipFile(path, "w") as archive:
        for package in _PACKAGES:
            for module in sorted((root / package).rglob("*.py")):
                entry = ZipInfo(module.relative_to(root).as_posix())  # without the file's date
                archive.writestr(entry, module.read_bytes(), ZIP_DEFLATED)
    return path


@contextmanager
def _requirements_taken_as_installed() -> Iterator[None]:
    """Have MLflow not compare the requirements with what is installed, of which they are read.

    For that it lists the files of all packages, which takes longer than logging the model.
    """
    import mlflow.utils.environment as environment

    if not hasattr(environment, _COMPARES):  # another version of MLflow: it compares
        yield
        return
    with _ONE_AT_A_TIME:
        before = getattr(environment, _COMPARES)
        setattr(environment, _COMPARES, lambda _requirements: None)
        try:
            yield
        finally:
            setattr(environment, _COMPARES, before)


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
    signature = ModelSignature(
        inputs=Schema([question, passage]),
        outputs=Schema([ColSpec(DataType.string)]),
        params=ParamSchema([limit]),
    )
    try:
        with TemporaryDirectory() as folder, _requirements_taken_as_installed():
            info = mlflow.pyfunc.log_model(
                name="model",
                python_model=str(Path(__file__).with_name("served_model.py")),
                artifacts={"model": str(model.folder)},
                code_paths=[str(pack_code(Path(folder)))],
                signature=signature,
                pip_requirements=[f"{needed}=={installed(needed)}" for needed in _SERVING_PACKAGES],
            )
        # With its tags from the first moment: a run killed between the two would leave a version
        # that says nothing of itself. Each tag by itself would be two transactions, too.
        registered = mlflow.register_model(info.model_uri, name, tags=dict(tags))
    except MlflowException as error:
        raise PromotionError(
            f"MLflow did not register the model as {name!r}: {error.message}"
        ) from error
    return str(registered.version)
