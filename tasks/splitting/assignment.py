"""Which documents and questions lie where: what a split must keep of earlier ones.

Documents are known by their identifiers, and held-out rows also by what they say: a document
that is renamed, or whose text turns up in another one, is the same to the model that learns it.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.base import digest
from tasks.splitting.groups import Group, Groups
from tasks.text.recall import RECALL
from tasks.text.rows import RowTexts, strings
from tasks.text.shingles import text_hash

# From the loosest to the strictest: a row may move to the right only.
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Assignment:
    """The sides of documents, and what is held out beside them.

    Attributes:
        documents: document_id to train, validation or test.
        recall: The held-out questions on trained documents: their example_id, and their texts'
            names (`text_names`).
        texts: Name of what a held-out row says to validation or test; recall questions apart.
    """

    documents: Mapping[str, str] = field(default_factory=dict)
    recall: frozenset[str] = frozenset()
    texts: Mapping[str, str] = field(default_factory=dict)

    def within(self, examples: pa.Table) -> "Assignment":
        """Return what concerns the documents and rows of a table."""
        documents = set(strings(examples, "document_id"))
        texts = set(text_names(examples)) if self.texts or self.recall else set()
        return Assignment(
            {name: side for name, side in self.documents.items() if name in documents},
            self.recall & (texts | set(strings(examples, "example_id"))),
            {name: side for name, side in self.texts.items() if name in texts},
        )

    def told_by_texts(self, examples: pa.Table) -> dict[str, str]:
        """Return the strictest side that a row of a document had by its text, in any document."""
        if not self.texts:
            return {}
        told: dict[str, str] = {}
        for document, name in zip(
            strings(examples, "document_id"), text_names(examples), strict=True
        ):
            side = self.texts.get(name)
            if side is not None:
                told[document] = strictest([side, told.get(document, side)])
        return told

    def joined(self, later: "Assignment") -> "Assignment":
        """Return both together; where they differ the stricter side counts."""
        return Assignment(
            _strictest_of(self.documents, later.documents),
            self.recall | later.recall,
            _strictest_of(self.texts, later.texts),
        )

    def without(self, names: AbstractSet[str]) -> "Assignment":
        """Return the assignment without what is known of some texts, by their names."""
        texts = {name: side for name, side in self.texts.items() if name not in names}
        return Assignment(self.documents, self.recall - names, texts)

    def digest(self) -> str:
        """Return a hash of the contents; without texts that of ledgers that kept none."""
        texts = [dict(self.texts)] if self.texts else []
        return digest([dict(self.documents), sorted(self.recall), *texts], length=32)


def _strictest_of(before: Mapping[str, str], later: Mapping[str, str]) -> dict[str, str]:
    sides = dict(before)
    for name, side in later.items():
        sides[name] = strictest([side, sides.get(name, side)])
    return sides


def assignment_of(examples: pa.Table) -> Assignment:
    """Return the assignment that a split table shows."""
    documents: dict[str, str] = {}
    recall: set[str] = set()
    texts: dict[str, str] = {}
    columns = ["example_id", "document_id", "split", "flags"]
    rows = examples.select(columns).to_pylist()
    for row, text in zip(rows, text_names(examples), strict=True):
        if RECALL in row["flags"]:
            recall |= {row["example_id"], text}
            continue
        documents[row["document_id"]] = row["split"]
        if row["split"] != "train":
            texts[text] = strictest([row["split"], texts.get(text, row["split"])])
    return Assignment(documents, frozenset(recall), texts)


def text_names(examples: pa.Table) -> list[str]:
    """Return a name of each row's question, with its earlier turns, and answer as they stand."""
    return [f"{text_hash(text):016x}" for text in RowTexts(examples).said]


def strictest(sides: Iterable[str]) -> str:
    """Return test if it is among the sides, else validation if it is, else train."""
    return max(sides, key=SPLITS.index)


def settled_groups(groups: Groups, *known: Mapping[str, str]) -> dict[str, str]:
    """Return the side of every group with a document that had one: the strictest of them.

    Args:
        groups: All groups.
        known: Sides of documents: by their identifiers, and by what their rows say.
    """
    had = {name: _had(group, known) for name, group in groups.items()}
    return {name: strictest(sides) for name, sides in had.items() if sides}


def joined_groups(
    examples: pa.Table, groups: Groups, sides: Mapping[str, str], *known: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Describe the groups that hold documents or texts of different earlier sides.

    Args:
        examples: The rows.
        groups: All groups.
        sides: The side of each group.
        known: Earlier sides of documents, those by their identifiers first.
    """
    moved = {
        name: {
            document: known[0][document]
            for document in sorted(groups[name].documents)
            if known[0].get(document, side) != side
        }
        for name, side in sides.items()
        if len(_had(groups[name], known)) > 1
    }
    names = examples.select(["example_id", "group_id", "document_id"])
    concerned: Any = pc.is_in(names["group_id"], value_set=pa.array(list(moved), pa.string()))
    rows: dict[str, list[str]] = {name: [] for name in moved}
    for row in names.filter(concerned).to_pylist():
        if row["document_id"] in moved[row["group_id"]]:
            rows[row["group_id"]].append(row["example_id"])
    return [
        {"group_id": name, "split": sides[name], "moved": moved[name], "rows": rows[name]}
        for name in moved
    ]


def _had(group: Group, known: Sequence[Mapping[str, str]]) -> set[str]:
    """Return the earlier sides of a group's documents."""
    return {sides[name] for sides in known for name in group.documents if name in sides}
