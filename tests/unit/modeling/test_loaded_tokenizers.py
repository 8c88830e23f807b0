"""One tokenizer a process for folders that hold the same, another for what differs."""

import json
import shutil
from pathlib import Path

import pytest

from tasks.modeling.loaded_tokenizers import PLAIN_CHAT_TEMPLATE, loaded_tokenizer
from tests.tiny_models import tiny_base


@pytest.fixture
def folder(tmp_path) -> Path:
    return Path(tiny_base(tmp_path / "base", "llama").folder)


def test_a_copy_of_a_tokenizer_is_not_loaded_again(folder, tmp_path):
    copied = tmp_path / "tuned"
    shutil.copytree(folder, copied)
    (copied / "training.json").write_text("{}")
    one, other = loaded_tokenizer(folder), loaded_tokenizer(copied)
    assert one.backend_tokenizer is other.backend_tokenizer
    assert one("a ferry").input_ids == other("a ferry").input_ids


def test_a_template_is_set_for_oneself_alone(folder):
    own = loaded_tokenizer(folder)
    own.chat_template = "mine"
    assert loaded_tokenizer(folder).chat_template == PLAIN_CHAT_TEMPLATE
    assert own.chat_template == "mine"


def test_a_file_that_changes_is_read_again(folder):
    before = loaded_tokenizer(folder)
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    assert loaded_tokenizer(folder).chat_template == "{{ messages }}"
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text())
    vocabulary = content["model"]["vocab"]
    vocabulary["a"], vocabulary["b"] = vocabulary["b"], vocabulary["a"]
    path.write_text(json.dumps(content))
    assert loaded_tokenizer(folder)("a").input_ids == before("b").input_ids


def test_a_saved_tokenizer_is_the_same(folder, tmp_path):
    loaded_tokenizer(folder).save_pretrained(tmp_path / "saved")
    saved = loaded_tokenizer(tmp_path / "saved")
    assert saved.chat_template == PLAIN_CHAT_TEMPLATE
    assert saved("a ferry").input_ids == loaded_tokenizer(folder)("a ferry").input_ids
