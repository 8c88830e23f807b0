"""Everything that is needed to make a registered version again, and to say what it is."""

import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import distributions, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import ValidationError

from data_contracts.base import Result
from data_contracts.dataset import DatasetRef
from data_contracts.errors import PromotionError
from data_contracts.results import BaseModelRef, Comparison, ModelRef, Verdict

_VERDICT = "verdict.json"


class Recipe(Result):
    """What a version was made from, with what."""

    profile: dict[str, Any]  # as resolved: every default written out
    datasets: list[DatasetRef]  # of every stage, in order
    scores: DatasetRef  # predictions of the tuned model, on which the verdict rests
    base: BaseModelRef
    model: str  # fingerprint
    method: str
    code: str
    python: str
    libraries: dict[str, str]  # everything installed

    @property
    def examples(self) -> DatasetRef:
        """The dataset that was trained on."""
        return self.datasets[-1]


class VersionRecord(Result):
    """A registered version: what it was made from, and what was found out about it."""

    name: str
    version: str
    recipe: Recipe
    comparison: Comparison
    verdict: Verdict


def write_recipe(
    profile: Mapping[str, Any], datasets: Sequence[DatasetRef], scores: DatasetRef, model: ModelRef
) -> Recipe:
    """Return the recipe of a model that was made just now, by this very code."""
    return Recipe(
        profile=dict(profile),
        datasets=list(datasets),
        scores=scores,
        base=model.base,
        model=model.fingerprint,
        method=model.method,
        code=code_version(),
        python=platform.python_version(),
        libraries={
            str(found.metadata["Name"]): found.version
            for found in sorted(distributions(), key=lambda d: str(d.metadata["Name"]).lower())
        },
    )


def code_version() -> str:
    """Return Temper's version and, in a checkout, the commit; `-dirty` says it was changed."""
    root = Path(__file__).parents[2]
    try:
        done = subprocess.run(  # noqa: S603 - our own command line, no shell
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError):
        return version("temper")
    return f"{version('temper')} ({done.stdout.strip()})"


def log_record(mlflow: Any, recipe: Recipe, comparison: Comparison, verdict: Verdict) -> None:
    """Log everything about a version to the active run; `temper run` takes the profile."""
    import yaml

    mlflow.log_dict(recipe.model_dump(mode="json"), "recipe.json")
    mlflow.log_dict(comparison.model_dump(mode="json"), "comparison.json")
    mlflow.log_dict(verdict.model_dump(mode="json"), _VERDICT)
    mlflow.log_text(yaml.safe_dump(recipe.profile, sort_keys=False), "profile.yaml")
    frozen = "".join(f"{name}=={found}\n" for name, found in recipe.libraries.items())
    mlflow.log_text(frozen, "requirements.txt")


def recorded_verdict(client: Any, run_id: str | None) -> str:
    """Return the outcome that lies in the run of a version, "none" where none can be read.

    Tags can be changed by whoever may change the version, what a run logged cannot.
    """
    from mlflow.exceptions import MlflowException

    if not run_id:
        return "none"
    try:
        with TemporaryDirectory() as folder:
            path = Path(client.download_artifacts(run_id, _VERDICT, folder))
            return Verdict.model_validate_json(path.read_text(encoding="utf-8")).outcome
    except (MlflowException, OSError, ValidationError):
        return "none"


def read_record(mlflow: Any, name: str, number: str) -> VersionRecord:
    """Return what was logged with a registered version.

    Raises:
        PromotionError: There is no such version, or nothing of the kind was logged with it.
    """
    from mlflow.exceptions import MlflowException

    try:
        run = mlflow.MlflowClient().get_model_version(name, number).run_id
        parts = {
            part: mlflow.artifacts.load_dict(f"runs:/{run}/{part}.json")
            for part in ("recipe", "comparison", "verdict")
        }
        return VersionRecord.model_validate({"name": name, "version": number, **parts})
    except MlflowException as error:
        raise PromotionError(
            f"MLflow has no version {number!r} of a model {name!r}, or not the files that Temper "
            f"logs with one: {error.message}"
        ) from error
    except ValidationError as error:
        raise PromotionError(
            f"{name} version {number} was registered by another version of Temper, or by hand: "
            f"its files do not say what it was made from ({error.error_count()} fields)."
        ) from error
