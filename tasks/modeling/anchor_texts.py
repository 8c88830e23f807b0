"""Anchor texts on disk, and the proof that retention is not measured on them."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from data_contracts.errors import StorageError, TrainingError
from tasks.text.normalise import normalise
from tasks.text.shingles import Hashes, union, word_ngrams

# Beside the tuned weights: the texts that a mitigation held on to.
ANCHORS = "anchors.jsonl"

# So many words in a row are no coincidence (Brown et al. 2020, arXiv 2005.14165, appendix C).
WORDS = 13


def read_anchor_texts(path: Path) -> list[str]:
    """Read a JSONL file of objects with a `text`.

    Raises:
        TrainingError: It cannot be read, or holds something else.
    """
    expected = f'Expected lines like {{"text": "..."}} in {path}'
    try:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        texts = [json.loads(line)["text"] for line in lines]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{expected}: {type(error).__name__}: {error}.") from error
    if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
        raise TrainingError(f"{expected}, none of them empty.")
    return texts


def write_anchor_texts(path: Path, texts: Iterable[str]) -> None:
    """Write texts as `read_anchor_texts` reads them.

    Raises:
        StorageError: The file cannot be written.
    """
    lines = [json.dumps({"text": text}, ensure_ascii=False) for text in texts]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"Cannot write {path}: {error}. Free disk space.") from error


def require_apart(anchors: Iterable[str], measured: Iterable[str], where: str) -> None:
    """Refuse anchor texts that share a passage with texts on which retention is measured.

    Args:
        anchors: Texts that a mitigation holds on to.
        measured: General texts of the evaluation.
        where: Where the anchors come from, for the message.

    Raises:
        TrainingError: Two of them are equal, or share 13 words in a row.
    """
    held = _fingerprints(measured)
    for number, text in enumerate(anchors, start=1):
        shared = np.intersect1d(_fingerprints([text]), held).size
        if shared:
            raise TrainingError(
                f"Anchor text {number} of {where} shares {shared} passages of {WORDS} words with "
                f"the evaluation's general text ({text[:60]!r}): retention would be measured on "
                "what was trained for. Name other texts under training.anchors.file or "
                "evaluation.general_folder."
            )


def _fingerprints(texts: Iterable[str]) -> Hashes:
    """Return the hashes of all runs of words; of a shorter text, of all its words."""
    sizes = ((text, len(normalise(text).split())) for text in texts)
    found = [word_ngrams(text, min(WORDS, words)) for text, words in sizes if words]
    return union(found)
