"""Base models: what is no model is said; a full disk leaves nothing behind."""

import pytest
from safetensors import SafetensorError

from data_contracts.errors import ModelError, StorageError
from tasks.modeling import base_model
from tasks.modeling.base_model import load_tokenizer, resolve_base_model
from tests.tiny_models import tiny_base


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
