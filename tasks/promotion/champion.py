"""The alias `champion`: moved by one at a time, to versions that passed, and on the record.

MLflow has no compare-and-set. So every change holds a lock, names the champion it means to
replace, and reads the alias again after writing: of two promotions at once, the second
finds another champion than it saw, and changes nothing.
"""

import getpass
import logging
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from data_contracts.errors import ChampionChanged, PromotionError
from data_contracts.results import ModelVersionRef
from tasks.promotion.history import (
    ChampionChange,
    add_to_history,
    earlier_champion,
    is_on_record,
    read_history,
)
from tasks.promotion.recipe import recorded_verdict
from tasks.promotion.registry import CHALLENGER, CHAMPION, MODEL_TAG, VERDICT_TAG

logger = logging.getLogger(__name__)

PROMOTED_TAG = "temper.promoted_at"


@dataclass(frozen=True)
class Registry:
    """A registered model in MLflow.

    Attributes:
        client: An MLflow client.
        name: Of the registered model.
        locked: Makes the lock under which its champion changes.
    """

    client: Any
    name: str
    locked: Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class Signature:
    """Who wants a change, and why.

    Attributes:
        by: A person, as `person@machine`, or what acts for one.
        reason: A sentence.
    """

    by: str
    reason: str


def signed(reason: str) -> Signature:
    """Return a signature of whoever runs this process.

    Raises:
        PromotionError: The reason is empty.
    """
    if not reason.strip():
        raise PromotionError("A change of the champion needs a reason: say why with --reason.")
    return Signature(f"{getpass.getuser()}@{socket.gethostname()}", reason.strip())


def champion_version(client: Any, name: str) -> str | None:
    """Return the version that is the champion, if one is.

    Raises:
        PromotionError: There is no such model.
    """
    return _alias(client, name, CHAMPION)


def champion_before(client: Any, name: str) -> str | None:
    """Return the champion of a model that may not be registered yet."""
    found = client.search_registered_models(f"name = '{name}'")
    return champion_version(client, name) if found else None


def challenger_version(client: Any, name: str) -> str:
    """Return the version that the alias `challenger` points to.

    Raises:
        PromotionError: There is no such model or it has no challenger.
    """
    found = _alias(client, name, CHALLENGER)
    if found is None:
        raise PromotionError(
            f"The model {name!r} has no challenger in MLflow. Run `temper run` first, or say "
            "which version with --version."
        )
    return found


def champion_fingerprint(client: Any, name: str) -> str:
    """Return the fingerprint of the tuned model that is the champion.

    Raises:
        PromotionError: There is no champion, or Temper did not register it.
    """
    version = champion_version(client, name)
    if version is None:
        raise PromotionError(f"The model {name!r} has no champion in MLflow. Promote a version.")
    tags = _version(client, name, version).tags
    if MODEL_TAG not in tags:
        raise PromotionError(
            f"{name} version {version}, the champion, has no tag {MODEL_TAG!r}: Temper did not "
            "register it. Promote a version that `temper run` registered."
        )
    return str(tags[MODEL_TAG])


def resolve_version(client: Any, name: str, asked: str) -> str:
    """Return the version that a user names by its number or by an alias.

    Raises:
        PromotionError: The alias points to none.
    """
    if asked not in (CHAMPION, CHALLENGER):
        return asked
    found = _alias(client, name, asked)
    if found is None:
        raise PromotionError(f"The model {name!r} has no {asked} in MLflow.")
    return found


def promote_version(
    registry: Registry, version: str, replacing: str | None, signature: Signature
) -> ModelVersionRef:
    """Make a version the champion in place of the one that the caller saw.

    One that somebody made the champion in MLflow, past Temper, is put on the record so.

    Args:
        registry: The registered model.
        version: The version; its verdict must be PASS.
        replacing: The champion when the decision was made; None if there was none.
        signature: Who wants it and why.

    Raises:
        ChampionChanged: The champion is another by now.
        PromotionError: There is no such version, or its verdict is not PASS.
    """
    with registry.locked():
        current = champion_version(registry.client, registry.name)
        _check_passed(registry, version)
        if current != version or not champion_on_record(registry.client, registry.name):
            _check_unchanged(registry.name, current, replacing)
            _move(registry, version, current, "promotion", signature)
    return ModelVersionRef(name=registry.name, version=version, champion=True)


def roll_back(
    registry: Registry, to: str | None, replacing: str | None, signature: Signature
) -> ModelVersionRef:
    """Make an earlier version the champion again; no pipeline promotes the present one anew.

    Args:
        registry: The registered model.
        to: The version; the champion before the present one if None.
        replacing: The champion when the decision was made.
        signature: Who wants it and why.

    Raises:
        ChampionChanged: The champion is another by now.
        PromotionError: There is no champion, none before it, or its verdict is not PASS.
    """
    with registry.locked():
        current = champion_version(registry.client, registry.name)
        _check_unchanged(registry.name, current, replacing)
        if current is None:
            raise PromotionError(f"{registry.name} has no champion that could be rolled back.")
        target = to or earlier_champion(read_history(registry.client, registry.name), current)
        if target is None or target == current:
            raise PromotionError(
                f"{registry.name} has no champion before version {current}. Say with --to which "
                "version should follow it."
            )
        _check_passed(registry, target)
        _move(registry, target, current, "rollback", signature)
    return ModelVersionRef(name=registry.name, version=target, champion=True)


def champion_on_record(client: Any, name: str) -> bool:
    """Say whether the champion became it by Temper, or somebody moved the alias past it."""
    return is_on_record(read_history(client, name), champion_version(client, name))


def was_promoted(client: Any, name: str, version: str) -> bool:
    """Say whether a version ever was the champion, so that whoever replaced it had a reason."""
    return PROMOTED_TAG in _version(client, name, version).tags


def _move(
    registry: Registry,
    version: str,
    current: str | None,
    action: Literal["promotion", "rollback"],
    signature: Signature,
) -> None:
    """Record, move, verify. Recorded first: a change without a record must not be."""
    client, name = registry.client, registry.name
    at = datetime.now(UTC).isoformat(timespec="seconds")
    change = ChampionChange(
        action=action,
        version=version,
        previous=current,
        by=signature.by,
        at=at,
        reason=signature.reason,
    )
    add_to_history(client, name, change)
    client.set_registered_model_alias(name, CHAMPION, version)
    found = champion_version(client, name)
    if found != version:
        raise ChampionChanged(
            f"{name}: version {version} was made the champion, and version {found} is: somebody "
            "else changes it without Temper's lock. Look at both, then promote again."
        )
    _tag(client, name, version, "promoted", signature, at)
    if action == "rollback" and current is not None:
        _tag(client, name, current, "rolled_back", signature, at)
    logger.info("registry: %s version %s is champion (%s)", name, version, action)


def _tag(client: Any, name: str, version: str, what: str, signature: Signature, at: str) -> None:
    reason = "temper.reason" if what == "promoted" else f"temper.{what}_reason"
    for key, value in {
        f"temper.{what}_by": signature.by,
        f"temper.{what}_at": at,
        reason: signature.reason,
    }.items():
        client.set_model_version_tag(name, version, key, value)


def _check_unchanged(name: str, current: str | None, replacing: str | None) -> None:
    if current != replacing:
        raise ChampionChanged(
            f"{name}: the champion is version {current or '(none)'}, and was "
            f"{replacing or '(none)'} when this change was decided. Nothing was changed: compare "
            f"the two with `temper compare`, then decide again."
        )


def _check_passed(registry: Registry, version: str) -> None:
    found = _version(registry.client, registry.name, version)
    verdict = found.tags.get(VERDICT_TAG, "none")
    if verdict != "PASS":
        raise PromotionError(
            f"{registry.name} version {version} has the verdict {verdict}, and only PASS is "
            "promoted. Its run in MLflow holds the report with the reasons."
        )
    recorded = recorded_verdict(registry.client, found.run_id)
    if recorded != "PASS":
        raise PromotionError(
            f"{registry.name} version {version} is tagged PASS, and its run in MLflow holds the "
            f"verdict {recorded}. Either somebody else than Temper set its tags, or the run's "
            "files cannot be read here: see that MLflow's artifacts can be reached, or run "
            "`temper run` again to have it judged."
        )


def _version(client: Any, name: str, version: str) -> Any:
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version(name, version)
    except MlflowException as error:
        raise PromotionError(
            f"MLflow has no version {version!r} of a model {name!r}: {error.message} "
            "`temper promote` without a version takes the challenger."
        ) from error


def _alias(client: Any, name: str, alias: str) -> str | None:
    from mlflow.exceptions import MlflowException

    try:
        found = client.get_registered_model(name).aliases.get(alias)
    except MlflowException as error:
        raise PromotionError(
            f"No model {name!r} is registered in MLflow: {error.message} Run `temper run` first, "
            "or name the model with --name."
        ) from error
    return None if found is None else str(found)
