"""The split: every group of related rows goes to one side, and held-out rows stay held out.

Each document has a number in [0, 1), hashed from the salt and its identifier; a group has
the smallest number among its documents; the lowest numbers are test, the next validation,
the rest train. So the side of a group depends on nothing but its own documents: other
documents may come, go or change. And where a new document joins groups of different
sides, the smallest number wins: a test row stays a test row, a validation row becomes at
most a test row, and a training row may be held out. No held-out row is ever trained on as
a corpus grows. (Naming the side after one anchor, such as the smallest identifier, would
not give this: a new document with a smaller one would draw the side anew.)

What it costs:

- A group of k documents is held out with probability 1 - train^k, not 1 - train. Any rule
  that looks at one group at a time and never releases a held-out row has this bias.
- The shares of a small corpus are lumpy, since documents are drawn and not dealt out.
  Dealing them out (filling the test set until it has its share) would be even, but one new
  document would move others. Instead the deviation is a figure, and `suggest_salt` names a
  salt under which this corpus comes out evenly; it looks at row counts only.
- A document that leaves may release the groups it had joined, and text that becomes template
  text links no more: curation may then divide a group, and its parts are drawn by themselves.
"""

import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from data_contracts.dataset import StageResult
from data_contracts.errors import TooFewRows
from data_contracts.schemas import EXAMPLE, dropped_schema
from tasks.splitting.config import SplittingConfig
from tasks.text.rows import strings

SPLITS = ("train", "validation", "test")

# Salts tried for a suggestion: about 1 s for 10,000 documents.
TRIALS = 64

# A deviation above this is worth telling, with a salt that does better.
NOTABLE_DEVIATION = 0.03

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Group:
    """The documents of a group and the number of its rows."""

    documents: frozenset[str]
    rows: int


Groups = Mapping[str, Group]


def split_examples(examples: pa.Table, config: SplittingConfig) -> StageResult:
    """Give every row its `split`; no row is dropped.

    Args:
        examples: Rows in the EXAMPLE schema with `group_id` set.
        config: Shares, salt, least rows.

    Raises:
        TooFewRows: There are fewer than three groups, or a split gets fewer rows than
            `config.min_rows`.
    """
    groups = collect_groups(examples)
    sides = assign(groups, config)
    _check(groups, sides, config)
    _tell_deviation(groups, sides, config)
    splits = [sides[group] for group in strings(examples, "group_id")]
    position = EXAMPLE.get_field_index("split")
    column = pa.array(splits, pa.string())
    return StageResult(
        kept=examples.set_column(position, EXAMPLE.field(position), column).cast(EXAMPLE),
        dropped=dropped_schema(EXAMPLE).empty_table(),
        rows_in=examples.num_rows,
        figures=_figures(groups, sides, config),
    )


def collect_groups(examples: pa.Table) -> dict[str, Group]:
    """Return the groups of a table by their name."""
    documents: dict[str, set[str]] = defaultdict(set)
    rows: Counter[str] = Counter()
    for row in examples.select(["group_id", "document_id"]).to_pylist():
        documents[row["group_id"]].add(row["document_id"])
        rows[row["group_id"]] += 1
    return {name: Group(frozenset(found), rows[name]) for name, found in documents.items()}


def assign(groups: Groups, config: SplittingConfig) -> dict[str, str]:
    """Return the side of every group; each depends on its own documents alone."""
    return {name: _side(group.documents, config) for name, group in groups.items()}


def deviation(groups: Groups, sides: Mapping[str, str], config: SplittingConfig) -> float:
    """Return the largest distance of a split's share of the rows from the share wanted."""
    rows = _rows(groups, sides)
    total = max(sum(rows.values()), 1)
    return max(abs(rows[name] / total - _share(config, name)) for name in SPLITS)


def expected_held_out(groups: Groups, config: SplittingConfig) -> float:
    """Return the share of rows held out on average over all salts, by the groups' sizes."""
    total = sum(group.rows for group in groups.values())
    held = sum(g.rows * (1 - config.train ** len(g.documents)) for g in groups.values())
    return held / max(total, 1)


def suggest_salt(groups: Groups, config: SplittingConfig) -> tuple[str, float]:
    """Return the salt, of `TRIALS` tried, whose shares deviate least, and the deviation."""
    trials = []
    for number in range(TRIALS):
        salted = config.model_copy(update={"salt": f"temper-{number}"})
        trials.append((deviation(groups, assign(groups, salted), salted), number, salted.salt))
    least, _, salt = min(trials)
    return salt, least


def _share(config: SplittingConfig, split: str) -> float:
    return {"train": config.train, "validation": config.validation, "test": config.test}[split]


def _side(documents: Iterable[str], config: SplittingConfig) -> str:
    number = min(_number(config.salt, document) for document in documents)
    if number < config.test:
        return "test"
    return "validation" if number < config.test + config.validation else "train"


def _number(salt: str, document: str) -> float:
    """Return a number in [0, 1) for a document: the first 52 bits of a SHA-256."""
    code = hashlib.sha256(f"{salt}\0{document}".encode()).hexdigest()[:13]
    return int(code, 16) / 16**13


def _rows(groups: Groups, sides: Mapping[str, str]) -> Counter[str]:
    rows: Counter[str] = Counter()
    for name, group in groups.items():
        rows[sides[name]] += group.rows
    return rows


def _check(groups: Groups, sides: Mapping[str, str], config: SplittingConfig) -> None:
    if len(groups) < len(SPLITS):
        raise TooFewRows(
            f"Cannot split {sum(g.rows for g in groups.values())} rows: they form "
            f"{len(groups)} groups of related rows, and train, validation and test need one "
            "each. Add documents that do not repeat each other, or raise the thresholds in "
            "curation.similarity if unrelated documents were joined."
        )
    rows = _rows(groups, sides)
    short = [name for name in SPLITS if rows[name] < config.min_rows]
    if short:
        counts = ", ".join(f"{name} {rows[name]}" for name in SPLITS)
        raise TooFewRows(
            f"Too few rows for {' and '.join(short)}: {counts}, of {len(groups)} groups; "
            f"expected at least {config.min_rows} each. Add documents, or set "
            f"{_advice(groups, config)}"
        )


def _advice(groups: Groups, config: SplittingConfig) -> str:
    salt, _ = suggest_salt(groups, config)
    salted = config.model_copy(update={"salt": salt})
    rows = _rows(groups, assign(groups, salted))
    least = min(rows[name] for name in SPLITS)
    if least >= config.min_rows:
        counts = ", ".join(f"{name} {rows[name]}" for name in SPLITS)
        return f"splitting.salt to {salt!r}, which gives {counts}."
    return (
        f"splitting.min_rows lower: the evenest of {TRIALS} salts tried, {salt!r}, leaves "
        f"{least} rows in the smallest split."
    )


def _tell_deviation(groups: Groups, sides: Mapping[str, str], config: SplittingConfig) -> None:
    found = deviation(groups, sides, config)
    if found <= NOTABLE_DEVIATION:
        return
    salt, least = suggest_salt(groups, config)
    logger.info(
        "The shares of train, validation and test are off by up to %.1f %% of the rows. By their "
        "sizes, groups of several documents bring the expected held-out share to %.1f %%. "
        "splitting.salt=%r would come within %.1f %%; lower splitting.validation and .test if "
        "that is not enough. Change them only before the first model is trained.",
        100 * found,
        100 * expected_held_out(groups, config),
        salt,
        100 * least,
    )


def _figures(groups: Groups, sides: Mapping[str, str], config: SplittingConfig) -> dict[str, float]:
    rows, members = _rows(groups, sides), Counter(sides.values())
    total = max(sum(rows.values()), 1)
    figures: dict[str, float] = {
        "deviation": deviation(groups, sides, config),
        "expected_held_out": expected_held_out(groups, config),
    }
    for name in SPLITS:
        figures[f"rows.{name}"] = rows[name]
        figures[f"groups.{name}"] = members[name]
        figures[f"share.{name}"] = rows[name] / total
    return figures
