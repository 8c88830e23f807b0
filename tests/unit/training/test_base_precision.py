"""In which type a base is held, and that everything that loads it does so alike."""

import json
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from data_contracts.dataset import DatasetRef
from data_contracts.results import BaseModelRef
from tasks.modeling.base_model import load_model
from tasks.modeling.published import published_type, type_in
from tasks.modeling.tuned import WEIGHTS, find_model, load_tuned, model_folder
from tasks.training import base_precision, task
from tasks.training.arguments import training_arguments
from tasks.training.base_precision import held_base, held_type, in_bfloat16
from tasks.training.config import TrainingConfig
from tasks.training.method import METHODS
from tasks.training.methods.lora import Lora
from tasks.training.methods.qlora import QLora
from tasks.training.train import train_model
from tests.ferry_rows import ferry_rows
from tests.tiny_models import tiny_base


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> BaseModelRef:
    return tiny_base(tmp_path_factory.mktemp("base"), "llama")


def half(**options: object) -> TrainingConfig:
    return TrainingConfig.model_validate({"base_precision": "bfloat16", **options})


@pytest.mark.parametrize(
    ("asked", "method", "published", "accelerator", "held"),
    [
        ("auto", "lora", "bfloat16", True, "bfloat16"),
        ("auto", "qlora", "bfloat16", True, "bfloat16"),  # the base beside it
        ("auto", "lora", "bfloat16", False, "float32"),  # a processor, or bfloat16 emulated
        ("auto", "lora", "float16", True, "float32"),  # three bits of each weight would go
        ("auto", "lora", "float32", True, "float32"),
        ("auto", "lora", "unknown", True, "float32"),
        ("auto", "full", "bfloat16", True, "float32"),
        ("auto", "pissa", "bfloat16", True, "float32"),
        ("float32", "lora", "bfloat16", True, "float32"),
        ("bfloat16", "lora", "float16", True, "bfloat16"),
        ("bfloat16", "lora", "float32", False, "bfloat16"),
    ],
)
def test_the_rule(asked, method, published, accelerator, held) -> None:
    assert held_type(asked, METHODS.get(method)(), published, accelerator) == held


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({"torch_dtype": "bfloat16"}, "bfloat16"),
        ({"dtype": "float16"}, "float16"),
        ({"text_config": {"dtype": "bfloat16"}}, "bfloat16"),
        ({"text_config": None}, "unknown"),
    ],
)
def test_the_type_on_disk_is_read_from_the_configuration(config, found, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert published_type(tmp_path) == found
    assert published_type(tmp_path / "nowhere") == "unknown"


def test_transformers_reads_the_same_type(base: BaseModelRef) -> None:
    config = load_model(base).config
    assert type_in(config) == published_type(base.folder) == "float32"


def test_an_accelerator_holds_a_base_as_it_was_published(
    base: BaseModelRef, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = json.loads((base.folder / "config.json").read_text()) | {"dtype": "bfloat16"}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    published = base.model_copy(update={"folder": tmp_path})
    assert held_base(published, TrainingConfig()).held_in == "float32"
    monkeypatch.setattr(base_precision, "computes_in_bfloat16", lambda: True)
    assert held_base(published, TrainingConfig()).held_in == "bfloat16"
    full = TrainingConfig.model_validate({"method": {"method": "full"}})
    assert held_base(published, full).held_in == "float32"


def test_qlora_refuses_another_type_beside_its_own() -> None:
    with pytest.raises(ValidationError, match="packs the base"):
        half(method={"method": "qlora"})


def test_models_keep_their_names_until_16_bits_are_asked_for(base: BaseModelRef) -> None:
    """What `auto` comes to is the machine's, so a model trained elsewhere is found here."""
    rows = DatasetRef(stage="s", fingerprint="f", folder="/rows", content_sha256="0", rows=1)
    held = base.model_copy(update={"held_in": "bfloat16"})
    auto = task.model_fingerprint(rows, base, TrainingConfig())
    assert task.model_fingerprint(rows, held, TrainingConfig()) == auto
    asked = {task.model_fingerprint(rows, base, TrainingConfig(base_precision=p))
             for p in ("float32", "bfloat16")}  # fmt: skip
    assert len({auto, *asked}) == 3


def test_what_is_measured_of_a_base_goes_by_its_type(base: BaseModelRef) -> None:
    held = base.model_copy(update={"held_in": "bfloat16"})
    assert base.measured_as == base.fingerprint != held.measured_as
    assert load_model(held).dtype == torch.bfloat16


def test_a_tuned_model_and_its_base_are_loaded_in_the_type_of_training(
    base: BaseModelRef, tmp_path: Path
) -> None:
    folder = model_folder(tmp_path, "f" * 32)
    config = half(max_steps=2, learning_rate=1e-3)
    train_model(ferry_rows(12, train=8), base, config, folder, lambda _point: None)
    task._write_manifest(folder, "f" * 32, {}, held_base(base, config), config)
    ref = find_model(tmp_path, "f" * 32)
    assert ref is not None and ref.base.held_in == "bfloat16"
    model, _tokenizer = load_tuned(ref)
    types = {"lora_" in name: p.dtype for name, p in model.named_parameters()}
    assert types == {True: torch.float32, False: torch.bfloat16}
    assert load_model(ref.base).dtype == torch.bfloat16
    assert (folder / WEIGHTS).is_dir()


def test_a_base_in_16_bits_is_computed_with_by_autocast(base: BaseModelRef, tmp_path: Path) -> None:
    model = Lora().prepare(load_model(base.model_copy(update={"held_in": "bfloat16"})))
    assert in_bfloat16(model)
    assert not in_bfloat16(Lora().prepare(load_model(base)))
    assert training_arguments(half(), tmp_path, 1, 1, halved=True).bf16
    assert training_arguments(half(), tmp_path, 1, 1).bf16 == torch.cuda.is_available()


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), "float16"), ((8, 0), "bfloat16")])
def test_bfloat16_is_computed_in_only_where_it_is_not_emulated(capability, expected, monkeypatch):
    """Turing (7.5) emulates it, Ampere (8.0) has it."""

    def supported(including_emulation: bool = True) -> bool:
        return including_emulation or capability >= (8, 0)

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    assert base_precision.computing_type() == expected
    options = QLora().base_options()
    assert options["dtype"] is options["quantization_config"].bnb_4bit_compute_dtype
    assert options["dtype"] is getattr(torch, expected)
