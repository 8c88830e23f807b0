"""What lies in a container, and how much may come out of it."""

import re
from dataclasses import dataclass

from tasks.ingestion.config import ContainerConfig
from tasks.ingestion.parser import UnreadableFile


@dataclass(frozen=True)
class Member:
    """A document, or what was to be one, in a container; or a file that is none.

    Attributes:
        path: Its path, the container's included.
        content: The bytes that a parser reads; empty where it is refused.
        refused: Why it is not read.
        media_type: Its media type, where the container says so for certain.
        parse_as: Media type of `content`, where it is only a part of the member.
        title: What the container says it is called.
        date: When it is from, as YYYY-MM-DD.
        sha256: Of all its bytes, where `content` is only a part of them.
    """

    path: str
    content: bytes = b""
    refused: UnreadableFile | None = None
    media_type: str = ""
    parse_as: str = ""
    title: str = ""
    date: str | None = None
    sha256: str = ""


# Small files may well be very repetitive.
_RATIO_COUNTS_FROM = 1_000_000


class Budget:
    """How much may still come out of one file, whatever is nested in it."""

    def __init__(self, config: ContainerConfig) -> None:
        self.config = config
        self.members = config.max_members
        self.unpacked = config.max_unpacked_bytes
        self.repetitive = _RATIO_COUNTS_FROM

    def take_member(self) -> bool:
        """Count one member; return whether that is still allowed."""
        self.members -= 1
        return self.members >= 0

    def take_bytes(self, count: int) -> bool:
        """Count unpacked bytes if they are still allowed; return whether they are."""
        if count > self.unpacked:
            return False
        self.unpacked -= count
        return True

    def take_packed(self, count: int, packed: int) -> bool:
        """Count what unpacks to too many times its size; return whether that is allowed.

        All such members count together: a bomb may consist of many small ones.
        """
        if count > self.config.max_ratio * max(packed, 1):
            self.repetitive -= count
        return self.repetitive >= 0


def too_many(path: str, budget: Budget) -> Member:
    """Return the row that stands for all members beyond the bound."""
    limit = f"Members beyond the first {budget.config.max_members:,} are not read (max_members)."
    return Member(f"{path}/...", refused=UnreadableFile("too_complex", limit))


def name_problem(name: str) -> UnreadableFile | None:
    """Return why a name from inside a container is not trusted, or None."""
    path = name.replace("\\", "/")
    if path.startswith("/") or re.match(r"[A-Za-z]:", path):
        return UnreadableFile(
            "unsafe_path", f"The container names it by an absolute path: {name!r}."
        )
    if ".." in path.split("/"):
        return UnreadableFile("unsafe_path", f"Its path climbs out of the container: {name!r}.")
    if any(ord(character) < 32 for character in name):
        return UnreadableFile("unsafe_path", f"Its name holds control characters: {name!r}.")
    return None


def printable(name: str) -> str:
    """Return a name from inside a container as a path that can be shown and stored."""
    return "".join(c if c.isprintable() else "\ufffd" for c in name.replace("\\", "/"))
