"""Renders a check for leaks: every hit side by side, with the shared words marked."""

import re
from dataclasses import dataclass
from pathlib import Path

from data_contracts.errors import StorageError
from data_contracts.leakage import LeakageCheck, LeakageHit
from tasks.report.render import environment
from tasks.text.normalise import normalise

_WORD = re.compile(r"[^\W_]+")
# Words in a run that counts as shared: single ones, every two texts have in common.
_RUN = 3
# Of each text so much is shown; of the hits so many.
_SHOWN_CHARACTERS = 4_000
_SHOWN_HITS = 500

Piece = tuple[bool, str]  # whether it is shared, and the text


@dataclass(frozen=True)
class ShownHit:
    """A pair of records, all detectors that hit it, and both texts in pieces."""

    hit: LeakageHit
    detectors: dict[str, float]
    test: list[Piece]
    train: list[Piece]


def leakage_html(check: LeakageCheck) -> str:
    """Return the check as one HTML document without scripts; all text is escaped."""
    hits = _shown(check.hits)
    return (
        environment()
        .get_template("leakage.html.j2")
        .render(c=check, hits=hits[:_SHOWN_HITS], left_out=len(hits[_SHOWN_HITS:]))
    )


def write_leakage_html(check: LeakageCheck, path: Path) -> None:
    """Write the check as HTML.

    Raises:
        StorageError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(leakage_html(check), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"Cannot write the report {path}: {error}.") from error


def _shown(hits: list[LeakageHit]) -> list[ShownHit]:
    pairs: dict[tuple[str, str], list[LeakageHit]] = {}
    for hit in hits:
        pairs.setdefault((hit.test_record, hit.train_record), []).append(hit)
    return [
        ShownHit(
            found[0],
            {hit.detector: hit.measure for hit in found},
            *mark_shared(found[0].test_text, found[0].train_text),
        )
        for found in pairs.values()
    ]


def mark_shared(left: str, right: str) -> tuple[list[Piece], list[Piece]]:
    """Cut two texts into pieces that are shared and pieces that are not.

    Shared is a run of three words that the other text also has, wherever it stands; of
    shorter texts, as many words as they have.
    """
    shown = [text[:_SHOWN_CHARACTERS] for text in (left, right)]
    words = [[normalise(found[0]) for found in _WORD.finditer(text)] for text in shown]
    length = max(1, min(_RUN, *map(len, words)))
    runs = [{tuple(w[i : i + length]) for i in range(len(w) - length + 1)} for w in words]
    both = runs[0] & runs[1]
    first, second = (_pieces(t, w, both, length) for t, w in zip(shown, words, strict=True))
    return first, second


def _pieces(text: str, words: list[str], both: set[tuple[str, ...]], length: int) -> list[Piece]:
    shared = [False] * len(words)
    for start in range(len(words) - length + 1):
        if tuple(words[start : start + length]) in both:
            shared[start : start + length] = [True] * length
    pieces: list[Piece] = []
    at = 0
    before = False
    for found, is_shared in zip(_WORD.finditer(text), shared, strict=True):
        pieces.append((before and is_shared, text[at : found.start()]))
        pieces.append((is_shared, found[0]))
        at, before = found.end(), is_shared
    return _joined([*pieces, (False, text[at:])])


def _joined(pieces: list[Piece]) -> list[Piece]:
    joined: list[Piece] = []
    for marked, text in pieces:
        if joined and joined[-1][0] == marked:
            joined[-1] = (marked, joined[-1][1] + text)
        elif text:
            joined.append((marked, text))
    return joined
