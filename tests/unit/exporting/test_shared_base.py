"""Two adapters answer on one base, each as it does alone."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from data_contracts.errors import ModelError
from data_contracts.results import ModelRef
from tasks.exporting.answers import greedy_tokens
from tasks.exporting.shared_base import SharedBase, adapter_server, load_shared
from tasks.modeling.chat import prompt_ids
from tasks.modeling.tuned import load_tuned
from tasks.training.methods.bottleneck import Bottleneck
from tasks.training.methods.dora import Dora
from tasks.training.methods.lora import Lora
from tests.unit.exporting.conftest import write_tuned


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, ModelRef]:
    def made(method: Any) -> ModelRef:
        return write_tuned(tmp_path_factory.mktemp("model"), "llama", method)

    return {
        "legal": made(Lora(rank=4, alpha=8)),
        "travel": made(Lora(rank=2, alpha=32, target_modules=("q_proj", "down_proj"))),
        "bottleneck": made(Bottleneck(size=4)),
    }


@pytest.fixture(scope="module")
def shared(models) -> SharedBase:
    return load_shared({name: models[name] for name in ("legal", "travel")})


@pytest.fixture
def address(shared) -> Iterator[str]:
    with adapter_server(shared, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def post(url: str, body: Any) -> tuple[int, Any]:
    request = urllib.request.Request(url, json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def ask(address: str, model: str) -> Any:
    body = {"model": model, "messages": [{"role": "user", "content": "Why?"}], "max_tokens": 10}
    return post(f"{address}/v1/chat/completions", body)[1]["choices"][0]["message"]["content"]


def alone(model: ModelRef) -> str:
    tuned, tokenizer = load_tuned(model)
    tokens = greedy_tokens(tuned, tokenizer, prompt_ids(tokenizer, {"question": "Why?"}), 10)
    return str(tokenizer.decode(tokens, skip_special_tokens=True)).strip()


def test_each_adapter_answers_as_it_does_alone_in_any_order(address, models):
    expected = {name: alone(models[name]) for name in ("legal", "travel")}
    assert expected["legal"] != expected["travel"]
    for name in ("legal", "travel", "legal", "travel", "travel", "legal"):
        assert ask(address, name) == expected[name]


def test_requests_at_once_do_not_get_each_others_adapter(address, models):
    expected = {name: alone(models[name]) for name in ("legal", "travel")}
    got: list[tuple[str, str]] = []

    def run(name: str) -> None:
        got.extend((name, ask(address, name)) for _ in range(4))

    threads = [threading.Thread(target=run, args=(name,)) for name in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert all(text == expected[name] for name, text in got)


def test_the_base_is_held_once(shared):
    names = [name for name, _ in shared.model.named_parameters()]
    assert sum("q_proj.base_layer" in name for name in names) == 2  # layers
    assert sum("q_proj.lora_A.legal" in name for name in names) == 2
    assert sum("q_proj.lora_A.travel" in name for name in names) == 2


def test_what_cannot_be_answered_is_an_error_of_the_api(address):
    url = f"{address}/v1/chat/completions"
    status, body = post(url, {"model": "medical", "messages": [{"role": "user", "content": "a"}]})
    assert status == 404 and "legal, travel" in body["error"]["message"]
    assert post(url, {"model": "legal"})[0] == 400
    assert post(url, [])[0] == 400
    assert post(url, {"model": "legal", "messages": []})[0] == 404
    assert post(f"{address}/v1/other", {})[0] == 404
    with urllib.request.urlopen(f"{address}/v1/models", timeout=60) as response:
        assert [each["id"] for each in json.loads(response.read())["data"]] == ["legal", "travel"]


def test_adapters_that_cannot_share_a_base_are_refused(models, tmp_path: Path):
    with pytest.raises(ModelError, match="bottleneck .* cannot share a base with legal"):
        load_shared({name: models[name] for name in ("legal", "bottleneck")})
    other = write_tuned(tmp_path, "gemma3", Dora(rank=2))
    with pytest.raises(ModelError, match="the base must be the same"):
        load_shared({"legal": models["legal"], "other": other})
