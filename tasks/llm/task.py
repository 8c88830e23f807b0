"""Secrets that Prefect keeps: the one place of this package that knows Prefect."""

from prefect.blocks.system import Secret
from prefect.exceptions import PrefectException
from pydantic import SecretStr

from data_contracts.errors import ConfigError
from tasks.llm.config import LLMConfig


def llm_api_key(config: LLMConfig) -> SecretStr | None:
    """Return the endpoint's key from its Prefect Secret block; None where none is named.

    Raises:
        ConfigError: There is no such block, or it holds no text.
    """
    if config.api_key_block is None:
        return None
    try:
        block = Secret.load(config.api_key_block)
    except (ValueError, PrefectException) as error:
        raise ConfigError(
            f"`llm.api_key_block` names the Prefect Secret block {config.api_key_block!r}, which "
            "cannot be loaded. Make it in Prefect's UI under Blocks, or put the key into the "
            f"environment as {config.api_key_env} and leave `llm.api_key_block` out."
        ) from error
    value = block.get() if isinstance(block, Secret) else None
    if not isinstance(value, str) or not value:
        raise ConfigError(
            f"The Prefect Secret block {config.api_key_block!r} must hold the key as text."
        )
    return SecretStr(value)
