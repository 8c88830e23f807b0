"""Which rows of a document are kept when it gives more than wanted."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from data_contracts.base import digest


def take_turns(
    rows: Sequence[dict[str, Any]], order: Sequence[str], limit: int, seed: int
) -> set[str]:
    """Return the identifiers of the rows to keep: generators take turns, chance decides within.

    Args:
        rows: Rows with `example_id` and `generator`.
        order: Names of the generators, in the order of their turns.
        limit: How many to keep.
        seed: Changes the choice.
    """
    queues: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        queues[row["generator"]].append(row["example_id"])
    for queue in queues.values():
        queue.sort(key=lambda example_id: digest([seed, example_id]), reverse=True)
    kept: set[str] = set()
    while len(kept) < limit and any(queues.values()):
        for name in order:
            if queues[name] and len(kept) < limit:
                kept.add(queues[name].pop())
    return kept
