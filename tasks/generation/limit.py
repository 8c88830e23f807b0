"""Which rows are kept where there are more than wanted: of a document, and of all."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Any

from data_contracts.base import digest

# The commoner answer of yes/no questions may outnumber the rarer one by this factor.
_YES_NO_RATIO = 1.5


@dataclass(frozen=True)
class Surplus:
    """Why a row is one too many."""

    reason: str
    detail: str


def take_turns(
    rows: Sequence[Mapping[str, Any]], order: Sequence[str], limit: int, seed: int
) -> set[str]:
    """Return the identifiers of the rows to keep: generators take turns, chance decides within.

    Args:
        rows: Rows with `example_id` and `generator`.
        order: Names of the generators, in the order of their turns.
        limit: How many to keep.
        seed: Changes the choice.
    """
    return _turns(rows, "generator", order, limit, seed)


def _turns(
    rows: Sequence[Mapping[str, Any]], by: str, order: Sequence[str], limit: int, seed: int
) -> set[str]:
    queues: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        queues[row[by]].append(row["example_id"])
    for queue in queues.values():
        queue.sort(key=lambda example_id: digest([seed, example_id]), reverse=True)
    kept: set[str] = set()
    while len(kept) < limit and any(queues.values()):
        for name in order:
            if queues[name] and len(kept) < limit:
                kept.add(queues[name].pop())
    return kept


def surplus_rows(
    rows: Sequence[Mapping[str, Any]],
    wanted: Mapping[str, int],
    refusing: frozenset[str],
    max_refusal_share: float,
    seed: int,
) -> dict[str, Surplus]:
    """Return the rows of the whole dataset that are too many, by `example_id`.

    Args:
        rows: Rows with `example_id`, `document_id`, `generator`, `kind` and `answer`.
        wanted: Rows wanted of a generator; where one gives more, documents take turns.
        refusing: Generators whose rows say that the passage gives no answer.
        max_refusal_share: Highest share of such rows among all.
        seed: Changes the choice.
    """
    surplus = dict(_unbalanced(rows, seed))
    for name, number in wanted.items():
        own = [r for r in rows if r["generator"] == name and r["example_id"] not in surplus]
        detail = f"The dataset already holds the {number} rows wanted of {name}."
        surplus |= _all_but(own, number, seed, Surplus("over_target", detail))
    left = [row for row in rows if row["example_id"] not in surplus]
    refusals = [row for row in left if row["generator"] in refusing]
    allowed = _allowed(len(left) - len(refusals), max_refusal_share)
    detail = f"More than {max_refusal_share:.0%} of the rows would be refusals."
    return surplus | _all_but(refusals, allowed, seed, Surplus("over_share", detail))


def _allowed(others: int, share: float) -> int:
    """Return how many refusals may join other rows without passing a share of the whole."""
    # the small constant outweighs the rounding of 0.1 / 0.9 * 9, which must give 1
    return floor(share / (1 - share) * others + 1e-9) if share < 1 else others * 10**6 + 10**6


def _unbalanced(rows: Sequence[Mapping[str, Any]], seed: int) -> Iterator[tuple[str, Surplus]]:
    """Yield the yes/no rows that make one answer much commoner than the other."""
    own = [row for row in rows if row["kind"] == "yes_no"]
    answers: dict[str, list[Mapping[str, Any]]] = {"yes": [], "no": []}
    for row in own:
        answers["yes" if row["answer"].lower().startswith("yes") else "no"].append(row)
    few, many = sorted(answers.values(), key=len)
    detail = f"One answer would be commoner than the other: {len(many)} against {len(few)}."
    allowed = max(1, floor(_YES_NO_RATIO * len(few)))
    yield from _all_but(many, allowed, seed, Surplus("over_share", detail)).items()


def _all_but(
    rows: Sequence[Mapping[str, Any]], number: int, seed: int, why: Surplus
) -> dict[str, Surplus]:
    """Return all rows but so many, taken from the documents in turn."""
    documents = sorted({row["document_id"] for row in rows}, key=lambda name: digest([seed, name]))
    kept = _turns(rows, "document_id", documents, number, seed)
    return {row["example_id"]: why for row in rows if row["example_id"] not in kept}
