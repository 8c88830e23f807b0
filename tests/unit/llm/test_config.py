"""What a profile may say, and where the key comes from."""

from pathlib import Path

import pytest
from prefect.blocks.system import Secret
from pydantic import SecretStr, ValidationError

from data_contracts.errors import ConfigError
from tasks.llm.client import Request
from tasks.llm.config import LLMConfig
from tasks.llm.connect import language_model
from tasks.llm.task import llm_api_key
from tests.endpoint import Endpoint, completion
from tests.unit.llm.conftest import Answer

KEY = "sk-abcdefgh12345678"
REQUEST = Request([{"role": "user", "content": "Hello"}], Answer)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"base_url": f"http://me:{KEY}@127.0.0.1/v1"}, "written into manifests"),
        ({"base_url": f"http://127.0.0.1/v1?key={KEY}"}, "written into manifests"),
        ({"max_cost": 1.0}, "max_cost needs"),
        ({"api_key": KEY}, "Extra inputs"),
    ],
)
def test_what_a_profile_may_not_say(options: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        LLMConfig.model_validate(options)


@pytest.mark.parametrize(
    ("given", "variable", "sent"),
    [(None, KEY, KEY), (SecretStr("other"), KEY, "other"), (None, "", "no-key-needed")],
)
def test_the_key_comes_from_the_block_or_the_environment(
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    given: SecretStr | None,
    variable: str,
    sent: str,
) -> None:
    monkeypatch.setenv("JUDGE_KEY", variable)
    endpoint.respond = lambda n, body: completion("{}")
    config = LLMConfig(base_url=endpoint.base_url, model="m", api_key_env="JUDGE_KEY")
    with language_model(config, tmp_path, given) as complete:
        complete(REQUEST)
    assert endpoint.headers[0]["authorization"] == f"Bearer {sent}"


def test_the_key_of_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading is replaced: it needs Prefect's server."""
    held: dict[str, Secret[object]] = {"llm": Secret(value=KEY), "odd": Secret(value={"a": 1})}

    def load(name: str) -> Secret[object]:
        if name not in held:
            raise ValueError(f"Unable to find block document named {name}")
        return held[name]

    monkeypatch.setattr(Secret, "load", load)
    key = llm_api_key(LLMConfig(api_key_block="llm"))
    assert key is not None
    assert key.get_secret_value() == KEY
    assert KEY not in repr(key)
    assert llm_api_key(LLMConfig()) is None
    with pytest.raises(ConfigError, match="cannot be loaded. Make it"):
        llm_api_key(LLMConfig(api_key_block="none"))
    with pytest.raises(ConfigError, match="must hold the key as text"):
        llm_api_key(LLMConfig(api_key_block="odd"))
