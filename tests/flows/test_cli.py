"""The command: quick to answer, errors in one message, exit codes that mean something."""

import json
import os
import subprocess
import sys
from importlib.metadata import version

import pytest


def verbs() -> list[list[str]]:
    """Return every verb that is registered, those of groups after the group's name."""
    import typer

    from flows.cli import app

    return sorted(_verbs(typer.main.get_command(app), []))


def _verbs(command, path: list[str]) -> list[list[str]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        return [path]
    return [verb for name, part in inner.items() for verb in _verbs(part, [*path, name])]


HEAVY = ("torch", "transformers", "great_expectations", "mlflow", "sklearn", "trafilatura")


def temper(*arguments: str, home) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments],
        env={**os.environ, "TEMPER_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("verb", verbs(), ids=" ".join)
def test_every_verb_explains_itself_with_an_example(verb):
    from typer.testing import CliRunner

    from flows.cli import app

    answer = CliRunner().invoke(app, [*verb, "--help"])
    assert answer.exit_code == 0
    assert "Example: " in answer.output
    assert f"temper {' '.join(verb)}" in " ".join(answer.output.split("Example: ")[1].split())


def test_it_tells_its_version():
    from typer.testing import CliRunner

    from flows.cli import app

    answer = CliRunner().invoke(app, ["--version"])
    assert (answer.exit_code, answer.output.strip()) == (0, f"temper {version('temper')}")


@pytest.mark.parametrize("module", ["flows.cli", "flows.pipeline", "flows.promote", "flows.serve"])
def test_heavy_libraries_stay_out_of_the_import(module):
    code = f"import sys, {module}; print([n for n in {HEAVY!r} if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "dmeo"], 2, "Unknown profile 'dmeo'. Did you mean 'demo'"),
        (["run", "demo", "--set", "training.epoch=1"], 2, "Did you mean 'epochs'"),
        (["run", "default", "--documents", "/no/such/folder"], 1, "/no/such/folder"),
        (["train", "demo", "--set", "base_model=/no/such/model"], 1, "/no/such/model"),
        (["dataset", "build", "demo", "--set", "base_model=."], 1, "holds no config.json"),
        (["promote", "--name", "nobody", "--reason", "x"], 1, "No model 'nobody'"),
        (["compare", "1", "2", "--name", "nobody"], 1, "no version '1' of a model 'nobody'"),
    ],
    ids=["profile", "key", "documents", "model", "not-a-model", "registry", "versions"],
)
def test_bad_input_gets_one_message_and_no_traceback(arguments, code, message, tmp_path):
    answer = temper(*arguments, home=tmp_path)
    assert answer.returncode == code
    assert message in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not list(tmp_path.glob("datasets/*/*/manifest.json"))


def test_a_home_that_is_a_file_is_said(tmp_path):
    (tmp_path / "home").write_text("")
    answer = temper("dataset", "build", "demo", home=tmp_path / "home")
    assert answer.returncode == 1
    assert "Set TEMPER_HOME" in answer.stderr


def test_a_full_disk_behind_a_databases_error_is_recognised():
    from flows.cli import disk_is_full

    wrapped = RuntimeError("cannot commit")
    wrapped.__cause__ = OSError(28, "No space left on device")
    assert disk_is_full(wrapped)
    assert disk_is_full(RuntimeError("(sqlite3.OperationalError) database or disk is full"))
    assert not disk_is_full(RuntimeError("something else"))


def test_too_little_disk_is_said_before_anything_starts(tmp_path, monkeypatch):
    import shutil
    from collections import namedtuple

    from data_contracts.errors import StorageError
    from flows.environment import prepare_environment
    from tasks.settings import Settings

    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(free=3_000_000))
    monkeypatch.setenv("TEMPER_HOME", str(tmp_path))
    with pytest.raises(StorageError, match="Only 3 MB are free.*set TEMPER_HOME"):
        prepare_environment(Settings())


def test_methods_are_listed_for_programs(tmp_path):
    answer = temper("methods", "--json", home=tmp_path)
    listed = json.loads(answer.stdout)
    assert {"lora", "full"} <= set(listed)
    lora = listed["lora"]
    assert lora["options"]["rank"]["default"] == 8
    # by hand: rank 8 on the seven linear layers of 28 decoder layers of Llama 3.2 3B
    one_layer = 2 * (3072 + 3072) + 2 * (1024 + 3072) + 3 * (8192 + 3072)
    assert lora["share"] == pytest.approx(8 * 28 * one_layer / 3_212_749_824)
    assert (lora["merges"], lora["inference_cost"], lora["context_tokens"]) == (True, "none", 0)
    prompt = listed["prompt_tuning"]
    assert (prompt["merges"], prompt["context_tokens"]) == (False, 20)


def test_one_method_is_shown_with_its_options(tmp_path):
    answer = temper("methods", "qlora", home=tmp_path)
    assert "double_quantisation" in answer.stdout
    assert "adalora" not in answer.stdout


def test_mitigations_are_listed_for_programs_and_one_with_its_options(tmp_path):
    listed = json.loads(temper("mitigations", "--json", home=tmp_path).stdout)
    assert {"ewc", "lwf", "sam"} <= set(listed)
    ewc = listed["ewc"]
    assert (ewc["strength"], ewc["copies"], ewc["anchors"]) == ("strength", 2, True)
    assert listed["fip"]["copies"] == listed["fip"]["options"]["directions"]["default"] + 1
    answer = temper("mitigations", "wise_ft", home=tmp_path)
    assert "given_up" in answer.stdout
    assert "lwf" not in answer.stdout


def test_the_doctor_examines_the_machine(tmp_path):
    answer = temper("doctor", "--json", home=tmp_path)
    findings = {finding["what"]: finding for finding in json.loads(answer.stdout)}
    assert findings["torch"]["fine"]
    assert findings["disk"]["found"].endswith(str(tmp_path))
