"""Estimates: measured runs, the literature's marks, and laws that hold for any model."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LlamaConfig, PretrainedConfig

from data_contracts.errors import ConfigError, ModelError, UnknownName
from tasks.estimation.architecture import read_architecture
from tasks.estimation.config import RunShape
from tasks.estimation.estimate import MemoryEstimate, assemble, estimate_memory
from tasks.estimation.live import LiveBytes
from tasks.estimation.peft_method import peft_preparation
from tasks.estimation.trace import Trace, trace_step
from tasks.training.methods.full import Full
from tasks.training.methods.lora import Lora

ARCHITECTURES = Path(__file__).parents[3] / "benchmarks" / "architectures"
LLAMA_3B = read_architecture(str(ARCHITECTURES / "llama-3.2-3b.json"))
LLAMA_65B = read_architecture(str(ARCHITECTURES / "llama-65b.json"))
GPT_3 = read_architecture(str(ARCHITECTURES / "gpt-3-175b.json"))

# Peaks that PEFT measured on an L40S, batch 4, at most 768 tokens: its method_comparison.
QUERY_VALUE = {"target_modules": ["q_proj", "v_proj"]}
MEASURED: list[tuple[dict[str, Any], int, int]] = [
    ({"peft_type": "LORA", "r": 64, **QUERY_VALUE}, 22_552_772_608, 73_415_408),
    (
        {"peft_type": "LORA", "r": 10, "target_modules": ["up_proj", "gate_proj", "down_proj"]},
        24_698_159_104,
        37_868_984,
    ),
    ({"peft_type": "VERA", "r": 256, **QUERY_VALUE}, 21621637120, 6821968),
    ({"peft_type": "PROMPT_TUNING", "num_virtual_tokens": 200}, 24_394_072_064, 2_457_728),
    ({"peft_type": "SHIRA", "r": 32, "random_seed": 42, **QUERY_VALUE}, 21_674_065_920, 0),
]


def small(**changes: Any) -> PretrainedConfig:
    shape = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 500}
    return LlamaConfig(**{**shape, **heads, **changes})


def estimated(method: Any = None, **shape: Any) -> MemoryEstimate:
    prepare = (method or Lora()).prepare
    return estimate_memory(small(), prepare, RunShape(**{"batch_size": 2, **shape}))


@pytest.mark.parametrize(("options", "peak", "size"), MEASURED, ids=lambda v: str(v)[:40])
def test_measured_peaks_of_peft_are_met_within_ten_percent(
    options: dict[str, Any], peak: int, size: int
) -> None:
    shape = RunShape(batch_size=4, sequence_length=768)
    found = estimate_memory(LLAMA_3B, peft_preparation(options), shape)
    assert found.peak == pytest.approx(peak, rel=0.1)
    if size:
        assert found.disk == pytest.approx(size, rel=0.02)


def test_65b_needs_more_than_780_gb_in_16_bit_full_fine_tuning() -> None:
    shape = RunShape(batch_size=1, sequence_length=512, optimizer="adamw_fp32")
    found = estimate_memory(LLAMA_65B, Full().prepare, shape)
    assert found.parameters == pytest.approx(65.2e9, rel=0.01)
    assert found.weights + found.gradients + found.optimizer > 780e9
    assert found.peak < 1_000e9


def test_65b_fits_48_gb_by_qlora() -> None:
    """Dettmers et al. 2023: rank 64 on all linear layers, double quantisation, paged optimizer."""
    shape = RunShape(
        batch_size=1,
        sequence_length=512,
        quantisation="nf4",
        optimizer="paged_adamw",
        gradient_checkpointing="full",
    )
    found = estimate_memory(LLAMA_65B, Lora(rank=64).prepare, shape)
    assert 40e9 < found.device < 48e9
    assert found.quantisation_constants == pytest.approx(64.75e9 * 0.127 / 8, rel=0.01)


def test_lora_on_gpt_3_trains_ten_thousand_times_less_at_a_third_of_the_memory() -> None:
    """Hu et al. 2021, section 4.2: 1.2 TB become 350 GB, the checkpoint 10,000 times smaller."""
    shape = RunShape(batch_size=1, sequence_length=2048)
    lora = Lora(rank=4, target_modules=("q_proj", "v_proj"))
    tuned = estimate_memory(GPT_3, lora.prepare, shape)
    full = estimate_memory(GPT_3, Full().prepare, shape)
    assert full.parameters == pytest.approx(175e9, rel=0.01)
    assert 9_000 < full.parameters / tuned.trainable_parameters < 10_000
    assert tuned.peak / full.peak == pytest.approx(1 / 3, abs=0.1)


def test_the_traced_step_counts_what_a_real_one_keeps() -> None:
    """The same operations on real tensors keep the same bytes alive."""
    peaks = {}
    for device in ("cpu", "meta"):
        layer = torch.nn.Sequential(*(torch.nn.Linear(32, 32) for _ in range(4)))
        rows = torch.ones(8, 32, device=device)
        layer.to(device)
        live = LiveBytes([rows, *layer.parameters()])
        with live:
            layer(rows).sum().backward()
        peaks[device] = live.peak
        del rows, layer
    assert peaks["cpu"] == peaks["meta"] > 4 * 8 * 32 * 4


def test_bytes_are_given_back_when_a_tensor_dies() -> None:
    live = LiveBytes()
    with live:
        rows = torch.ones(1024)
        assert live.bytes == 4096
        del rows
        assert (live.bytes, live.peak) == (0, 4096)


def test_parameters_and_disk_of_lora_are_exact() -> None:
    found = estimated(Lora(rank=4, target_modules=("q_proj",)))
    assert found.trainable_parameters == 3 * 4 * (64 + 64)
    assert found.disk == found.trainable_parameters * 4  # PEFT keeps adapters in single precision


def test_full_fine_tuning_writes_the_whole_model() -> None:
    found = estimated(Full())
    assert found.trainable_parameters == found.parameters
    assert found.disk == 2 * found.parameters


def test_a_method_that_needs_real_weights_is_traced_on_few_layers() -> None:
    """A random mask cannot be made without values; parameters still grow with depth."""
    options = {"peft_type": "SHIRA", "r": 2, "random_seed": 1, **QUERY_VALUE}
    found = estimate_memory(small(), peft_preparation(options), RunShape(batch_size=2))
    assert found.trainable_parameters == 3 * 2 * ((64 + 64) + (64 + 32))
    lora = estimated(Lora(rank=2, target_modules=("q_proj", "v_proj")))
    assert found.parameters == lora.parameters


def test_checkpointing_supervision_and_slices_save_memory() -> None:
    full = estimated(sequence_length=256)
    selective, least = (
        estimated(sequence_length=256, gradient_checkpointing=choice).activations
        for choice in ("selective", "full")
    )
    assert least < selective < full.activations
    assert estimated(sequence_length=256, supervised_tokens=16).logits < full.logits / 8
    assert estimated(sequence_length=256, logits_slice=64).logits < full.logits / 4


def test_nf4_takes_a_quarter_of_the_matrices() -> None:
    plain, packed = estimated(), estimated(quantisation="nf4")
    matrices = 3 * (2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 128)
    assert plain.weights - packed.weights == matrices * 3 // 2
    assert packed.quantisation_constants == pytest.approx(matrices * 0.127 / 8, rel=0.01)


def test_fsdp_shares_and_ddp_copies() -> None:
    alone = estimated(Full())
    shared = estimated(Full(), devices=4, parallel="fsdp")
    copied = estimated(Full(), devices=4)
    assert shared.weights == alone.weights // 4
    assert shared.optimizer == alone.optimizer // 4
    assert copied.weights == alone.weights
    assert copied.communication == 2 * alone.parameters


@settings(max_examples=60, deadline=None)
@given(
    st.builds(
        Trace,
        **{name: st.integers(0, 10**9) for name in Trace.__dataclass_fields__},
    ),
    st.integers(1, 8),
    st.sampled_from(["ddp", "fsdp"]),
)
def test_the_parts_are_the_peak_and_accumulation_never_saves(
    trace: Trace, devices: int, parallel: str
) -> None:
    shape = RunShape.model_validate({"devices": devices, "parallel": parallel})
    once, many = (
        assemble(trace, shape.model_copy(update={"gradient_accumulation": n})) for n in (1, 4)
    )
    assert once.device - once.context == once.peak
    assert once.peak <= many.peak
    assert min(once.activations, once.gradients, once.logits, once.optimizer) >= 0


def test_what_leads_nowhere_is_said(tmp_path: Path) -> None:
    broken = tmp_path / "config.json"
    broken.write_text(json.dumps({"hidden_size": 3}), encoding="utf-8")
    with pytest.raises(ModelError, match="model_type"):
        read_architecture(str(broken))
    with pytest.raises(UnknownName, match="LORA"):
        peft_preparation({"peft_type": "LORRA"})
    with pytest.raises(ConfigError, match="cannot apply lora"):
        trace_step(small(), Lora(target_modules=("no_such",)).prepare, RunShape())
