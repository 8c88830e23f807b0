"""Tiny random models with the architectures that users have: milliseconds a forward.

They know nothing, but everything about them is real: a trained byte-level tokenizer with
start, end and padding tokens, safetensors, a sliding window in Gemma's first layer.
"""

from pathlib import Path
from typing import Any

from data_contracts.results import BaseModelRef
from tasks.modeling.base_model import resolve_base_model

SLIDING_WINDOW = 64

# Short enough that each kind of wavelength occurs: kept, stretched and between.
LLAMA3_ROPE: dict[str, Any] = {
    "rope_type": "llama3",
    "rope_theta": 10_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}

_VOCABULARY = 400

_CORPUS = [
    "A ferry is a ship that carries cars and people across the water.",
    "What does the handbook say about leave? Every employee has thirty days of leave a year.",
    "Question: Which of these is a colour? Answer: The colour of the sky is blue.",
    "The capital of France is Paris. The capital of Italy is Rome.",
]

_SHAPE: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 16,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": True,
    # Ten times the usual spread, so that the model's predictions depend on what it reads.
    "initializer_range": 0.2,
}


def tiny_base(folder: Path, architecture: str) -> BaseModelRef:
    """Write a tiny model into `folder` and return its reference.

    Args:
        folder: Where it is written.
        architecture: `gemma3` (with a sliding window), `llama`, `llama3` (with its stretched
            rotary frequencies) or `qwen2`.
    """
    import torch
    from transformers import AutoModelForCausalLM

    tokenizer = _tokenizer()
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(_config(architecture, tokenizer)).save_pretrained(folder)
    return resolve_base_model(str(folder), folder)


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY,
        special_tokens=["<pad>", "<eos>", "<bos>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_CORPUS, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>"
    )


def _config(architecture: str, tokenizer: Any) -> Any:
    from transformers import Gemma3TextConfig, LlamaConfig, Qwen2Config

    options = {
        **_SHAPE,
        "vocab_size": len(tokenizer),
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    if architecture == "llama":
        return LlamaConfig(**options)
    if architecture == "llama3":
        return LlamaConfig(**options, rope_parameters=LLAMA3_ROPE)
    if architecture == "qwen2":
        return Qwen2Config(**options)
    if architecture == "gemma3":
        return Gemma3TextConfig(
            **options,
            query_pre_attn_scalar=16,
            sliding_window=SLIDING_WINDOW,
            layer_types=["sliding_attention", "full_attention"],
        )
    raise ValueError(
        f"No tiny model of architecture {architecture!r}: gemma3, llama, llama3, qwen2."
    )
