"""Base models: what is no model is said; a full disk leaves nothing behind."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors import SafetensorError

from data_contracts.errors import ModelError, StorageError
from tasks.modeling import base_model
from tasks.modeling.base_model import load_tokenizer, resolve_base_model
from tests.tiny_models import tiny_base
from tests.unit.modeling.model_hub import serve


def test_a_folder_of_safetensors_is_a_model_and_its_weights_name_it(tmp_path):
    base = tiny_base(tmp_path, "llama")
    assert resolve_base_model(str(tmp_path), tmp_path) == base
    with next(tmp_path.glob("*.safetensors")).open("ab") as stream:
        stream.write(b"\0")
    assert resolve_base_model(str(tmp_path), tmp_path).fingerprint != base.fingerprint


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "holds no config.json"),
        (["config.json"], "no \\*.safetensors"),
        (["config.json", "pytorch_model.bin"], "no pickled weights"),
    ],
)
def test_what_is_no_model_is_refused(files, message, tmp_path):
    for name in files:
        (tmp_path / name).write_text("{}")
    with pytest.raises(ModelError, match=message):
        resolve_base_model(str(tmp_path), tmp_path)


def test_a_model_without_a_template_gets_one_that_closes_answers(tmp_path):
    tokenizer = load_tokenizer(tiny_base(tmp_path, "llama"))
    messages = [
        {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": "Because."},
    ]
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    assert text == f"{tokenizer.bos_token}User: Why?\nAssistant: Because.{tokenizer.eos_token}\n"


def test_a_full_disk_while_converting_leaves_nothing_behind(tmp_path, monkeypatch):
    tiny_base(tmp_path / "model", "llama")

    class Loader:
        @staticmethod
        def from_pretrained(folder, **_options):
            return Written()

    class Written:
        config = type("Config", (), {})()

        def save_pretrained(self, folder):
            (folder / "half").write_bytes(b"x")
            raise SafetensorError("I/O error: No space left on device")

    monkeypatch.setattr("transformers.AutoModelForCausalLM", Loader)
    monkeypatch.setattr("transformers.AutoTokenizer", Loader)
    target = tmp_path / "base" / "abc"
    with pytest.raises(StorageError, match="No space left.*free disk space"):
        base_model._convert(tmp_path / "x.gguf", target)
    assert list(target.parent.iterdir()) == []


def test_another_tokenizer_is_another_base(tmp_path):
    base = tiny_base(tmp_path, "llama")
    path = tmp_path / "tokenizer_config.json"
    path.write_text(path.read_text().replace("{", '{"added": 1,', 1))
    assert resolve_base_model(str(tmp_path), tmp_path).fingerprint != base.fingerprint


_ASK = """
import json, logging, sys
from pathlib import Path
logging.basicConfig()
from tasks.modeling.base_model import resolve_base_model
base = resolve_base_model(sys.argv[1], Path(sys.argv[2]))
told = [base.name, base.revision, base.pinned_name, sorted(p.name for p in base.folder.iterdir())]
print(json.dumps(told))
"""


def from_hub(name: str, address: str, folder: Path) -> tuple[list[Any], str]:
    """Resolve a model of a hub in a process that knows this hub alone; return what it says."""
    place = {"HF_ENDPOINT": address, "HF_HOME": str(folder), "HF_HUB_OFFLINE": "0"}
    command = [sys.executable, "-c", _ASK, name, str(folder)]
    done = subprocess.run(
        command, env=os.environ | place, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout), done.stderr


@pytest.fixture
def model_hub(tmp_path):
    with serve(tmp_path / "hub") as hub:
        yield hub


def test_a_model_of_the_hub_is_known_by_its_commit_and_kept_by_naming_it(model_hub, tmp_path):
    found, warned = from_hub("org/model", model_hub.address, tmp_path / "cache")
    name, commit, pinned, files = found
    assert (name, commit) == ("org/model", model_hub.commits["main"])
    assert f"write base_model: org/model@{commit}" in warned
    assert "pytorch_model.bin" not in files and "model.safetensors" in files
    model_hub.commits["main"] = model_hub.commits["later"]
    again, warned = from_hub(pinned, model_hub.address, tmp_path / "another cache")
    assert again == found and "another tomorrow" not in warned
    moved, _ = from_hub("org/model", model_hub.address, tmp_path / "another cache")
    assert moved[1] == model_hub.commits["later"]
