"""The champion in MLflow's registry: promotion to a version that passed, and the way back."""

from prefect import flow

from data_contracts.results import ModelVersionRef
from tasks.promotion.task import promote_model, roll_back_model
from tasks.settings import Settings


@flow(name="promote")
def promote(reason: str, model_name: str = "temper", version: str | None = None) -> ModelVersionRef:
    """Make a version of a registered model the champion.

    Args:
        reason: Why; it is kept with the version.
        model_name: Name of the registered model.
        version: Its version; the challenger, if none is given. Only a PASS is promoted.
    """
    places = Settings()
    return promote_model(
        model_name, version, reason, places.resolved_home, places.resolved_tracking_uri
    )


@flow(name="rollback")
def rollback(reason: str, model_name: str = "temper", to: str | None = None) -> ModelVersionRef:
    """Make an earlier version of a registered model the champion again.

    Args:
        reason: Why; it is kept with both versions.
        model_name: Name of the registered model.
        to: The version; the champion before the present one, if none is given.
    """
    places = Settings()
    return roll_back_model(
        model_name, to, reason, places.resolved_home, places.resolved_tracking_uri
    )
