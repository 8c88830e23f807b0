"""Parts of the test rows that are reported beside all of them."""

from collections.abc import Mapping

import pyarrow as pa

from data_contracts.results import LeakageCertificate
from tasks.text.recall import CONTROL, RECALL, row_flags
from tasks.text.rows import strings

Parts = Mapping[str, frozenset[str]]

# Names of the sets in a comparison.
APART, BEHAVIOUR = "test_apart", "test_behaviour"
RECALLED, UNSEEN = "test_recall", "test_control"


def parts_of_test(examples: pa.Table, certificate: LeakageCertificate) -> Parts:
    """Return the `example_id`s of each part, by the name of its set.

    Recall questions ask for trained facts and control questions for facts of unseen
    documents: one figure over both would say nothing, so that each has its own, and behaviour
    rows a third where there are any of these. Rows apart are those that the audit found no near
    training row for: a score that holds on them too does not come from memory.

    Args:
        examples: The rows that were evaluated, in the EXAMPLE schema.
        certificate: Their audit.
    """
    found: dict[str, set[str]] = {BEHAVIOUR: set(), RECALLED: set(), UNSEEN: set()}
    names, splits = strings(examples, "example_id"), examples.column("split").to_pylist()
    for name, split, flags in zip(names, splits, row_flags(examples), strict=True):
        if split == "test":
            found[_part(flags)].add(name)
    if not found[RECALLED] and not found[UNSEEN]:
        found = {}  # behaviour rows are then all rows
    if certificate.apart is not None:
        found[APART] = set(certificate.apart.example_ids)
    return {name: frozenset(ids) for name, ids in found.items() if ids}


def _part(flags: list[str]) -> str:
    if RECALL in flags:
        return RECALLED
    return UNSEEN if CONTROL in flags else BEHAVIOUR
