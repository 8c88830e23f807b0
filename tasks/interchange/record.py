"""One record of a file, before anybody knows its form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.interchange.conversation import Refused

# A longer record is no example; reading on would fill the memory.
MAX_RECORD_CHARACTERS = 10_000_000


@dataclass(frozen=True)
class Record:
    """One record of a file.

    Attributes:
        number: Line, element or row, from 1.
        value: What it holds; None where `problem` says why it could not be read.
        problem: The reason; None for a readable record.
        raw: The start of what stands there, for people, where it could not be read.
    """

    number: int
    value: Mapping[str, Any] | None
    problem: Refused | None = None
    raw: str = ""
