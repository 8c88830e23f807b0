"""`temper export` ends with exit code 0 only when the export answers as the model does."""

import json

import pytest
from typer.testing import CliRunner

from flows.cli import app, main
from tasks.exporting import export as exporting
from tasks.training.methods.lora import Lora
from tests.unit.exporting.conftest import write_tuned


@pytest.fixture
def model(tmp_path):
    return write_tuned(tmp_path / "made", "gemma3", Lora(rank=4, alpha=8))


def arguments(model, out) -> list[str]:
    options = ["--as", "gguf", "--quantisation", "q8_0", "--prompts", "2", "--json"]
    return ["export", str(model.folder), *options, "--out", str(out)]


def test_a_proven_export_is_told_as_json(model, home, tmp_path):
    answer = CliRunner().invoke(app, arguments(model, tmp_path / "out"), catch_exceptions=False)
    assert answer.exit_code == 0
    told = json.loads(answer.stdout[answer.stdout.index("{") :])
    assert told["parity"]["passed"] and told["parity"]["prompts"] == 2
    assert set(told["files"]) == {"Modelfile", "model-q8_0.gguf"}
    assert told["mlflow_run"]


def test_a_broken_export_is_exit_code_1(model, home, tmp_path, monkeypatch, capsys):
    right = exporting.write_merged

    def without_adapter(model, tokenizer, precision, folder):
        from transformers import AutoModelForCausalLM

        right(model, tokenizer, precision, folder)
        AutoModelForCausalLM.from_pretrained(model.base.folder).save_pretrained(folder)

    monkeypatch.setattr(exporting, "write_merged", without_adapter)
    monkeypatch.setattr("sys.argv", ["temper", *arguments(model, tmp_path / "out")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert "does not answer as the model does: a log-probability" in capsys.readouterr().err
    stored = json.loads((tmp_path / "out" / "export.json").read_text())
    assert stored["parity"]["passed"] is False
