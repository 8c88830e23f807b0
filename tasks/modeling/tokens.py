"""Counts tokens as the base model does, with nothing of the model loaded but its tokenizer."""

from collections.abc import Callable, Sequence
from pathlib import Path

from data_contracts.base import file_sha256
from data_contracts.errors import ModelError

TokenCounter = Callable[[Sequence[str]], list[int]]


def token_counter(folder: Path) -> TokenCounter:
    """Return a function that counts the tokens of texts, special tokens not included.

    Args:
        folder: The model's folder; `tokenizer.json` must lie in it.

    Raises:
        ModelError: It does not, or is no tokenizer.
    """
    from tokenizers import Tokenizer

    path = _tokenizer_file(folder)
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the Rust side raises plain Exception
        raise ModelError(f"{path} is not a tokenizer: {error}") from error

    def count(texts: Sequence[str]) -> list[int]:
        encodings = tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [len(encoding.ids) for encoding in encodings]

    return count


def tokenizer_sha256(folder: Path) -> str:
    """Return the hash of a model's tokenizer: chunks depend on nothing else of the model.

    Raises:
        ModelError: The folder holds none.
    """
    return file_sha256(_tokenizer_file(folder))


def _tokenizer_file(folder: Path) -> Path:
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise ModelError(
            f"{folder} holds no {path.name}, which is needed to count tokens. Save the model's "
            "fast tokenizer there with save_pretrained."
        )
    return path
