"""Which documents and questions lie where: what a split must keep of earlier ones."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from data_contracts.base import digest
from tasks.splitting.groups import Groups
from tasks.text.recall import RECALL
from tasks.text.rows import strings

# From the loosest to the strictest: a row may move to the right only.
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Assignment:
    """The sides of documents, and what is held out beside them.

    Attributes:
        documents: document_id to train, validation or test.
        recall: example_id of the held-out questions on trained documents.
    """

    documents: Mapping[str, str] = field(default_factory=dict)
    recall: frozenset[str] = frozenset()

    def within(self, examples: pa.Table) -> "Assignment":
        """Return what concerns the documents and rows of a table."""
        documents = set(strings(examples, "document_id"))
        return Assignment(
            {name: side for name, side in self.documents.items() if name in documents},
            self.recall & set(strings(examples, "example_id")),
        )

    def joined(self, later: "Assignment") -> "Assignment":
        """Return both together; where they differ the stricter side counts."""
        documents = dict(self.documents)
        for name, side in later.documents.items():
            documents[name] = strictest([side, documents.get(name, side)])
        return Assignment(documents, self.recall | later.recall)

    def digest(self) -> str:
        """Return a hash of the contents."""
        return digest([dict(self.documents), sorted(self.recall)], length=32)


def assignment_of(examples: pa.Table) -> Assignment:
    """Return the assignment that a split table shows."""
    documents: dict[str, str] = {}
    recall: set[str] = set()
    columns = ["example_id", "document_id", "split", "flags"]
    for row in examples.select(columns).to_pylist():
        if RECALL in row["flags"]:
            recall.add(row["example_id"])
        else:
            documents[row["document_id"]] = row["split"]
    return Assignment(documents, frozenset(recall))


def strictest(sides: Iterable[str]) -> str:
    """Return test if it is among the sides, else validation if it is, else train."""
    return max(sides, key=SPLITS.index)


def settled_groups(groups: Groups, previous: Assignment) -> dict[str, str]:
    """Return the side of every group with a document that had one: the strictest of them."""
    known = {name: _sides(group.documents, previous) for name, group in groups.items()}
    return {name: strictest(sides.values()) for name, sides in known.items() if sides}


def joined_groups(
    groups: Groups, sides: Mapping[str, str], previous: Assignment
) -> list[dict[str, Any]]:
    """Describe the groups that hold documents of different earlier sides."""
    found = []
    for name, side in sides.items():
        before = _sides(groups[name].documents, previous)
        if len(set(before.values())) > 1:
            moved = {document: old for document, old in before.items() if old != side}
            rows = sum(groups[name].documents[document] for document in moved)
            found.append({"group_id": name, "split": side, "moved": moved, "rows": rows})
    return found


def _sides(documents: Iterable[str], previous: Assignment) -> dict[str, str]:
    known = previous.documents
    return {document: known[document] for document in sorted(documents) if document in known}
