"""Models of real architectures with random weights, made on the spot: nothing is downloaded."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PretrainedConfig, PreTrainedModel

# Spread of the weights: what Llama, Qwen and Mistral are initialised with.
SPREAD = 0.02


def write_random(config: "PretrainedConfig", folder: Path, seed: int) -> None:
    """Write a model of 16 bits with random weights, and a tokenizer that knows marks only."""
    import torch
    from tokenizers import Tokenizer, models
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder)
    marks = Tokenizer(models.WordLevel({"<pad>": 0, "<eos>": 1}, unk_token="<eos>"))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=marks, pad_token="<pad>", eos_token="<eos>"
    )
    tokenizer.save_pretrained(folder)


def random_packed(config: "PretrainedConfig", options: dict[str, Any]) -> "PreTrainedModel":
    """Return a model whose layers are packed one matrix at a time.

    The whole of it never exists in 16 bits, on no device.

    Args:
        config: The architecture.
        options: What `QLora.base_options` tells `from_pretrained`: how to pack, the type of the
            rest, the device.
    """
    import torch
    from accelerate import init_empty_weights
    from transformers import AutoModelForCausalLM
    from transformers.quantizers import AutoHfQuantizer

    from tasks.modeling.base_model import keep_layout

    device = torch.device(*options["device_map"].values())
    with init_empty_weights(include_buffers=False):
        model = AutoModelForCausalLM.from_config(config, dtype=options["dtype"])
    quantiser = AutoHfQuantizer.from_config(options["quantization_config"], pre_quantized=False)
    quantiser.preprocess_model(model, dtype=options["dtype"], device_map=options["device_map"])
    for module in model.modules():
        _fill(module, options["dtype"], device)
    model.tie_weights()
    model.hf_quantizer, model.hf_device_map = quantiser, options["device_map"]
    quantiser.postprocess_model(model)
    keep_layout(model)
    made: PreTrainedModel = model
    return made


def _fill(module: "nn.Module", dtype: Any, device: Any) -> None:
    """Give a module's own parameters values, packing those that are to be."""
    from bitsandbytes.nn import Linear4bit, Params4bit
    from torch import nn

    for name, buffer in module.named_buffers(recurse=False):
        module._buffers[name] = buffer.to(device)
    for name, parameter in list(module.named_parameters(recurse=False)):
        values = _drawn(name, parameter, dtype, device)
        if isinstance(module, Linear4bit) and isinstance(parameter, Params4bit):
            packed = Params4bit(
                values,
                compress_statistics=parameter.compress_statistics,
                quant_type=parameter.quant_type,
                quant_storage=parameter.quant_storage,
                module=module,
            )
            module.weight = packed.to(device)
        else:
            setattr(module, name, nn.Parameter(values, requires_grad=False))


def _drawn(name: str, parameter: "Tensor", dtype: Any, device: Any) -> "Tensor":
    """Return random values for a matrix, zeros for a bias, ones for a norm's scales."""
    import torch

    if name == "bias":
        return torch.zeros(parameter.shape, dtype=dtype, device=device)
    if parameter.dim() < 2:
        return torch.ones(parameter.shape, dtype=dtype, device=device)
    drawn: Tensor = torch.empty(parameter.shape, dtype=dtype, device=device).normal_(std=SPREAD)
    return drawn
