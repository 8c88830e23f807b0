"""The record of a document that was forgotten: what was looked at, what was left, and when."""

import json
from datetime import UTC, datetime
from pathlib import Path

from tasks.lineage.forget import Forgetting
from tasks.promotion.recipe import code_version
from tasks.whole_file import write_record


def write_proof(home: Path, done: Forgetting) -> Path:
    """Keep what forgetting a document came to, also where something is left; return the file.

    It names the document by path and hash, rows and chunks by identifier, and quotes nothing. It
    lies beside the lists of what is forgotten, a folder deeper: the date of a list tells which
    memos are older than it.

    Raises:
        StorageError: It cannot be written.
    """
    now = datetime.now(UTC)
    document = done.documents[0].document_id
    path = home / "forgotten" / "proofs" / f"{now:%Y%m%dT%H%M%S%fZ}-{document}.json"
    record = {
        "created": now.isoformat(timespec="seconds"),
        "code": code_version(),
        "passed": done.absence.passed,
        **done.model_dump(mode="json"),
    }
    text = json.dumps(record, indent=1, ensure_ascii=False)
    write_record(path, f"{text}\n", "the proof", "the document is forgotten, the proof is missing")
    return path
