"""The embedded model, tuned, leaves as GGUF and says in llama.cpp what it says here."""

import pytest
import torch

from data_contracts.results import ModelRef
from tasks.exporting.config import export_config
from tasks.exporting.export import export_model
from tasks.modeling.base_model import load_model, load_tokenizer
from tasks.modeling.tuned import MANIFEST, WEIGHTS, ModelManifest, model_reference
from tasks.training.methods.lora import Lora

QUESTIONS = (
    "When may bicycles travel free of charge?",
    "Was kostet ein verlorener Ausweis?",
    'Is "Pilot House" open at 7:30, or   later?',
    "Étang, naïve, 東京, 🙂: which of these is a city?",
    "def f(x):\n\treturn x + 1\nWhat does f do?",
)


@pytest.mark.model
def test_the_embedded_model_answers_alike_in_llama_cpp(embedded_base, tmp_path):
    model = _tuned(embedded_base, tmp_path / "tuned")
    config = export_config(form="gguf", precision="q8_0", max_new_tokens=8)
    rows = [{"question": question} for question in QUESTIONS]
    parity = export_model(model, rows, config, tmp_path / "out").parity
    assert parity.same_prompts == len(QUESTIONS)  # sentencepiece's pieces, in any script
    assert parity.passed, parity
    assert "<bos>" not in (tmp_path / "out" / "Modelfile").read_text()  # the tokenizer adds it


def _tuned(base, folder) -> ModelRef:
    """Return an adapter on the base that nobody trained, but that changes what it says."""
    method = Lora(rank=4, alpha=8)
    torch.manual_seed(0)
    model = method.prepare(load_model(base))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += 0.003 * torch.randn_like(parameter)
    folder.mkdir()
    method.save(model, folder / WEIGHTS)
    load_tokenizer(base).save_pretrained(folder)
    manifest = ModelManifest(
        fingerprint="e" * 32,
        parents={},
        base=base,
        method=method.model_dump(),
        config={},
        files={},
        created="",
    )
    (folder / MANIFEST).write_text(manifest.model_dump_json())
    return model_reference(folder)
