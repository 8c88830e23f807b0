"""How an architecture of transformers is written down in GGUF: metadata and tensors.

The names of tensors come from gguf's own map. What llama.cpp computes in another way than
transformers is evened out here; what it cannot compute is refused.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

from data_contracts.errors import ExportError

Array = NDArray[Any]


@dataclass(frozen=True)
class Architecture:
    """An architecture that can be written.

    Attributes:
        name: As GGUF names it.
        kind: As gguf's tensor map names it.
        describe: Writes what is special about its metadata.
        change: Returns a tensor as llama.cpp wants it.
    """

    name: str
    kind: gguf.MODEL_ARCH
    describe: Callable[[gguf.GGUFWriter, Any], None]
    change: Callable[[str, Array, Any], Array]


def find_architecture(config: Any) -> Architecture:
    """Return how the model's architecture is written.

    Raises:
        ExportError: It is none of those that can be written.
    """
    name = (config.architectures or ["?"])[0]
    if name not in ARCHITECTURES:
        raise ExportError(
            f"{name} cannot be written as GGUF: only {', '.join(ARCHITECTURES)} can. Export as "
            "merged safetensors, and convert them by llama.cpp's own script."
        )
    return ARCHITECTURES[name]


def write_metadata(writer: gguf.GGUFWriter, config: Any, architecture: Architecture) -> None:
    """Write what all architectures have, then what is special about this one."""
    head = head_size(config)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    architecture.describe(writer, config)


def head_size(config: Any) -> int:
    """Return the size of one attention head."""
    stated = getattr(config, "head_dim", None)
    return int(stated or config.hidden_size // config.num_attention_heads)


def frequency_factors(config: Any) -> Array | None:
    """Return by what Llama 3 slows its rotary frequencies down; None for plain ones.

    The formula of transformers' `_compute_llama3_parameters`: long wavelengths are stretched
    by `factor`, short ones are kept, those between are interpolated.
    """
    rope = config.rope_parameters
    if rope.get("rope_type", "default") != "llama3":
        return None
    size = head_size(config)
    exponents = np.arange(0, size, 2, dtype=np.float64) / size
    waves = 2 * math.pi * float(rope["rope_theta"]) ** exponents
    low, high = float(rope["low_freq_factor"]), float(rope["high_freq_factor"])
    smooth = (float(rope["original_max_position_embeddings"]) / waves - low) / (high - low)
    smooth = np.clip(smooth, 0.0, 1.0)
    factors: Array = (1 / ((1 - smooth) / float(rope["factor"]) + smooth)).astype(np.float32)
    return factors


def _describe_gemma3(writer: gguf.GGUFWriter, config: Any) -> None:
    rope = config.rope_parameters
    layers: Sequence[str] = config.layer_types
    for kind in ("full_attention", "sliding_attention"):
        _plain_rope(rope[kind], {"default"})
    # llama.cpp scales by the head's size; for the largest Gemma 3 alone by another figure.
    if config.query_pre_attn_scalar != head_size(config):
        raise _unlike("query_pre_attn_scalar", config.query_pre_attn_scalar, head_size(config))
    if getattr(config, "final_logit_softcapping", None):
        raise _unlike("final_logit_softcapping", config.final_logit_softcapping, None)
    writer.add_sliding_window(config.sliding_window)
    writer.add_sliding_window_pattern(_period(layers))
    writer.add_rope_freq_base(rope["full_attention"]["rope_theta"])
    writer.add_rope_freq_base_swa(rope["sliding_attention"]["rope_theta"])


def _period(layers: Sequence[str]) -> int:
    """Return after how many layers one with full attention comes, always."""
    first = list(layers).index("full_attention") if "full_attention" in layers else len(layers)
    expected = [
        "full_attention" if (at + 1) % (first + 1) == 0 else "sliding_attention"
        for at in range(len(layers))
    ]
    if list(layers) != expected:
        raise _unlike("layer_types", list(layers), "full attention in every n-th layer")
    return first + 1


def _change_gemma3(name: str, tensor: Array, config: Any) -> Array:
    # transformers multiplies by 1 + weight, llama.cpp by the weight.
    return tensor + 1 if name.endswith("norm.weight") else tensor


def _describe_llama(writer: gguf.GGUFWriter, config: Any) -> None:
    _plain_rope(config.rope_parameters, {"default", "llama3"})
    writer.add_vocab_size(config.vocab_size)
    writer.add_rope_dimension_count(head_size(config))
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])


def _change_llama(name: str, tensor: Array, config: Any) -> Array:
    if ".q_proj." in name:
        return _interleaved(tensor, config.num_attention_heads)
    if ".k_proj." in name:
        return _interleaved(tensor, config.num_key_value_heads)
    return tensor


def _interleaved(tensor: Array, heads: int) -> Array:
    """Turn halves into neighbours: llama.cpp rotates pairs (0, 1), transformers (0, n / 2)."""
    halves = tensor.reshape(heads, 2, tensor.shape[0] // heads // 2, *tensor.shape[1:])
    return halves.swapaxes(1, 2).reshape(tensor.shape)


def _describe_qwen2(writer: gguf.GGUFWriter, config: Any) -> None:
    _plain_rope(config.rope_parameters, {"default"})
    if "sliding_attention" in (config.layer_types or ()):
        raise _unlike("layer_types", "sliding_attention", "full attention in all layers")
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])


def _unchanged(name: str, tensor: Array, config: Any) -> Array:
    return tensor


def _plain_rope(rope: Any, known: set[str]) -> None:
    kind = rope.get("rope_type", "default")
    if kind not in known:
        raise _unlike("rope_type", kind, " or ".join(sorted(known)))


def _unlike(what: str, found: object, expected: object) -> ExportError:
    return ExportError(
        f"The model cannot be written as GGUF: its {what} is {found}, and llama.cpp computes with "
        f"{expected}. Export it as merged safetensors."
    )


ARCHITECTURES = {
    "Gemma3ForCausalLM": Architecture(
        "gemma3", gguf.MODEL_ARCH.GEMMA3, _describe_gemma3, _change_gemma3
    ),
    "LlamaForCausalLM": Architecture(
        "llama", gguf.MODEL_ARCH.LLAMA, _describe_llama, _change_llama
    ),
    "Qwen2ForCausalLM": Architecture("qwen2", gguf.MODEL_ARCH.QWEN2, _describe_qwen2, _unchanged),
}
