"""Promotion: move the alias `champion` in MLflow's registry to a version that passed."""

from prefect import flow

from data_contracts.results import ModelVersionRef
from tasks.promotion.task import promote_model
from tasks.settings import Settings


@flow(name="promote")
def promote(model_name: str = "temper", version: str | None = None) -> ModelVersionRef:
    """Make a version of a registered model the champion.

    Args:
        model_name: Name of the registered model.
        version: Its version; the challenger, if none is given. Only a PASS is promoted.
    """
    return promote_model(model_name, version, Settings().resolved_tracking_uri)
