"""Who made which version the champion, when and why: entries that are only ever added.

They lie as tags of the registered model in MLflow, one a change and numbered, so that they
are where the versions are, whatever machine a promotion was made from.
"""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import ValidationError

from data_contracts.base import Result
from data_contracts.errors import PromotionError

_TAG = "temper.history."


class ChampionChange(Result):
    """One change of the champion."""

    action: Literal["promotion", "rollback"]
    version: str
    previous: str | None  # the champion until then
    by: str
    at: str  # ISO 8601, UTC
    reason: str


def read_history(client: Any, name: str) -> list[ChampionChange]:
    """Return every change of a registered model's champion, the oldest first.

    Raises:
        PromotionError: There is no such model, or an entry was tampered with.
    """
    from mlflow.exceptions import MlflowException

    try:
        tags = client.get_registered_model(name).tags
        found = {key: text for key, text in tags.items() if key.startswith(_TAG)}
        return [ChampionChange.model_validate_json(found[key]) for key in sorted(found)]
    except MlflowException as error:
        raise PromotionError(
            f"No model {name!r} is registered in MLflow: {error.message} Run `temper run` first, "
            "or name the model with --name."
        ) from error
    except ValidationError as error:
        raise PromotionError(
            f"The history of {name!r} in MLflow (tags {_TAG}*) is not as Temper wrote it: {error}"
        ) from error


def add_to_history(client: Any, name: str, change: ChampionChange) -> None:
    """Add an entry; the caller holds the lock of the model.

    Raises:
        PromotionError: MLflow refuses.
    """
    from mlflow.exceptions import MlflowException

    key = f"{_TAG}{len(read_history(client, name)) + 1:06d}"
    try:
        client.set_registered_model_tag(name, key, change.model_dump_json())
    except MlflowException as error:
        raise PromotionError(
            f"MLflow did not record the change of {name!r}, so nothing was changed: "
            f"{error.message} A reason of a few sentences is short enough."
        ) from error


def is_on_record(history: Sequence[ChampionChange], champion: str | None) -> bool:
    """Say whether a champion became it by the newest change; without any there is none."""
    return champion == (history[-1].version if history else None)


def earlier_champion(history: Sequence[ChampionChange], champion: str) -> str | None:
    """Return what was the champion before, rolled back ones left out; None without any.

    An entry is written before the alias moves, so the newest may never have come true: what
    lies above the present champion does not count.
    """
    stack: list[str] = []
    for change in history:
        if change.action == "rollback" and change.version in stack:
            del stack[stack.index(change.version) :]
        elif change.version in stack:  # promoted once more
            stack.remove(change.version)
        stack.append(change.version)
    below = stack[: stack.index(champion)] if champion in stack else stack
    return below[-1] if below else None
