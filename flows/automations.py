"""Puts the automations of `deploy/automations.yaml` on the server.

An automation of the same name is replaced, so it can be run again after every change.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import yaml

from data_contracts.errors import ConfigError

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.events.schemas.automations import AutomationCore

AUTOMATIONS = Path(__file__).parents[1] / "deploy" / "automations.yaml"

# The name of the notification block, of whatever type: Slack, e-mail, custom-webhook, ...
BLOCK = "temper"


def automations(block: UUID) -> "list[AutomationCore]":
    """Return the automations, all of which notify by one block."""
    from prefect.events.schemas.automations import AutomationCore

    stated: list[dict[str, Any]] = yaml.safe_load(AUTOMATIONS.read_text())["automations"]
    for automation in stated:
        for action in automation["actions"]:
            action["block_document_id"] = str(block)
    return [AutomationCore.model_validate(automation) for automation in stated]


def register_automations() -> None:
    """Create the automations on the server that PREFECT_API_URL names.

    Raises:
        ConfigError: The server has no notification block, or several, of the name.
    """
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        for automation in automations(_notification_block(client)):
            for old in client.read_automations_by_name(automation.name):
                client.delete_automation(old.id)
            client.create_automation(automation)


def _notification_block(client: "SyncPrefectClient") -> UUID:
    # without a limit, the client of 3.8.8 sends null, which its server refuses
    blocks = client.read_block_documents(offset=0, limit=200, include_secrets=False)
    found = [block.id for block in blocks if block.name == BLOCK]
    if len(found) != 1:
        raise ConfigError(
            f"Prefect's server has {len(found)} blocks named {BLOCK!r}, and notifications need "
            "exactly one. Make it in Prefect's UI under Blocks: Slack Webhook, Email, Custom "
            "Webhook or another that notifies."
        )
    return found[0]
