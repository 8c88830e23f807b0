"""`temper estimate` and `temper recommend`, from a configuration file alone."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from data_contracts.errors import ConfigError
from flows.commands import planning
from flows.config import load_config
from tests.tiny_models import tiny_base

RUNNER = CliRunner()
APP = typer.Typer()
planning.register(APP)


@pytest.fixture
def model(tmp_path: Path) -> str:
    shape = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2}
    rest = {"model_type": "llama", "num_attention_heads": 4, "vocab_size": 300}
    file = tmp_path / "tiny.json"
    file.write_text(json.dumps(shape | rest), encoding="utf-8")
    return str(file)


def test_estimate_splits_the_peak(model: str) -> None:
    given = [
        "estimate",
        "--model",
        model,
        "--option",
        "rank=4",
        "--shape",
        "batch_size=2",
        "--json",
    ]
    memory = json.loads(RUNNER.invoke(APP, given).stdout)["memory"]
    assert memory["device"] == memory["peak"] + memory["context"]
    assert memory["weights"] > memory["optimizer"] > 0
    assert memory["trainable_parameters"] < memory["parameters"]


@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_a_probe_of_one_device_tells_the_time_of_several(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPER_HOME", str(tmp_path / "home"))
    folder = str(tiny_base(tmp_path / "model", "llama").folder)
    step = ["--shape", "batch_size=2", "--shape", "sequence_length=16", "--shape", "devices=4"]
    given = ["estimate", "--model", folder, "--method", method, "--probe", "--rows", "80", *step]
    told = json.loads(RUNNER.invoke(APP, [*given, "--json"]).stdout)
    alone, spread = told["time"], told["time_on_devices"]
    gradients = 4 * told["memory"]["trainable_parameters"]
    assert spread["sent"] == 2 * gradients * 3 // 4
    assert (spread["devices"], spread["rows"]) == (4, 8)
    assert spread["least_seconds"] == alone["seconds"] < spread["most_seconds"]
    assert spread["whole_run_seconds"][0] == pytest.approx(alone["whole_run_seconds"] / 4)
    if method == "lora":
        text = " ".join(RUNNER.invoke(APP, given).stdout.split())
        assert "calculated, not measured" in text
        assert "on 4 such devices" in text


def test_an_unknown_option_is_named(model: str) -> None:
    given = ["estimate", "--model", model, "--shape", "batch=2"]
    result = RUNNER.invoke(APP, given)
    assert isinstance(result.exception, ConfigError)
    assert "batch_size" in str(result.exception)


def test_recommend_ranks_and_writes_a_profile_that_loads(model: str, tmp_path: Path) -> None:
    file = tmp_path / "profile.yaml"
    given = ["recommend", "--model", model, "--write", str(file), "--json"]
    found = json.loads(RUNNER.invoke(APP, given).stdout)
    assert found["choices"][0]["method"] == "lora"
    assert "bottleneck" not in [choice["method"] for choice in found["choices"]]
    assert load_config(str(file)).training.method.method == "lora"
