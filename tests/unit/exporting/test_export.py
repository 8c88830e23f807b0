"""Exports of tiny models answer alike; broken ones are found out."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from data_contracts.errors import ConfigError, ExportError, TrainingError
from data_contracts.results import ExportCheck, ExportRef
from tasks.exporting.config import ExportConfig, export_config
from tasks.exporting.export import EXPORT, export_model, write_export
from tasks.exporting.parity import check_export, expected_answers
from tasks.training.methods.bottleneck import Bottleneck
from tasks.training.methods.full import Full
from tasks.training.methods.qlora import QLora

ROWS = [
    {"question": "What is a ferry?"},
    {"question": "And the capital?", "context": "The capital of France is Paris."},
    {
        "question": "Since when?",
        "history": [
            {"role": "user", "content": "What does the handbook say about 30 days?"},
            {"role": "assistant", "content": "Every employee has them."},
        ],
    },
]

# Each template puts other texts around messages, in the manner of a family of models.
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<eos>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def config(form: str, precision: str | None = None) -> ExportConfig:
    return export_config(form=form, precision=precision, max_new_tokens=12)


@pytest.mark.parametrize(
    ("form", "precision", "least", "most"),
    [
        ("adapter", None, 0.0, 0.0),
        ("merged", None, 0.0, 1e-4),
        ("merged", "bf16", 1e-4, 0.3),
        ("gguf", "f32", 0.0, 0.02),
        ("gguf", "q8_0", 1e-3, 0.3),
    ],
)
def test_an_export_answers_as_the_model_does(form, precision, least, most, gemma, tmp_path):
    written = export_model(gemma, ROWS, config(form, precision), tmp_path / "out")
    parity = written.parity
    assert parity.passed and parity.prompts == parity.same_prompts == len(ROWS)
    assert least <= parity.highest_difference <= most
    assert parity.tokens > 2 * len(ROWS)
    stored = ExportRef.model_validate_json((tmp_path / "out" / EXPORT).read_text())
    assert stored == written


@pytest.mark.parametrize("architecture", ["llama", "llama3", "qwen2"])
def test_each_architecture_computes_in_llama_cpp_as_in_transformers(architecture, tuned, tmp_path):
    parity = export_model(tuned(architecture), ROWS, config("gguf", "f32"), tmp_path / "out").parity
    assert parity.passed and parity.equal_answers == 1.0


def test_a_model_that_llama_cpp_computes_otherwise_is_refused(tuned, tmp_path, monkeypatch):
    from tasks.exporting import gguf_architecture

    model = tuned("gemma3")
    settings = json.loads((model.base.folder / "config.json").read_text())
    for change, message in (
        ({"query_pre_attn_scalar": 64}, "query_pre_attn_scalar is 64"),
        ({"layer_types": ["full_attention", "sliding_attention"]}, "layer_types"),
    ):
        (model.base.folder / "config.json").write_text(json.dumps({**settings, **change}))
        with pytest.raises(ExportError, match=message):
            export_model(model, ROWS, config("gguf"), tmp_path / next(iter(change)))
    (model.base.folder / "config.json").write_text(json.dumps(settings))
    monkeypatch.delitem(gguf_architecture.ARCHITECTURES, "Gemma3ForCausalLM")
    with pytest.raises(ExportError, match="Gemma3ForCausalLM cannot be written as GGUF"):
        export_model(model, ROWS, config("gguf"), tmp_path / "other")


def checked(model, form: str, folder: Path) -> ExportCheck:
    chosen = config(form)
    return check_export(model, folder, expected_answers(model, ROWS, chosen), chosen)


def swap(folder: Path) -> None:
    """Exchange two tensors of the same shape."""
    file = folder / "model.safetensors"
    tensors = load_file(file)
    one, other = (f"model.layers.{n}.mlp.down_proj.weight" for n in (0, 1))
    tensors[one], tensors[other] = tensors[other], tensors[one]
    save_file(tensors, file, metadata={"format": "pt"})


def forget_scale(folder: Path) -> None:
    """Leave out alpha: the update is added half as strongly."""
    file = folder / "adapter_config.json"
    settings = json.loads(file.read_text())
    file.write_text(json.dumps({**settings, "lora_alpha": settings["r"]}))


def change_template(folder: Path) -> None:
    file = folder / "chat_template.jinja"
    file.write_text(file.read_text().replace("User:", "Human:"))


@pytest.mark.parametrize(
    ("form", "break_it"),
    [
        ("merged", swap),
        ("adapter", forget_scale),
        ("merged", change_template),
        ("adapter", change_template),
    ],
)
def test_a_broken_export_is_found_out(form, break_it, gemma, tmp_path):
    write_export(gemma, config(form), tmp_path / "out")
    assert checked(gemma, form, tmp_path / "out").passed
    break_it(tmp_path / "out")
    parity = checked(gemma, form, tmp_path / "out")
    assert not parity.passed
    assert parity.highest_difference > parity.tolerance
    assert (parity.same_prompts == 0) == (break_it is change_template)


def test_a_gguf_with_a_forgotten_scale_a_swapped_tensor_or_another_template_is_found_out(
    gemma, tmp_path, monkeypatch
):
    """The file is written anew with one thing wrong, as a converter could have it wrong."""
    from tasks.exporting import export as module

    right = module.write_merged

    def forgetful(model, tokenizer, precision, folder):
        broken = tmp_path / "broken"
        shutil.copytree(model.folder, broken, dirs_exist_ok=True)
        forget_scale(broken / "weights")
        right(model.model_copy(update={"folder": broken}), tokenizer, precision, folder)

    def swapped(model, tokenizer, precision, folder):
        right(model, tokenizer, precision, folder)
        swap(folder)

    def another_template(model, tokenizer, precision, folder):
        right(model, tokenizer, precision, folder)
        tokenizer.chat_template = CHATML

    for wrong in (forgetful, swapped, another_template):
        monkeypatch.setattr(module, "write_merged", wrong)
        parity = export_model(gemma, ROWS, config("gguf"), tmp_path / wrong.__name__).parity
        assert not parity.passed, wrong.__name__
        assert parity.highest_difference > parity.tolerance


def test_qlora_is_merged_into_the_unquantised_base(tuned, tmp_path):
    model = tuned("llama", QLora(rank=4, alpha=8))
    written = export_model(model, ROWS, config("merged"), tmp_path / "out")
    assert written.parity.passed
    assert written.parity.reference == "the adapter on the unquantised base"
    merged = load_file(tmp_path / "out" / "model.safetensors")
    base = load_file(model.base.folder / "model.safetensors")
    assert merged.keys() == base.keys()
    # Norms have no adapter: they are the base's own. 4-bit weights would be bytes.
    norm = "model.layers.0.input_layernorm.weight"
    assert torch.equal(merged[norm], base[norm])
    assert {tensor.dtype for tensor in merged.values()} == {torch.float32}


@pytest.mark.parametrize("form", ["adapter", "merged"])
def test_a_base_in_16_bits_is_merged_as_it_was_published(form, tuned, tmp_path):
    model = tuned("llama")
    model = model.model_copy(update={"base": model.base.model_copy(update={"held_in": "bfloat16"})})
    parity = export_model(model, ROWS, config(form), tmp_path / "out").parity
    assert parity.passed and parity.equal_answers == 1.0
    alike = form == "adapter"  # the same tensors, on the base as training held it
    assert parity.highest_difference <= (0.0 if alike else 1e-4)
    assert parity.reference == (
        "the model as trained" if alike else "the adapter on the base in single precision"
    )
    if not alike:
        merged = load_file(tmp_path / "out" / "model.safetensors")
        base = load_file(model.base.folder / "model.safetensors")
        norm = "model.layers.0.input_layernorm.weight"
        assert torch.equal(merged[norm], base[norm])
        assert {tensor.dtype for tensor in merged.values()} == {torch.float32}


def test_generation_ends_where_the_template_ends_answers(gemma, tmp_path):
    write_export(gemma, config("merged"), tmp_path / "out")
    settings = json.loads((tmp_path / "out" / "generation_config.json").read_text())
    assert settings["eos_token_id"] == [1]


def test_what_cannot_be_exported_is_refused(tuned, gemma, tmp_path):
    with pytest.raises(ConfigError, match="cannot be written in 'q8_0': f32"):
        export_model(gemma, ROWS, config("merged", "q8_0"), tmp_path / "out")
    with pytest.raises(ConfigError, match="adapter, merged, gguf"):
        export_config(form="onnx")
    with pytest.raises(ExportError, match="not empty"):
        export_model(gemma, ROWS, config("merged"), gemma.folder)
    with pytest.raises(ExportError, match="no adapter"):
        export_model(tuned("llama", Full()), ROWS, config("adapter"), tmp_path / "out")


def test_a_method_that_does_not_merge_is_refused(tuned, tmp_path):
    with pytest.raises(TrainingError, match="cannot be merged"):
        export_model(tuned("llama", Bottleneck(size=4)), ROWS, config("gguf"), tmp_path / "out")
