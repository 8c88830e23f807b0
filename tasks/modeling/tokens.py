"""Counts tokens as the base model does, with nothing of the model loaded but its tokenizer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from data_contracts.base import file_sha256
from data_contracts.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TokenCounter = Callable[[Sequence[str]], list[int]]


@dataclass(frozen=True)
class TokenizerFile:
    """Counts the tokens of texts, special tokens not included.

    Its first use loads the tokenizer, and raises ModelError where the file is none.
    """

    path: Path

    def __call__(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text has."""
        return _counts(_from_file(self.path, self.path.stat().st_mtime_ns), texts)

    def content(self) -> "TokenizerContent":
        """Return the same counter with the file's content in it, for another machine."""
        return TokenizerContent(self.path.read_bytes())


@dataclass(frozen=True)
class TokenizerContent:
    """Counts as the file would whose bytes it holds."""

    content: bytes = field(repr=False)

    def __call__(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text has."""
        return _counts(_from_content(self.content), texts)


def token_counter(folder: Path) -> TokenizerFile:
    """Return what counts tokens as a model does.

    Args:
        folder: The model's folder; `tokenizer.json` must lie in it.

    Raises:
        ModelError: It does not.
    """
    return TokenizerFile(_tokenizer_file(folder))


def _counts(tokenizer: "Tokenizer", texts: Sequence[str]) -> list[int]:
    encodings = tokenizer.encode_batch(list(texts), add_special_tokens=False)
    return [len(encoding.ids) for encoding in encodings]


@lru_cache(maxsize=1)
def _from_file(path: Path, changed: int) -> "Tokenizer":
    """Return a tokenizer: a vocabulary of 262,144 takes seconds to load, and stages share it."""
    from tokenizers import Tokenizer

    return _loaded(lambda: Tokenizer.from_file(str(path)), str(path))


@lru_cache(maxsize=1)
def _from_content(content: bytes) -> "Tokenizer":
    from tokenizers import Tokenizer

    return _loaded(lambda: Tokenizer.from_buffer(content), "The tokenizer.json that was sent")


def _loaded(load: Callable[[], "Tokenizer"], what: str) -> "Tokenizer":
    try:
        return load()
    except Exception as error:  # the Rust side raises plain Exception
        raise ModelError(f"{what} is not a tokenizer: {error}") from error


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
