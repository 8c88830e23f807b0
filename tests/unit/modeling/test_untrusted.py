"""A model folder from outside runs no code: neither its own modules nor a pickle."""

import json
import pickle
from pathlib import Path

import pytest

from data_contracts.errors import ModelError
from tasks.estimation.architecture import read_architecture
from tasks.modeling.base_model import load_model, load_tokenizer, resolve_base_model
from tasks.modeling.encoder import encode
from tests.tiny_models import tiny_base


class Bomb:
    """Unpickled, it leaves a file behind."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.mark,)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "ran"


def with_own_code(folder: Path, mark: Path, names: dict[str, str]) -> None:
    """Let a model's configuration name code of its own, which leaves a file behind."""
    (folder / "planted.py").write_text(f"from pathlib import Path\nPath({str(mark)!r}).touch()\n")
    for file, section in names.items():
        path = folder / file
        values = json.loads(path.read_text())
        values["auto_map"] = {section: "planted.Planted"}
        path.write_text(json.dumps(values))


def test_code_beside_the_weights_is_not_run(tmp_path, mark):
    base = tiny_base(tmp_path / "model", "llama")
    with_own_code(base.folder, mark, {"config.json": "AutoModelForCausalLM"})
    load_model(resolve_base_model(str(base.folder), tmp_path))
    assert not mark.exists()


def test_a_model_that_is_known_by_its_own_code_alone_is_refused(tmp_path, mark):
    base = tiny_base(tmp_path / "model", "llama")
    with_own_code(base.folder, mark, {"config.json": "AutoConfig"})
    path = base.folder / "config.json"
    path.write_text(path.read_text().replace('"llama"', '"planted"'))
    with pytest.raises(ModelError):
        load_model(resolve_base_model(str(base.folder), tmp_path))
    with pytest.raises(ModelError):
        read_architecture(str(base.folder))
    assert not mark.exists()


def test_a_tokenizer_with_code_of_its_own_does_not_run_it(tmp_path, mark):
    base = tiny_base(tmp_path / "model", "llama")
    with_own_code(base.folder, mark, {"tokenizer_config.json": "AutoTokenizer"})
    load_tokenizer(base)
    assert not mark.exists()


def test_a_pickle_beside_safetensors_is_never_opened(tmp_path, mark):
    base = tiny_base(tmp_path / "model", "llama")
    for name in ("pytorch_model.bin", "training_args.bin", "model.pkl"):
        (base.folder / name).write_bytes(pickle.dumps(Bomb(mark)))
    load_model(resolve_base_model(str(base.folder), tmp_path))
    assert not mark.exists()


def test_an_encoder_that_is_a_pickle_is_refused(tmp_path, mark):
    (tmp_path / "1_Dense").mkdir()
    (tmp_path / "modules.json").write_text("[]")
    (tmp_path / "1_Dense" / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(mark)))
    with pytest.raises(ModelError, match="is a pickle"):
        encode(["a"], str(tmp_path))
    assert not mark.exists()
