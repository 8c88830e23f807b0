"""A tokenizer of transformers written down in GGUF: pieces, their kinds, merges or scores."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gguf import GGUFWriter, TokenType

from data_contracts.errors import ExportError
from tasks.modeling.chat import end_token_ids

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Words are split by these expressions before merging, and llama.cpp knows them by name
# (llama-vocab.cpp, llm_tokenizer_bpe). The keys are found in tokenizer.json.
_LETTERS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_SPLITTERS = {_LETTERS % r"\p{N}{1,3}": "llama-bpe", _LETTERS % r"\p{N}": "qwen2"}

# For pieces that no merge gives, as sentencepiece's own conversion has it.
_LOWEST = -1000.0


def write_vocabulary(
    writer: GGUFWriter, tokenizer: "PreTrainedTokenizerBase", size: int, adds_start: bool
) -> None:
    """Write the tokenizer with its chat template.

    Args:
        writer: Receives it.
        tokenizer: A fast one, of byte-level or of sentencepiece's BPE.
        size: Rows of the model's embedding; those without a piece are filled.
        adds_start: Whether prompts begin with the start token.

    Raises:
        ExportError: llama.cpp has no tokenizer of that kind.
    """
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    model = state["model"]
    if model["type"] != "BPE":
        raise _unknown(f"its model is {model['type']}, expected BPE")
    pieces = _pieces(tokenizer, size)
    if model.get("byte_fallback"):
        _write_sentencepiece(writer, state, pieces)
    else:
        _write_byte_level(writer, state)
    writer.add_token_list(pieces)
    writer.add_token_types(_kinds(tokenizer, model, pieces))
    _write_special(writer, tokenizer, adds_start)
    writer.add_chat_template(str(tokenizer.chat_template))


def _pieces(tokenizer: "PreTrainedTokenizerBase", size: int) -> list[str]:
    known = {number: piece for piece, number in tokenizer.get_vocab().items()}
    return [known.get(number, f"[PAD{number}]") for number in range(size)]


def _kinds(
    tokenizer: "PreTrainedTokenizerBase", model: Mapping[str, Any], pieces: list[str]
) -> list[int]:
    added = tokenizer.added_tokens_decoder
    known = tokenizer.get_vocab()
    bytes_ = {f"<0x{value:02X}>" for value in range(256)} if model.get("byte_fallback") else set()

    def kind(number: int, piece: str) -> TokenType:
        if piece == model.get("unk_token"):
            return TokenType.UNKNOWN
        if number in added:
            return TokenType.CONTROL if added[number].special else TokenType.USER_DEFINED
        if piece in bytes_:
            return TokenType.BYTE
        return TokenType.NORMAL if piece in known else TokenType.UNUSED

    return [int(kind(number, piece)) for number, piece in enumerate(pieces)]


def _write_sentencepiece(writer: GGUFWriter, state: Mapping[str, Any], pieces: list[str]) -> None:
    """Write scores that order merges as the list of merges does."""
    scores: dict[str, float] = {}
    for rank, (left, right) in enumerate(_merges(state)):
        scores.setdefault(left + right, -float(rank))
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_scores([scores.get(piece, _LOWEST - len(scores)) for piece in pieces])
    writer.add_add_space_prefix("Prepend" in json.dumps(state["normalizer"]))


def _write_byte_level(writer: GGUFWriter, state: Mapping[str, Any]) -> None:
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_splitter(state["pre_tokenizer"] or {}))
    writer.add_token_merges([f"{left} {right}" for left, right in _merges(state)])


def _merges(state: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the merges; older files write a pair as one text."""
    merges = [
        pair.split(" ") if isinstance(pair, str) else pair for pair in state["model"]["merges"]
    ]
    return [(left, right) for left, right in merges]


def _splitter(pre_tokenizer: Mapping[str, Any]) -> str:
    """Return llama.cpp's name of how a text is split into words."""
    steps = pre_tokenizer.get("pretokenizers", [pre_tokenizer])
    patterns = [step["pattern"].get("Regex") for step in steps if step.get("type") == "Split"]
    byte_level = [step for step in steps if step.get("type") == "ByteLevel"]
    if len(patterns) == 1 and patterns[0] in _SPLITTERS:
        return _SPLITTERS[patterns[0]]
    plain = not patterns and len(steps) == 1 and byte_level and byte_level[0]["use_regex"]
    if plain and not byte_level[0]["add_prefix_space"]:
        return "gpt-2"
    raise _unknown(f"it splits words by {pre_tokenizer}, which llama.cpp has no name for here")


def _write_special(
    writer: GGUFWriter, tokenizer: "PreTrainedTokenizerBase", adds_start: bool
) -> None:
    if tokenizer.bos_token_id is not None:
        writer.add_bos_token_id(tokenizer.bos_token_id)
    if tokenizer.pad_token_id is not None:
        writer.add_pad_token_id(tokenizer.pad_token_id)
    if tokenizer.eos_token_id is not None:
        writer.add_eos_token_id(tokenizer.eos_token_id)
    turn_ends = [i for i in end_token_ids(tokenizer) if i != tokenizer.eos_token_id]
    if turn_ends:
        writer.add_eot_token_id(turn_ends[0])
    writer.add_add_bos_token(adds_start)
    writer.add_add_eos_token(False)


def _unknown(why: str) -> ExportError:
    return ExportError(
        f"The tokenizer cannot be written as GGUF: {why}. Export as merged safetensors."
    )
