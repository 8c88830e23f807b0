"""What the last run made of texts: within `remembering` it is looked up, not made anew.

The results are the same with and without. A name says all that a result depends on beside
the code and the libraries, which are in the file's own name.
"""

import io
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_128_hexdigest

from tasks.memo import Memo
from tasks.text.shingles import EMPTY, Hashes

# Raise when any code whose results are kept here gives other ones.
VERSION = 1

Arrays = Mapping[str, NDArray[Any]]

_MEMO: ContextVar[Memo | None] = ContextVar("memo of features", default=None)


@contextmanager
def remembering(folder: Path) -> Iterator[None]:
    """Look up and keep features in a folder's memo; it then holds what was used within.

    Raises:
        StorageError: The memo cannot be written.
    """
    libraries = [version(name) for name in ("numpy", "datasketch", "xxhash")]
    with Memo(folder, ["features", VERSION, unicodedata.unidata_version, libraries]) as memo:
        token = _MEMO.set(memo)
        try:
            yield
        finally:
            _MEMO.reset(token)


def features(kind: str, texts: Iterable[str], make: Callable[[str], Hashes]) -> list[Hashes]:
    """Return the hashes of each text; equal texts are worked on once.

    Args:
        kind: Names what is made, with its options.
        texts: Of what.
        make: Makes the hashes of one text.
    """
    memo, made = _MEMO.get(), dict[str, Hashes]()
    found = []
    for text in texts:
        if text not in made:
            made[text] = make(text) if memo is None else _recalled(memo, kind, text, make)
        found.append(made[text])
    return found


def _recalled(memo: Memo, kind: str, text: str, make: Callable[[str], Hashes]) -> Hashes:
    key = f"{kind} {xxh3_128_hexdigest(text.encode())}"
    value = memo.get(key)
    if value is None:
        hashes = make(text)
        memo.put(key, hashes.tobytes())
        return hashes
    return np.frombuffer(value, np.uint64) if value else EMPTY


def name_of(array: NDArray[Any]) -> str:
    """Return a name for the values of an array: equal values, equal names."""
    return str(xxh3_128_hexdigest(array.tobytes()))


def recall_arrays(key: str) -> Arrays:
    """Return the arrays that were kept under a key; none if there are none."""
    memo = _MEMO.get()
    value = memo.get(key) if memo is not None else None
    if value is None:
        return {}
    with np.load(io.BytesIO(value), allow_pickle=False) as stored:
        return dict(stored)


def keep_arrays(key: str, **arrays: NDArray[Any]) -> None:
    """Keep arrays under a key, in place of those that are there."""
    memo = _MEMO.get()
    if memo is not None:
        stream = io.BytesIO()
        np.savez(stream, allow_pickle=False, **arrays)
        memo.put(key, stream.getvalue())
