"""Exact and near-duplicates: each is dropped in favour of the best row it repeats.

Rows are judged from the best to the worst: highest grounding, then longest answer, then
smallest identifier. A row is dropped if it repeats a row already kept. So a dropped row
is truly similar to the row it names, no two kept rows repeat each other, and the order
of the input plays no part. (Dropping whole clusters of transitive similarity would also
drop rows that resemble nothing that is kept.)

Two rows are no near-duplicates when their numbers, names or negations differ (12 hinges, 16
hinges: two facts that look alike), and no duplicates at all when only one of them comes with
its passage (two different tasks). They then share a group instead.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from tasks.curation.config import CurationConfig
from tasks.curation.pairs import similar_pairs
from tasks.text.facts import facts
from tasks.text.normalise import normalise
from tasks.text.rows import passages, questions_and_answers, shingle_features


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
    texts, order = questions_and_answers(examples), _best_first(examples)
    given = [passage != "" for passage in passages(examples)]
    exact = _exact(list(zip(map(normalise, texts), given, strict=True)), order)
    distinct = [i for i in order if i not in exact]
    near = _near(distinct, texts, list(zip(map(facts, texts), given, strict=True)), config)
    repeats = {i: near.get(k, Duplicate("exact_duplicate", k, 1.0)) for i, k in exact.items()}
    return near | repeats


def _best_first(examples: pa.Table) -> list[int]:
    rows = examples.select(["grounding", "answer", "example_id"]).to_pylist()
    keys = [(-(row["grounding"] or 0.0), -len(row["answer"]), row["example_id"]) for row in rows]
    return sorted(range(len(rows)), key=keys.__getitem__)


def _exact(keys: Sequence[Hashable], order: Sequence[int]) -> dict[int, int]:
    """Return the better row of the same key for every row that has one."""
    best: dict[Hashable, int] = {}
    return {i: kept for i in order if (kept := best.setdefault(keys[i], i)) != i}


def _near(
    distinct: Sequence[int],
    texts: Sequence[str],
    keys: Sequence[Hashable],
    config: CurationConfig,
) -> dict[int, Duplicate]:
    """Drop every row that comes close to a kept row of the same key, from the best on."""
    features = shingle_features([texts[i] for i in distinct], config.similarity)
    pairs = similar_pairs(features, config.duplicate_threshold, config.num_perm, config.seed)
    better: Mapping[int, list[tuple[float, int]]] = defaultdict(list)
    for left, right, similarity in pairs:
        if keys[distinct[left]] == keys[distinct[right]]:
            better[distinct[right]].append((similarity, distinct[left]))
    dropped: dict[int, Duplicate] = {}
    for row in distinct:
        kept = [(-similarity, i) for similarity, i in better[row] if i not in dropped]
        if kept:
            similarity, closest = min(kept)
            dropped[row] = Duplicate("near_duplicate", closest, -similarity)
    return dropped
