"""Registered versions, and by the tags that registration writes, what they were trained on."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from data_contracts.base import Result
from data_contracts.errors import PromotionError
from tasks.promotion.registry import CONTENT_TAG, DATASET_TAG, MODEL_TAG, VERDICT_TAG


class RegisteredVersion(Result):
    """A version in MLflow's registry that Temper registered.

    Attributes:
        name: Of the registered model.
        aliases: `champion` and the like, where they point to it.
        model: Fingerprint of the tuned model.
        dataset: Fingerprint of the dataset it was trained on.
        content: Content hash of that dataset's rows.
    """

    name: str
    version: str
    aliases: list[str]
    verdict: str
    model: str
    dataset: str
    content: str


def registered_versions(client: Any) -> list[RegisteredVersion]:
    """Return all versions that Temper registered, by name and number.

    Args:
        client: MLflow's client.

    Raises:
        PromotionError: MLflow does not answer.
    """
    from mlflow.exceptions import MlflowException

    try:
        found = [version for version in _all_versions(client) if MODEL_TAG in version.tags]
        aliases = {
            name: client.get_registered_model(name).aliases
            for name in {version.name for version in found}
        }
    except MlflowException as error:
        raise PromotionError(
            f"MLflow's registry cannot be searched for versions: {error.message} See that "
            "MLFLOW_TRACKING_URI names a server that runs."
        ) from error
    versions = [_read(version, aliases[version.name]) for version in found]
    return sorted(versions, key=lambda v: (v.name, int(v.version)))


def trained_on_any(
    registered: Sequence[RegisteredVersion], contents: Iterable[str]
) -> list[RegisteredVersion]:
    """Return the versions trained on one of the datasets, given by their content hashes."""
    wanted = set(contents)
    return [version for version in registered if version.content in wanted]


def _all_versions(client: Any) -> Iterator[Any]:
    page = client.search_model_versions()
    yield from page
    while page.token:
        page = client.search_model_versions(page_token=page.token)
        yield from page


def _read(version: Any, aliases: dict[str, Any]) -> RegisteredVersion:
    number, tags = str(version.version), version.tags
    return RegisteredVersion(
        name=version.name,
        version=number,
        aliases=sorted(alias for alias, target in aliases.items() if str(target) == number),
        verdict=tags.get(VERDICT_TAG, ""),
        model=tags[MODEL_TAG],
        dataset=tags.get(DATASET_TAG, ""),
        content=tags.get(CONTENT_TAG, ""),
    )
