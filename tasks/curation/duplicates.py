"""Exact, near, substring and semantic duplicates: dropped in favour of the best row repeated.

Rows are judged from the best to the worst: highest grounding, then longest answer, then
smallest identifier. A row is dropped if it repeats a row already kept. So a dropped row
is truly similar to the row it names, no two kept rows repeat each other, and the order
of the input plays no part. (Dropping whole clusters of transitive similarity would also
drop rows that resemble nothing that is kept.)

Two rows are no near-duplicates when their numbers, names or negations differ (12 hinges, 16
hinges: two facts that look alike), and no duplicates at all when only one of them comes with
its passage (two different tasks). They then share a group instead. Substring and semantic
duplicates are looked for only where a threshold is set (`tasks.curation.semantic`).
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import pyarrow as pa

from tasks.curation.config import CurationConfig
from tasks.curation.pairs import Pair, similar_pairs
from tasks.curation.semantic import semantic_pairs
from tasks.curation.sharing import contained_pairs
from tasks.text.facts import facts
from tasks.text.rows import (
    RowTexts,
    normal_features,
    shingle_features,
    window_features,
)
from tasks.text.shingles import among


@dataclass(frozen=True)
class Duplicate:
    """Why a row is dropped: the position of the kept row that it repeats, and how closely."""

    reason: str
    kept: int
    similarity: float


def find_duplicates(examples: pa.Table, config: CurationConfig) -> dict[int, Duplicate]:
    """Return the rows to drop, by position.

    Args:
        examples: Rows to judge.
        config: Threshold and shingles.
    """
    rows, order = RowTexts(examples), _best_first(examples)
    texts, given = rows.said, [passage != "" for passage in rows.passages]
    said_alike = normal_features(texts).hashes.tolist()
    exact = _exact(list(zip(said_alike, given, strict=True)), order)
    distinct = [i for i in order if i not in exact]
    near = {"near_duplicate": _near(texts, distinct, config)}
    pairs = near | held_or_meant(texts, rows.answers, distinct, config)
    worse = worse_than_kept(distinct, pairs, given)
    repeats = {i: worse.get(k, Duplicate("exact_duplicate", k, 1.0)) for i, k in exact.items()}
    return worse | repeats


def _best_first(examples: pa.Table) -> list[int]:
    rows = examples.select(["grounding", "answer", "example_id"]).to_pylist()
    keys = [(-(row["grounding"] or 0.0), -len(row["answer"]), row["example_id"]) for row in rows]
    return sorted(range(len(rows)), key=keys.__getitem__)


def _exact(keys: Sequence[Hashable], order: Sequence[int]) -> dict[int, int]:
    """Return the better row of the same key for every row that has one."""
    best: dict[Hashable, int] = {}
    return {i: kept for i in order if (kept := best.setdefault(keys[i], i)) != i}


def _near(texts: Sequence[str], distinct: Sequence[int], config: CurationConfig) -> list[Pair]:
    """Return the pairs of places in `distinct` that look alike and hold the same facts."""
    # in the order of the rows, in which their features are remembered
    ordered, place = sorted(distinct), {row: place for place, row in enumerate(distinct)}
    features = shingle_features([texts[row] for row in ordered], config.similarity)
    threshold = config.duplicate_threshold
    pairs = similar_pairs(features, threshold, config.num_perm, config.seed, "duplicate")
    told, found = cache(facts), list[Pair]()
    for left, right, similarity in pairs:
        one, other = ordered[left], ordered[right]
        if told(texts[one]) == told(texts[other]):
            better, worse = sorted((place[one], place[other]))
            found.append(Pair(better, worse, similarity))
    return found


def held_or_meant(
    texts: Sequence[str], answers: Sequence[str], distinct: Sequence[int], config: CurationConfig
) -> dict[str, list[Pair]]:
    """Return the pairs of which the better row holds the worse one, or says the same.

    Args:
        texts: All that each row says.
        answers: What it states: the answer of a question.
        distinct: Positions of the rows to compare, best first; pairs are of places in it.
        config: The thresholds; without one nothing is looked for.
    """
    return {
        "substring_duplicate": _substring(texts, distinct, config),
        "semantic_duplicate": _semantic(texts, answers, distinct, config),
    }


def _substring(texts: Sequence[str], distinct: Sequence[int], config: CurationConfig) -> list[Pair]:
    """Return the pairs of places of which the better row holds enough of the worse one's text."""
    if config.substring_threshold is None:
        return []
    ordered, place = sorted(distinct), {row: place for place, row in enumerate(distinct)}
    length = config.similarity.substring_characters
    windows = window_features([texts[row] for row in ordered], length)
    told, found = cache(facts), list[Pair]()
    for inner, outer in contained_pairs(windows, windows, config.substring_threshold).tolist():
        worse, better = ordered[inner], ordered[outer]
        if place[better] < place[worse] and told(texts[worse]) <= told(texts[better]):
            held = float(among(windows[inner], windows[outer]).mean())
            found.append(Pair(place[better], place[worse], held))
    return found


def _semantic(
    texts: Sequence[str], answers: Sequence[str], distinct: Sequence[int], config: CurationConfig
) -> list[Pair]:
    """Return the pairs that mean the same, where a threshold is set."""
    if config.semantic_threshold is None:
        return []
    from tasks.modeling.encoder import encode

    said, answered = [texts[i] for i in distinct], [answers[i] for i in distinct]
    return semantic_pairs(said, answered, encode(said), config.semantic_threshold)


def worse_than_kept(
    distinct: Sequence[int], found: Mapping[str, Sequence[Pair]], given: Sequence[bool]
) -> dict[int, Duplicate]:
    """Drop every row that repeats a kept row, from the best on, for the first reason that holds.

    Args:
        distinct: Positions of the rows, best first.
        found: Reason to pairs of places in `distinct`.
        given: Whether a row comes with its passage.
    """
    better: Mapping[int, list[tuple[int, float, int, str]]] = defaultdict(list)
    for rank, (reason, pairs) in enumerate(found.items()):
        for left, right, similarity in pairs:
            kept, row = distinct[left], distinct[right]
            if given[kept] == given[row]:
                better[row].append((rank, -similarity, kept, reason))
    dropped: dict[int, Duplicate] = {}
    for row in distinct:
        repeated = [best for best in better[row] if best[2] not in dropped]
        if repeated:
            _, similarity, kept, reason = min(repeated)
            dropped[row] = Duplicate(reason, kept, -similarity)
    return dropped
