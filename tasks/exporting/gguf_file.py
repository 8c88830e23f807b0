"""Writes a folder of safetensors as one GGUF file, a tensor at a time."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np
from gguf import quants
from safetensors import safe_open

from data_contracts.errors import ExportError
from tasks.exporting.gguf_architecture import (
    Architecture,
    Array,
    find_architecture,
    frequency_factors,
    write_metadata,
)
from tasks.exporting.gguf_vocabulary import write_vocabulary

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_Type = gguf.GGMLQuantizationType

PRECISIONS = {
    "f32": (_Type.F32, gguf.LlamaFileType.ALL_F32),
    "f16": (_Type.F16, gguf.LlamaFileType.MOSTLY_F16),
    "bf16": (_Type.BF16, gguf.LlamaFileType.MOSTLY_BF16),
    "q8_0": (_Type.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
}


def write_gguf(
    folder: Path,
    tokenizer: "PreTrainedTokenizerBase",
    precision: str,
    adds_start: bool,
    target: Path,
) -> None:
    """Write the model in `folder` as GGUF.

    Vectors (norms, biases) stay in single precision, as llama.cpp wants them.

    Args:
        folder: config.json and safetensors, as by `save_pretrained`.
        tokenizer: Its tokenizer, with the chat template.
        precision: A key of `PRECISIONS`.
        adds_start: Whether prompts begin with the start token.
        target: The file to write.

    Raises:
        ExportError: Architecture, tokenizer or a tensor is not known.
    """
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    architecture = find_architecture(config)
    wanted, file_type = PRECISIONS[precision]
    writer = gguf.GGUFWriter(target, architecture.name)
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_file_type(file_type)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    write_metadata(writer, config, architecture)
    write_vocabulary(writer, tokenizer, config.vocab_size, adds_start)
    for name, tensor in _tensors(folder, config, architecture):
        kind = _kind(tensor, wanted)
        packed = quants.quant_shape_to_byte_shape(tensor.shape, kind)
        size = int(np.prod(packed))
        writer.add_tensor_info(name, packed, np.dtype(np.uint8), size, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for _name, tensor in _tensors(folder, config, architecture):
        writer.write_tensor_data(_packed(tensor, _kind(tensor, wanted)))
    writer.close()


def _kind(tensor: Array, wanted: _Type) -> _Type:
    """Return the type of one tensor: what cannot be cut into blocks is kept in 16 bits."""
    if tensor.ndim < 2:
        return _Type.F32
    block = gguf.GGML_QUANT_SIZES[wanted][0]
    return wanted if tensor.shape[-1] % block == 0 else _Type.F16


def _packed(tensor: Array, kind: _Type) -> Array:
    packed: Array = np.ascontiguousarray(quants.quantize(tensor, kind))
    return packed.view(np.uint8)


def _tensors(folder: Path, config: Any, architecture: Architecture) -> Iterator[tuple[str, Array]]:
    """Yield each tensor under its GGUF name, in single precision."""
    names = gguf.get_tensor_name_map(architecture.kind, config.num_hidden_layers)
    with ExitStack() as stack:
        files = [
            stack.enter_context(safe_open(path, framework="pt"))
            for path in sorted(folder.glob("*.safetensors"))
        ]
        for name, file in sorted((name, f) for f in files for name in f.keys()):  # noqa: SIM118
            if name == "lm_head.weight" and config.tie_word_embeddings:
                continue  # llama.cpp takes the embedding where there is no output layer
            known = names.get_name(name, try_suffixes=(".weight", ".bias"))
            if known is None:
                raise ExportError(
                    f"The tensor {name} has no place in GGUF's {architecture.name}. Export the "
                    "model as merged safetensors."
                )
            yield known, architecture.change(name, file.get_tensor(name).float().numpy(), config)
    factors = frequency_factors(config)
    if factors is not None:
        yield "rope_freqs.weight", factors
