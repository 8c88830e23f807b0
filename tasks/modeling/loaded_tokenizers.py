"""Tokenizers are loaded once a process, however many folders hold the same one.

A vocabulary of 262,144 takes seconds to load, and most stages want it; a tuned model's folder holds
a copy of its base's. Besides, tokenizers 0.23 keeps what each tokenizer has looked up in a store of
the thread, which outlives it: a process that loads one after another grows for ever.
"""

import copy
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from data_contracts.base import digest, file_sha256

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# For base models that bring no chat template. It is saved with the tuned model, so that
# serving uses the very text that training used. The end token closes each answer.
PLAIN_CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ message['content'] }}\n\n"
    "{% elif message['role'] == 'user' %}User: {{ message['content'] }}\n"
    "{% else %}Assistant: {{ message['content'] }}{{ eos_token }}\n{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)

# A fast tokenizer is wholly in the first; the others say how it is used.
_WHOLE = "tokenizer.json"
_FILES = (
    _WHOLE, "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "chat_template.jinja", "chat_template.json", "config.json",
)  # fmt: skip

# The base's and the tuned model's, which differ where the base brings no chat template.
_KEPT = 2


@dataclass(frozen=True)
class _Source:
    """Where a tokenizer lies; those of equal content are equal."""

    content: str
    folder: Path = field(compare=False)


def loaded_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    """Return the tokenizer of a folder, with a plain chat template where it brings none.

    Its chat template may be set; the rest is shared with whoever has it, too.

    Raises:
        OSError: A file cannot be read.
        ValueError: There is no tokenizer in the folder, or a file of it is damaged.
    """
    if not (folder / _WHOLE).is_file() or (folder / "additional_chat_templates").exists():
        return _load(folder)
    paths = [folder / name for name in _FILES]
    content = digest([file_sha256(path) if path.is_file() else "" for path in paths])
    return copy.copy(_shared(_Source(content, folder)))


@lru_cache(maxsize=_KEPT)
def _shared(source: _Source) -> "PreTrainedTokenizerBase":
    return _load(source.folder)


def _load(folder: Path) -> "PreTrainedTokenizerBase":
    from transformers import AutoTokenizer

    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
        folder, trust_remote_code=False
    )
    if tokenizer.chat_template is None:
        tokenizer.chat_template = PLAIN_CHAT_TEMPLATE
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer
