"""Removes what is kept of a document: partitions, replies of models, old dataset versions."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_contracts.errors import StorageError
from tasks.curation.certificate import FILE
from tasks.forgotten import Forgotten
from tasks.lineage.document import Containing
from tasks.lineage.origin import of_documents
from tasks.lineage.replies import response_logs
from tasks.lineage.wording import Wording
from tasks.llm.response_log import Completion, ResponseLog
from tasks.memo import SUFFIX
from tasks.partitions import Partition, read_partition
from tasks.shared_datasets import remove_shared
from tasks.training.shared_checkpoints import remove_all_checkpoints


@dataclass(frozen=True)
class Traces:
    """What a document can be known by.

    Attributes:
        forgotten: Its identifiers and hashes.
        examples: Identifiers of the rows made of it.
        texts: Names of what these rows say, by which splits know them.
        prompts: Digests of what models were sent about it.
        replies: Keys of models' replies about it, by stage.
        wording: The runs of words that only it has.
    """

    forgotten: Forgotten
    examples: frozenset[str]
    texts: frozenset[str]
    prompts: frozenset[str]
    replies: Mapping[str, set[str]]
    wording: Wording


def partitions_with(home: Path, forgotten: Forgotten) -> Iterator[Path]:
    """Yield the cached partitions of any stage that hold the documents or rows of them."""
    for path in sorted((home / "cache").rglob("*.arrow")):
        partition = _readable(path)
        if partition is not None and any(_holds(t, forgotten) for t in _tables(partition)):
            yield path


def remove_partitions(home: Path, forgotten: Forgotten) -> int:
    """Delete these partitions and return how many there were.

    The memos go as well, whatever they hold: the next build writes them anew.

    Raises:
        StorageError: One cannot be deleted.
    """
    _delete((home / "cache").rglob(f"*{SUFFIX}"), Path.unlink)
    return _delete(partitions_with(home, forgotten), Path.unlink)


def earlier_memos(home: Path) -> Iterator[Path]:
    """Yield the memos that were written before a document was last noted as forgotten.

    A memo holds what the run used that wrote it, and no run reads a document after that.
    """
    noted = [path.stat().st_mtime_ns for path in (home / "forgotten").glob("*.json")]
    for path in sorted((home / "cache").rglob(f"*{SUFFIX}")):
        if path.stat().st_mtime_ns < max(noted, default=0):
            yield path


def remove_replies(home: Path, traces: Traces) -> int:
    """Take models' replies about a document out of their logs and quarantines.

    Gone are those to what was asked about it, and any other in which words that only it has
    stand.

    Raises:
        StorageError: A log cannot be written.
    """
    removed = 0
    logs = response_logs(home)
    for stage, path in logs.items():
        about = partial(_about, keys=traces.replies.get(stage, set()), traces=traces)
        removed += ResponseLog(path).remove(about)
    others = set((home / "cache").rglob("*.jsonl")) - set(logs.values())
    return removed + sum(_filter_lines(path, traces) for path in sorted(others))


def replies_with(home: Path, traces: Traces) -> int:
    """Return how many lines of logs are about a document."""
    found = 0
    for path in sorted((home / "cache").rglob("*.jsonl")):
        keys = set[str]().union(*traces.replies.values())
        for line in _lines(path):
            value = _parsed(line)
            found += value.get("key") in keys or _quotes(value, line, traces)
    return found


def remove_versions(
    home: Path, versions: Sequence[Containing], traces: Traces
) -> tuple[int, int, int]:
    """Delete dataset versions, and certificates that quote a document, in the store too.

    All checkpoints that broken-off trainings left in the store go, too. The store comes first: what
    could not be deleted there is found again by this home's copy.

    Returns:
        How many were deleted in the store, and how many versions and certificates in this home.

    Raises:
        StorageError: One cannot be deleted.
    """
    folders = [version.folder for version in versions]
    quoting = [path.parent for path in certificates_with(home, traces)]
    shared = sum(remove_shared(path.parent.name, path.name) for path in [*folders, *quoting])
    remove_all_checkpoints()
    return shared, _delete(folders, shutil.rmtree), _delete(quoting, shutil.rmtree)


def certificates_with(home: Path, traces: Traces) -> list[Path]:
    """Return the leakage certificates that quote a document or name rows of it."""
    found = []
    for path in sorted((home / "datasets" / "audit").glob(f"*/{FILE}")):
        text = path.read_text(encoding="utf-8")
        if traces.wording.occurs_in(text) or any(name in text for name in traces.examples):
            found.append(path)
    return found


def _delete(paths: Iterable[Path], remove: Callable[[Path], Any]) -> int:
    count = 0
    for path in list(paths):
        try:
            remove(path)
        except OSError as error:
            raise StorageError(
                f"{path} cannot be deleted ({error.strerror}), and it holds what was to be "
                "forgotten. Delete it by hand, then run the same command again."
            ) from error
        count += 1
    return count


def _tables(partition: Partition) -> tuple[pa.Table, pa.Table]:
    return partition.kept, partition.dropped


def _readable(path: Path) -> Partition | None:
    try:
        return read_partition(path)
    except (OSError, pa.ArrowInvalid):
        return None


def _holds(table: pa.Table, forgotten: Forgotten) -> bool:
    if "sha256" in table.column_names and any(forgotten.rows(table).to_pylist()):
        return True
    return of_documents(table, forgotten.ids).num_rows > 0


def _about(key: str, reply: Completion, keys: set[str], traces: Traces) -> bool:
    return key in keys or traces.wording.occurs_in(reply.text)


def _filter_lines(path: Path, traces: Traces) -> int:
    lines = _lines(path)
    kept = [line for line in lines if not _quotes(_parsed(line), line, traces)]
    if len(kept) == len(lines):
        return 0
    try:
        unfinished = path.with_suffix(".partial")
        unfinished.write_text("".join(kept), encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise StorageError(
            f"Cannot write {path}: {error}. Free disk space, then run again."
        ) from error
    return len(lines) - len(kept)


def _lines(path: Path) -> list[str]:
    with path.open(encoding="utf-8", errors="replace", newline="\n") as stream:
        return list(stream)


def _parsed(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:  # torn by a crash
        return {}
    return value if isinstance(value, dict) else {}


def _quotes(value: Mapping[str, Any], line: str, traces: Traces) -> bool:
    """Whether a line of a log tells of a document: by its prompt's digest, or in its words."""
    said = "\n".join(str(part) for part in value.values()) if value else line
    return value.get("prompt_sha256") in traces.prompts or traces.wording.occurs_in(said)
