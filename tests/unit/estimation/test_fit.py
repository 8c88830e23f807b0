"""A run that does not fit is said to, with settings that do."""

import pytest
import torch
from transformers import Gemma3TextConfig, LlamaConfig

from tasks.estimation.config import RunShape
from tasks.estimation.estimate import estimate_memory
from tasks.estimation.fit import as_trained, fit, training_shape
from tasks.training.config import TrainingConfig
from tasks.training.method import METHODS
from tasks.training.methods.full import Full
from tasks.training.methods.lora import Lora
from tasks.training.methods.qlora import QLora

SHAPE = RunShape(batch_size=8, sequence_length=256, dtype="float32")


@pytest.fixture(scope="module")
def config() -> LlamaConfig:
    return LlamaConfig(
        hidden_size=256,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=4,
        vocab_size=20_000,
    )


def test_what_fits_needs_no_suggestion(config: LlamaConfig) -> None:
    found = fit(config, Lora(), SHAPE, 10**12)
    assert found.fits
    assert found.suggestions == ()


def test_the_nearest_settings_fit_and_keep_the_batch(config: LlamaConfig) -> None:
    needed = fit(config, Lora(), SHAPE, 10**12).needed
    found = fit(config, Lora(), SHAPE, needed - 1)
    assert not found.fits
    assert found.suggestions[0].settings == (
        "training.batch_size=4",
        "training.gradient_accumulation=2",
    )
    assert all(suggestion.needed < needed for suggestion in found.suggestions)
    assert "--set training.batch_size=4" in found.explanation


def test_full_fine_tuning_that_no_batch_saves_becomes_lora(config: LlamaConfig) -> None:
    leanest = {"batch_size": 1, "gradient_accumulation": 8, "gradient_checkpointing": "full"}
    least = fit(config, Full(), SHAPE.model_copy(update=leanest), 10**12).needed
    found = fit(config, Full(), SHAPE, least - 1)
    assert "training.method.method=lora" in found.suggestions[0].settings


def test_no_help_is_said(config: LlamaConfig) -> None:
    found = fit(config, Lora(), SHAPE, 1)
    assert found.suggestions == ()
    assert "smaller base model" in found.explanation


def test_our_trainers_logits_need_no_more_than_a_slice(config: LlamaConfig) -> None:
    large = config.__class__(**{**config.to_dict(), "vocab_size": 262_144})
    sliced = as_trained(SHAPE, Lora(), large)
    assert sliced.logits_slice == 64
    assert estimate_memory(large, Lora().prepare, sliced).logits < (
        estimate_memory(large, Lora().prepare, SHAPE).logits / 8
    )
    stated = sliced.model_copy(update={"logits_slice": 7})
    assert as_trained(stated, Lora(), large).logits_slice == 7


def test_qlora_is_estimated_on_a_packed_base(config: LlamaConfig) -> None:
    wide = SHAPE.model_copy(update={"mixed_precision": True})
    lora, qlora = (fit(config, method, wide, 10**12).estimate for method in (Lora(), QLora()))
    assert qlora.weights < lora.weights / 2
    assert qlora.trainable_parameters == lora.trainable_parameters
    assert qlora.file == 0, "an accelerator packs each matrix as it comes"


# The highest resident memory of two steps of the embedded model on a processor, in bytes, libraries
# included: batch 4, 128 tokens of which 25 supervised, measured 2026-12-01 by VmHWM.
RESIDENT = {"lora": 2.516 * 2**30, "qlora": 2.757 * 2**30}


@pytest.mark.parametrize("name", list(RESIDENT))
def test_on_a_processor_the_file_that_qlora_packs_is_counted_as_it_was_measured(name: str) -> None:
    gemma = Gemma3TextConfig(
        hidden_size=640,
        intermediate_size=2048,
        num_hidden_layers=18,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=256,
        vocab_size=262_144,
        sliding_window=512,
        dtype="float32",
    )
    training = TrainingConfig.model_validate({"method": {"method": name}, "batch_size": 4})
    shape = training_shape(training, 128, 25, accelerator=False)
    found = fit(gemma, training.method, shape, 10**12).estimate
    assert found.peak + found.context == pytest.approx(RESIDENT[name], rel=0.1)
    assert found.device == found.peak + found.context - found.file, "a file gives way"
    matrices = 4 * 18 * 640 * (2 * 4 * 256 + 2 * 256 + 3 * 2048)
    assert found.file == (matrices if name == "qlora" else 0)


def test_a_file_of_16_bits_is_converted_and_gone_when_training_starts(config: LlamaConfig) -> None:
    brief = published_in("bfloat16", config)
    shape = RunShape(batch_size=1, sequence_length=1, dtype="float32")
    loading = fit(brief, QLora(), shape, 10**12).estimate
    base = loading.parameters - loading.trainable_parameters
    assert (loading.moment, loading.file) == ("loading", 2 * base)
    assert (loading.gradients, loading.optimizer, loading.activations) == (0, 0, 0)
    longer = shape.model_copy(update={"batch_size": 64, "sequence_length": 64})
    training = fit(brief, QLora(), longer, 10**12).estimate
    assert (training.moment, training.file) == ("loss", 0)


def test_the_trainers_shape_counts_supervised_positions_only() -> None:
    shape = training_shape(TrainingConfig(batch_size=3), 235, 25, accelerator=True)
    assert (shape.batch_size, shape.sequence_length, shape.kept_positions) == (3, 235, 25)
    assert shape.mixed_precision


def test_several_processes_share_a_batch_and_fsdp_the_weights(config: LlamaConfig) -> None:
    options = {"method": {"method": "full"}, "batch_size": 8, "processes": 2}
    needed = {}
    for sharding in ("none", "fsdp"):
        training = TrainingConfig.model_validate(options | {"sharding": sharding})
        shape = training_shape(training, 235, 25, accelerator=True)
        assert (shape.batch_size, shape.devices) == (4, 2)
        needed[sharding] = fit(config, training.method, shape, 10**12).estimate.weights
    assert needed["fsdp"] == pytest.approx(needed["none"] / 2, rel=0.01)
    shape = training_shape(
        TrainingConfig.model_validate(options | {"sharding": "fsdp"}), 235, 25, accelerator=True
    )
    just_too_little = fit(config, Full(), shape, 10**12).needed - 1
    first = fit(config, Full(), shape, just_too_little).suggestions[0]
    assert first.settings[0] == "training.batch_size=4", "over both processes"


@pytest.mark.parametrize("name", [name for name in METHODS.names() if name != "peft"])
def test_every_method_is_estimated_from_the_configuration_alone(
    name: str, config: LlamaConfig
) -> None:
    method = METHODS.get(name)()
    on_accelerator = SHAPE.model_copy(update={"mixed_precision": True})
    found = fit(config, method, on_accelerator, 10**12).estimate
    assert 0 < found.trainable_parameters <= found.parameters
    assert found.peak > found.weights


def published_in(kind: str, config: LlamaConfig) -> LlamaConfig:
    return config.__class__(**{**config.to_dict(), "dtype": kind})


def on_accelerator(**options: object) -> RunShape:
    return training_shape(TrainingConfig.model_validate(options), 64, 25, accelerator=True)


def test_a_frozen_base_takes_half_on_an_accelerator_and_a_trained_one_does_not(
    config: LlamaConfig,
) -> None:
    shape, brief = on_accelerator(), published_in("bfloat16", config)
    halved = fit(brief, Lora(), shape, 10**12).estimate
    wide = fit(brief, Lora(), on_accelerator(base_precision="float32"), 10**12).estimate
    adapters = 4 * halved.trainable_parameters  # in single precision both times
    assert halved.weights - adapters == pytest.approx((wide.weights - adapters) / 2, rel=0.01)
    assert as_trained(shape, Full(), brief).dtype == "float32"
    assert as_trained(shape, Lora(), published_in("float16", config)).dtype == "float32"
    on_processor = training_shape(TrainingConfig(), 64, 25, accelerator=False)
    assert as_trained(on_processor, Lora(), brief).dtype == "float32"
    emulated = training_shape(TrainingConfig(), 64, 25, accelerator=True, native=False)
    assert as_trained(emulated, Lora(), brief).dtype == "float32"


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_adapters_are_counted_once_and_in_single_precision(
    precision: str, config: LlamaConfig
) -> None:
    shape = on_accelerator(base_precision=precision, gradient_accumulation=2)
    found = fit(config, Lora(), shape, 10**12).estimate
    adapters = 4 * found.trainable_parameters
    assert (found.gradients, found.optimizer, found.disk) == (adapters, 2 * adapters, adapters)


def test_a_base_that_may_be_rounded_is_offered_in_16_bits(config: LlamaConfig) -> None:
    old, shape = published_in("float16", config), on_accelerator(batch_size=1)
    choice = "training.base_precision=bfloat16"
    leaner = shape.model_copy(update={"dtype": "bfloat16"})
    most = fit(old, Lora(), leaner, 1).needed
    found = fit(old, Lora(), shape, most)
    assert (choice,) in [one.settings for one in found.suggestions]
    named = [s for one in fit(old, Full(), shape, most).suggestions for s in one.settings]
    assert choice not in named
    assert old.dtype == torch.float16, "what is estimated is not written into the configuration"
