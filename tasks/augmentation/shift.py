"""How far augmentation moves the training rows: lengths, words, kinds, languages."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from data_contracts.base import Result
from tasks.augmentation.config import ShiftConfig
from tasks.text.shingle_batch import normal_words

Row = Mapping[str, Any]

_PARTS = ("question", "answer")


class Shift(Result):
    """One measure of the training rows, before augmentation and after.

    Attributes:
        measure: What is measured.
        before: Of the rows that came in.
        after: Of all training rows.
        divergence: Jensen-Shannon divergence of the two distributions in bits, 0 to 1, where
            the measure is one of a distribution.
        warning: What a person should know about the change; empty if it is harmless.
    """

    measure: str
    before: float
    after: float
    divergence: float | None = None
    warning: str = ""


def measure_shift(before: Sequence[Row], new: Sequence[Row], config: ShiftConfig) -> list[Shift]:
    """Compare training rows before and after augmentation.

    Args:
        before: Rows with question, answer, kind and language.
        new: The rows that are added.
        config: From when on a change is warned of.
    """
    if not before:
        return []
    old = _counted(before)
    now = old.joined(_counted(new))
    return [
        *_lengths(old, now, config),
        _vocabulary(old.words, now.words, config),
        _openings(old.openings, now.openings, config),
        _variety("kind", old.kinds, now.kinds, config),
        _variety("language", old.languages, now.languages, config),
    ]


@dataclass(frozen=True)
class _Counts:
    """What is counted of rows; of two lots of rows together it is the sum."""

    rows: int
    lengths: Counter[str]
    words: Counter[bytes]
    openings: Counter[bytes]
    kinds: Counter[str]
    languages: Counter[str]

    def joined(self, other: "_Counts") -> "_Counts":
        """Return the counts of both lots of rows."""
        return _Counts(
            self.rows + other.rows,
            self.lengths + other.lengths,
            self.words + other.words,
            self.openings + other.openings,
            self.kinds + other.kinds,
            self.languages + other.languages,
        )


def _counted(rows: Sequence[Row]) -> _Counts:
    questions = [normal_words(str(row["question"])) for row in rows]
    answers = (normal_words(str(row["answer"])) for row in rows)
    lengths = {part: sum(len(str(row[part]).split()) for row in rows) for part in _PARTS}
    return _Counts(
        rows=len(rows),
        lengths=Counter(lengths),
        words=Counter(chain.from_iterable(chain(questions, answers))),
        openings=Counter(b" ".join(words[:2]) for words in questions),
        kinds=Counter(str(row["kind"]) for row in rows),
        languages=Counter(str(row["language"]) for row in rows),
    )


def _lengths(before: _Counts, after: _Counts, config: ShiftConfig) -> Iterator[Shift]:
    for part in _PARTS:
        old, new = (counts.lengths[part] / counts.rows for counts in (before, after))
        change = new / old - 1 if old else 0.0
        warning = (
            f"Augmentation made the mean {part} {abs(change):.0%} "
            f"{'longer' if change > 0 else 'shorter'} ({old:.1f} to {new:.1f} words)."
        )
        far = abs(change) > config.most_length
        yield Shift(measure=f"{part}_words", before=old, after=new, warning=warning if far else "")


def _vocabulary(old: Counter[bytes], new: Counter[bytes], config: ShiftConfig) -> Shift:
    """Compare distinct words at equal size: more text always holds more of them."""
    size, moved = min(old.total(), new.total()), divergence(old, new)
    had, has = expected_types(old, size), expected_types(new, size)
    warning = _drift("words", moved, config)
    if has < config.least_vocabulary * had:
        warning = (
            f"Augmentation narrows the words: {size} words hold {has:.0f} distinct ones now, "
            f"{had:.0f} before. Lower augmentation.share."
        )
    return Shift(
        measure="distinct_words",
        before=had,
        after=has,
        divergence=moved,
        warning=warning,
    )


def _openings(old: Counter[bytes], new: Counter[bytes], config: ShiftConfig) -> Shift:
    had, has = perplexity(old), perplexity(new)
    warning = (
        f"Augmentation makes questions begin alike: {has:.1f} ways to begin now, {had:.1f} before "
        "(perplexity of the first two words)."
    )
    narrower = has < config.least_openings * had
    return Shift(
        measure="question_openings",
        before=had,
        after=has,
        divergence=divergence(old, new),
        warning=warning if narrower else "",
    )


def _variety(column: str, old: Counter[str], new: Counter[str], config: ShiftConfig) -> Shift:
    moved = divergence(old, new)
    return Shift(
        measure=f"{column}s",
        before=perplexity(old),
        after=perplexity(new),
        divergence=moved,
        warning=_drift(f"{column}s", moved, config),
    )


def _drift(what: str, moved: float, config: ShiftConfig) -> str:
    if moved <= config.most_divergence:
        return ""
    return (
        f"Augmentation moves the {what} of the training rows by {moved:.2f} (Jensen-Shannon), "
        f"more than {config.most_divergence:.2f}."
    )


def divergence(left: Mapping[Any, int], right: Mapping[Any, int]) -> float:
    """Return the Jensen-Shannon divergence of two distributions in bits: 0 equal, 1 disjoint.

    Lin 1991, "Divergence measures based on the Shannon entropy", IEEE Trans. Inf. Theory 37.

    Args:
        left: How often each value occurs.
        right: The same of the other.
    """
    one, other = sum(left.values()), sum(right.values())
    if not one or not other:
        return 0.0
    total = 0.0
    for value in sorted(left.keys() | right.keys()):
        p, q = left.get(value, 0) / one, right.get(value, 0) / other
        middle = (p + q) / 2
        gained = p * math.log2(p / middle) if p else 0.0
        lost = q * math.log2(q / middle) if q else 0.0
        total += (gained + lost) / 2
    return min(max(total, 0.0), 1.0)


def perplexity(counts: Mapping[Any, int]) -> float:
    """Return how many equally frequent values would be as varied as these."""
    total = sum(counts.values())
    shares = (count / total for count in sorted(counts.values()))
    return 2 ** -sum(share * math.log2(share) for share in shares) if total else 0.0


def expected_types(counts: Mapping[Any, int], size: int) -> float:
    """Return the distinct words to expect among `size` words drawn from a text.

    Rarefaction: Hurlbert 1971, "The nonconcept of species diversity", Ecology 52, eq. 14.

    Args:
        counts: How often each word occurs.
        size: Words drawn, without putting back; not more than there are.
    """
    total = sum(counts.values())
    missed = sum(
        often * math.exp(_choices(total - count, size) - _choices(total, size))
        for count, often in sorted(Counter(counts.values()).items())
        if total - count >= size
    )
    return len(counts) - missed


def _choices(total: int, drawn: int) -> float:
    """Return the logarithm of the binomial coefficient."""
    return math.lgamma(total + 1) - math.lgamma(drawn + 1) - math.lgamma(total - drawn + 1)
