"""Hashes of files' bytes, remembered by what the file system says of each file.

As git's index does (`Documentation/technical/racy-git.txt`): a file whose device, inode, size,
modification time and change time are those of the last look has the bytes of the last look.
The change time is the kernel's: copying, unpacking and `touch` cannot set it back. What was
changed so shortly before a look that the clock of the file system might not show the next
change is hashed again.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import replace

from tasks.ingestion.sources import DocumentFile
from tasks.memo import Memo

# The coarsest clock of a file system in use: FAT notes modifications in steps of 2 s.
_CLOCK_STEP_NS = 2_000_000_000


def with_hashes(
    files: Sequence[DocumentFile], memo: Memo | None, now_ns: int | None = None
) -> list[DocumentFile]:
    """Return files with the SHA-256 of their bytes as their checksum, remote ones as they are.

    A file that cannot be read stays without one.

    Args:
        files: As they were listed.
        memo: Hashes of the last look; None to read every file.
        now_ns: The time, in nanoseconds since 1970; the clock's if not given.
    """
    settled = (time.time_ns() if now_ns is None else now_ns) - _CLOCK_STEP_NS
    return [file if file.is_remote else _with_hash(file, memo, settled) for file in files]


def _with_hash(file: DocumentFile, memo: Memo | None, settled: int) -> DocumentFile:
    key = ":".join(map(str, file.stamp))
    known = memo.get(key) if memo and file.stamp else None
    if known is not None:
        return replace(file, checksum=known.decode())
    try:
        with file.open() as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    except OSError:
        return file
    # the last two are the times
    if memo and file.stamp and max(file.stamp[-2:]) < settled:
        memo.put(key, found.encode())
    return replace(file, checksum=found)
