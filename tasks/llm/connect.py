"""Opens the way to the configured language model."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from tasks.llm.client import ChatClient
from tasks.llm.config import EMBEDDED, LLMConfig
from tasks.llm.pool import Pool
from tasks.llm.request import Complete


@contextmanager
def language_model(
    config: LLMConfig, home: Path, api_key: SecretStr | None = None
) -> Iterator[Complete]:
    """Yield what asks the language model; the embedded one's server runs as long as this.

    Args:
        config: Which model, and where.
        home: Temper's home folder, where the embedded model lies.
        api_key: Key of every endpoint; without one, the environment variable that the
            configuration names is looked at.

    Raises:
        EndpointError: The embedded server does not start.
    """
    from tasks.llm.embedded_server import embedded_server
    from tasks.modeling.base_model import embedded_gguf

    if config.base_url == EMBEDDED:
        with embedded_server(embedded_gguf(home)) as base_url:
            yield ChatClient(base_url, config, api_key=None)
    else:
        secret = api_key or SecretStr(os.environ.get(config.api_key_env, ""))
        key = secret.get_secret_value() or None
        clients = [ChatClient(address, config, key) for address in config.addresses]
        yield clients[0] if len(clients) == 1 else Pool(clients)
