"""How far augmentation moves the training rows: lengths, words, kinds, languages."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from data_contracts.base import Result
from tasks.augmentation.config import ShiftConfig
from tasks.text.normalise import normalise

Row = Mapping[str, Any]


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


def measure_shift(before: Sequence[Row], after: Sequence[Row], config: ShiftConfig) -> list[Shift]:
    """Compare training rows before and after augmentation.

    Args:
        before: Rows with question, answer, kind and language.
        after: The same with the new ones among them.
        config: From when on a change is warned of.
    """
    if not before:
        return []
    return [
        *_lengths(before, after, config),
        _vocabulary(before, after, config),
        _openings(before, after, config),
        _variety("kind", before, after, config),
        _variety("language", before, after, config),
    ]


def _lengths(before: Sequence[Row], after: Sequence[Row], config: ShiftConfig) -> Iterator[Shift]:
    for part in ("question", "answer"):
        old, new = _mean_words(before, part), _mean_words(after, part)
        change = new / old - 1 if old else 0.0
        warning = (
            f"Augmentation made the mean {part} {abs(change):.0%} "
            f"{'longer' if change > 0 else 'shorter'} ({old:.1f} to {new:.1f} words)."
        )
        far = abs(change) > config.most_length
        yield Shift(measure=f"{part}_words", before=old, after=new, warning=warning if far else "")


def _mean_words(rows: Sequence[Row], part: str) -> float:
    return sum(len(str(row[part]).split()) for row in rows) / len(rows)


def _vocabulary(before: Sequence[Row], after: Sequence[Row], config: ShiftConfig) -> Shift:
    """Compare distinct words at equal size: more text always holds more of them."""
    old, new = _words(before), _words(after)
    size = min(old.total(), new.total())
    had, has = expected_types(old, size), expected_types(new, size)
    warning = _drift("words", divergence(old, new), config)
    if has < config.least_vocabulary * had:
        warning = (
            f"Augmentation narrows the words: {size} words hold {has:.0f} distinct ones now, "
            f"{had:.0f} before. Lower augmentation.share."
        )
    return Shift(
        measure="distinct_words",
        before=had,
        after=has,
        divergence=divergence(old, new),
        warning=warning,
    )


def _openings(before: Sequence[Row], after: Sequence[Row], config: ShiftConfig) -> Shift:
    old, new = (Counter(map(_opening, rows)) for rows in (before, after))
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


def _variety(
    column: str, before: Sequence[Row], after: Sequence[Row], config: ShiftConfig
) -> Shift:
    old, new = (Counter(str(row[column]) for row in rows) for rows in (before, after))
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


def _words(rows: Iterable[Row]) -> Counter[str]:
    return Counter(
        w for row in rows for w in normalise(f"{row['question']} {row['answer']}").split()
    )


def _opening(row: Row) -> str:
    return " ".join(normalise(str(row["question"])).split()[:2])


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
    for value in sorted(left.keys() | right.keys(), key=str):
        p, q = left.get(value, 0) / one, right.get(value, 0) / other
        middle = (p + q) / 2
        total += sum(share * math.log2(share / middle) for share in (p, q) if share) / 2
    return min(max(total, 0.0), 1.0)


def perplexity(counts: Mapping[str, int]) -> float:
    """Return how many equally frequent values would be as varied as these."""
    total = sum(counts.values())
    shares = (count / total for count in sorted(counts.values()))
    return 2 ** -sum(share * math.log2(share) for share in shares) if total else 0.0


def expected_types(counts: Mapping[str, int], size: int) -> float:
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
