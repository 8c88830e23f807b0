"""Prompts from a JSONL file, as rows that can be asked."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from data_contracts.base import digest, file_sha256
from data_contracts.errors import GeneralSetError
from data_contracts.schemas import EXAMPLE, blank_row
from tasks.evaluation.examination import Row, by_hash

SHIPPED = Path(__file__).parent / "shipped"


def read_prompts(path: Path, keys: tuple[str, ...], most_per_skill: int | None = None) -> list[Row]:
    """Return a row in the EXAMPLE schema for each line; `kind` is its skill, `answer` is empty.

    Args:
        path: JSONL file.
        keys: What each line holds, as text, beside `skill` and `prompt`; added to the row.
        most_per_skill: At most so many of each skill, chosen by hash; None for all.

    Raises:
        GeneralSetError: The file cannot be read, or a line lacks a key.
    """
    rows = by_hash(_row(line, keys) for line in _lines(path, ("skill", "prompt", *keys)))
    taken = Counter[str]()
    chosen = []
    for row in rows:
        taken[row["kind"]] += 1
        if most_per_skill is None or taken[row["kind"]] <= most_per_skill:
            chosen.append(row)
    return chosen


def prompts_digest(path: Path) -> str:
    """Return the digest of a file of prompts.

    Raises:
        GeneralSetError: It cannot be read.
    """
    try:
        return file_sha256(path)
    except OSError as error:
        raise _wrong(path, f"it cannot be read ({error.strerror})", ()) from error


def _row(line: dict[str, str], keys: tuple[str, ...]) -> Row:
    name = digest(line, length=16)
    told = {"example_id": name, "document_id": name, "group_id": name, "kind": line["skill"]}
    return {
        **blank_row(EXAMPLE),
        **told,
        "question": line["prompt"],
        "answer": "",
        **{key: line[key] for key in keys},
    }


def _lines(path: Path, keys: tuple[str, ...]) -> Iterator[dict[str, str]]:
    try:
        texts = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _wrong(path, f"it cannot be read ({error})", keys) from error
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
        except json.JSONDecodeError as error:
            raise _wrong(path, f"line {number} is no JSON ({error})", keys) from error
        if not isinstance(line, dict) or not all(isinstance(line.get(key), str) for key in keys):
            raise _wrong(path, f"line {number} is otherwise", keys)
        yield {key: line[key] for key in keys}


def _wrong(path: Path, what: str, keys: tuple[str, ...]) -> GeneralSetError:
    return GeneralSetError(
        f"{path}: {what}. Expected UTF-8 text with a JSON object a line, with the text keys "
        f"{', '.join(keys)}. Correct the `file` of the examination, or leave it out for the set "
        "that comes with Temper."
    )
