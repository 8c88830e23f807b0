"""Texts that several kinds of features are made of."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import overload

import numpy as np
from xxhash import xxh3_64_intdigest

from tasks.text.shingles import Hashes


class Texts(Sequence[str]):
    """Texts, and the hash by which each is known: made once, whatever is asked of them.

    Args:
        texts: The texts.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = tuple(texts)

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Texts":
        """Return texts as such; what is one already stays as it is."""
        return texts if isinstance(texts, Texts) else cls(texts)

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...
    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        return self._texts[place]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    @cached_property
    def names(self) -> Hashes:
        """A hash of each text. Of 64 bits: see `tasks.text.shingles` for what that risks."""
        hashes = (xxh3_64_intdigest(text.encode()) for text in self._texts)
        return np.fromiter(hashes, np.uint64, len(self._texts))
