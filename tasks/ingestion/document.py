"""One document: from a file's bytes to the row it becomes, kept or dropped."""

import gc
import hashlib
import re
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from data_contracts.schemas import DOCUMENT, blank_row
from tasks.ingestion.clean import CleanText, clean_document, scrub_document
from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.containers import read_members
from tasks.ingestion.member import Member
from tasks.ingestion.parser import UnreadableFile, parser_for, parser_name
from tasks.ingestion.sources import document_id
from tasks.scrubbing.config import ScrubbingConfig
from tasks.scrubbing.scrub import Scrubber, scrubber
from tasks.settings import Settings
from tasks.text.instructions import FLAG, find_instructions

Row = dict[str, Any]

# What package managers write for themselves; names in small letters.
LOCK_FILES = frozenset(
    {
        "package-lock.json",
        "npm-shrinkwrap.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "bun.lock",
        "deno.lock",
        "poetry.lock",
        "pdm.lock",
        "uv.lock",
        "pipfile.lock",
        "conda-lock.yml",
        "cargo.lock",
        "composer.lock",
        "gemfile.lock",
        "podfile.lock",
        "pubspec.lock",
        "mix.lock",
        "flake.lock",
        "packages.lock.json",
        "gradle.lockfile",
        "go.sum",
    }
)

_FIRST_HEADING = re.compile(r"^# (.+)$", re.MULTILINE)
_ANY_LETTER = re.compile(r"[^\W\d_]")


def parse_file(
    path: str, content: bytes, config: IngestionConfig, done: int, refused: UnreadableFile | None
) -> Iterator[Row]:
    """Yield a row for each document of a file, and for each part that yields none.

    Dropped rows have a `reason` and a `detail`.

    Args:
        path: The file's path within the source.
        content: Its bytes.
        config: Options.
        done: Rows that an earlier attempt brought; they are left out.
        refused: Why the next one after those is dropped unread: an earlier attempt died of it.
    """
    started = time.process_time()
    for number, member in enumerate(read_members(path, content, config)):
        if number > done and time.process_time() - started > config.containers.seconds:
            yield rest_row(path, _out_of_time(config))
            return
        if number == done and refused:
            yield dropped_row(_identity(member), refused)
        elif number >= done:
            yield parse_member(member, config)


def parse_member(member: Member, config: IngestionConfig) -> Row:
    """Return the row of one document; whatever a parser raises becomes a dropped row."""
    row = _identity(member)
    try:
        return _parse(row, member, config)
    except UnreadableFile as error:
        return dropped_row(row, error)
    except RecursionError:
        deep = UnreadableFile("too_complex", "Its parts are nested too deeply to be read.")
        return dropped_row(row, deep)
    except MemoryError as error:  # what is left of this process is not to be trusted
        # CPython 3.11 unwinds without end where not even a small number can be allocated, and
        # parse trees are cycles: room is made before the error goes on its way.
        error.__traceback__ = None
        gc.collect()
        raise
    # a damaged file leads a parser's library anywhere
    except Exception as error:  # noqa: BLE001
        cause = f"The parser failed: {type(error).__name__}: {error}"
        return dropped_row(row, UnreadableFile("corrupt", cause[:500]))


def _out_of_time(config: IngestionConfig) -> UnreadableFile:
    limit = config.containers.seconds
    return UnreadableFile(
        "timeout", f"Its members took more than {limit:g} s (containers.seconds)."
    )


def rest_row(path: str, problem: UnreadableFile) -> Row:
    """Return the row that stands for all members of a container that are not read."""
    rest = f"{path}/..."
    return dropped_row({"document_id": document_id(rest), "path": rest}, problem)


def dropped_row(row: Row, problem: UnreadableFile) -> Row:
    """Return the row of what yields no document."""
    return row | {"reason": problem.reason, "detail": problem.detail}


def columns(clean: CleanText) -> Row:
    """Return the columns of a row that a cleaned text fills."""
    pages = [{"page": p.page, "start": p.start, "end": p.end} for p in clean.pages]
    changes = [{"kind": kind, "count": n} for kind, n in sorted(clean.changes.items()) if n]
    return {"text": clean.text, "pages": pages, "changes": changes}


def has_words(text: str) -> bool:
    """Whether a text has anything to learn from."""
    return _ANY_LETTER.search(text) is not None


def _identity(member: Member) -> Row:
    row: Row = {"document_id": document_id(member.path), "path": _storable(member.path)}
    if member.content or member.sha256:
        row["sha256"] = member.sha256 or hashlib.sha256(member.content).hexdigest()
    return row | ({"media_type": member.media_type} if member.media_type else {})


def _storable(path: str) -> str:
    """Return a path as UTF-8 can hold it: file names may be any bytes."""
    return path.encode("utf-8", "replace").decode()


def _parse(row: Row, member: Member, config: IngestionConfig) -> Row:
    if member.refused:
        raise member.refused
    if Path(member.path).name.lower() in LOCK_FILES and not config.lock_files:
        raise UnreadableFile(
            "lock_file",
            "A package manager wrote it for itself: versions and hashes, nothing to ask about "
            "(ingestion.lock_files).",
        )
    parser = parser_for(member.parse_as or member.media_type, config)
    row["parser"] = parser_name(parser)
    parsed = parser.parse(Path(member.path), member.content)
    scrub = scrubber_of(config.scrubbing)
    clean = scrub_document(clean_document(parsed, parser.inline_markup), scrub)
    if not has_words(clean.text):
        raise UnreadableFile("no_text", "Nothing is left after cleaning.")
    title = parsed.title or _first_heading(clean.text) or _name_as_title(member.path)
    if member.parse_as:  # a part of something that has a title itself
        title = member.title or title
    stated = {
        "title": scrub.scrub(" ".join(title.split())).text,
        "date": member.date or parsed.date or None,
        "licence": parsed.licence or None,
        # scrubbed as well: datasets are stored and shared
        "raw_text": scrub.scrub(parsed.text).text,
        "flags": [FLAG] if find_instructions(parsed.text) else [],
    }
    return blank_row(DOCUMENT) | row | stated | columns(clean)


@cache
def scrubber_of(config: ScrubbingConfig) -> Scrubber:
    """Return the scrubber of a configuration; its keys are derived once a process."""
    return scrubber(config, Settings().resolved_home)


def _first_heading(text: str) -> str:
    found = _FIRST_HEADING.search(text)
    return found.group(1) if found else ""


def _name_as_title(relative: str) -> str:
    return re.sub(r"[-_]+", " ", PurePosixPath(relative).stem).strip().capitalize()
