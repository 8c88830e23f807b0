"""ZIP archives, read in memory and within bounds: nothing is ever unpacked to disk."""

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from itertools import pairwise

from tasks.ingestion.member import Budget, Member, name_problem, printable, too_many
from tasks.ingestion.parser import DropReason, UnreadableFile

# What the system makes by itself beside the files that people put in.
_LITTER = re.compile(r"(^|/)(__MACOSX/|\.(?!\.?([/\\]|$))|~\$|Thumbs\.db$|desktop\.ini$)")
_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")
# What Office (ECMA-376, part 2), and EPUB and OpenDocument, always have in them.
_PACKAGE_PARTS = {"[Content_Types].xml", "mimetype"}

# Bit 0 of a member's flags: APPNOTE.TXT 4.4.4.
_ENCRYPTED = 0x1
# What zipfile raises for damaged members; NotImplementedError: a compression it lacks.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, OSError)


def zip_members(path: str, content: bytes, largest: int, budget: Budget) -> Iterator[Member]:
    """Yield the files of a ZIP archive in its order; hidden ones are left out.

    Args:
        path: The archive's own path.
        content: Its bytes.
        largest: Members with more bytes are refused (`max_file_bytes`).
        budget: What may still come out of the outermost file.

    Raises:
        UnreadableFile: The archive as a whole cannot be read, or holds nothing.
    """
    with open_zip(content) as archive:
        infos = [i for i in archive.infolist() if not i.is_dir() and not _LITTER.search(i.filename)]
        if not infos:
            raise UnreadableFile("empty", "The archive holds no file.")
        overlapping = _overlapping(archive)
        seen: set[str] = set()
        for info in infos:
            if not budget.take_member():
                yield too_many(path, budget)
                return
            refusal = _refusal(info, seen, overlapping, largest, budget)
            seen.add(info.filename)
            inner = f"{path}/{printable(info.filename)}"
            yield Member(inner, refused=refusal) if refusal else _read(archive, info, inner)


def open_zip(content: bytes) -> zipfile.ZipFile:
    """Open a ZIP archive from memory.

    Raises:
        UnreadableFile: It is damaged.
    """
    try:
        return zipfile.ZipFile(io.BytesIO(content))
    except _DAMAGE as error:
        raise UnreadableFile("corrupt", f"The archive cannot be opened: {error}.") from error


def is_archive(content: bytes) -> bool:
    """Whether bytes are a ZIP archive, and not a document that is stored as one.

    Raises:
        UnreadableFile: It is damaged.
    """
    if not content.startswith(_SIGNATURES):
        return False
    with open_zip(content) as archive:
        return not _PACKAGE_PARTS & set(archive.namelist())


def _refusal(
    info: zipfile.ZipInfo, seen: set[str], overlapping: set[int], largest: int, budget: Budget
) -> UnreadableFile | None:
    """Return why a member is not read, or None."""
    reason: DropReason
    if problem := name_problem(info.filename):
        return problem
    if info.filename in seen:
        reason, detail = "duplicate_name", "An earlier member of the archive has the same name."
    elif stat.S_ISLNK(info.external_attr >> 16):
        reason, detail = "link", "It is a link, not a file."
    elif info.flag_bits & _ENCRYPTED:
        reason, detail = "encrypted", "It needs a password."
    elif info.header_offset in overlapping:
        reason, detail = "archive_bomb", "Its bytes in the archive are those of other members too."
    elif info.file_size > largest:
        reason = "too_large"
        detail = f"{info.file_size:,} bytes; the limit is {largest:,} (max_file_bytes)."
    else:
        return _bomb(info, budget)
    return UnreadableFile(reason, detail)


def _bomb(info: zipfile.ZipInfo, budget: Budget) -> UnreadableFile | None:
    """Return why a member unpacks to too much, or None; its size is counted."""
    ratio = info.file_size / max(info.compress_size, 1)
    limit = budget.config.max_ratio
    if not budget.take_packed(info.file_size, info.compress_size) and ratio > limit:
        detail = f"It unpacks to {ratio:,.0f} times its size; the limit is {limit:g} (max_ratio)."
        return UnreadableFile("archive_bomb", detail)
    if not budget.take_bytes(info.file_size):
        total = budget.config.max_unpacked_bytes
        detail = f"With it, more than {total:,} bytes would be unpacked (max_unpacked_bytes)."
        return UnreadableFile("archive_bomb", detail)
    return None


def _overlapping(archive: zipfile.ZipFile) -> set[int]:
    """Return where members begin whose bytes belong to others too.

    So the smallest bombs are made: D. Fifield, A better zip bomb, WOOT 2019.
    """
    places = sorted((i.header_offset, i.compress_size) for i in archive.infolist())
    found: set[int] = set()
    for (start, size), (after, _) in pairwise(places):
        if start + size > after:
            found |= {start, after}
    return found


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: str) -> Member:
    try:
        return Member(path, archive.read(info))
    except _DAMAGE as error:
        problem = UnreadableFile("corrupt", f"It cannot be unpacked: {error}.")
    except RuntimeError as error:  # zipfile's word for a missing password
        problem = UnreadableFile("encrypted", f"It cannot be unpacked: {error}.")
    return Member(path, refused=problem)
