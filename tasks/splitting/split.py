"""The split: every group of related rows goes to one side, and held-out rows stay held out.

Documents that an earlier split assigned keep their side, and so does what a held-out row says
word for word, under whatever name its document comes back. Where a new document joins groups
of different sides, the strictest side counts (test before validation before train), so no
held-out row is ever trained on as a corpus grows, shrinks or changes; what moves so is
reported in `joined_groups.json`, row by row. Groups of new documents only are dealt out by
hash until the shares are met (`tasks.splitting.deal`).

What it costs: joined groups make the held-out share grow, and the earlier assignment must be
kept (`tasks.splitting.ledger`). Without it the split is still the same on every machine, but
one new document can move others.
"""

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from data_contracts.dataset import StageResult
from data_contracts.errors import TooFewRows
from data_contracts.schemas import EXAMPLE, dropped_schema
from tasks.splitting.assignment import SPLITS, Assignment, joined_groups
from tasks.splitting.config import SplittingConfig
from tasks.splitting.deal import TOLERANCE, deviation
from tasks.splitting.groups import Groups, collect_groups, count_rows
from tasks.splitting.origins import Origins
from tasks.splitting.recall import choose_recall
from tasks.splitting.strategies import assign
from tasks.text.recall import CONTROL, RECALL, row_flags
from tasks.text.rows import strings

JOINED, WARNINGS = "joined_groups.json", "warnings.json"

logger = logging.getLogger(__name__)


def split_examples(
    examples: pa.Table,
    config: SplittingConfig,
    previous: Assignment | None = None,
    origins: Origins = MappingProxyType({}),
) -> StageResult:
    """Give every row its `split`; only undated rows may be dropped, where the options say so.

    Args:
        examples: Rows in the EXAMPLE schema with `group_id` set.
        config: Shares, strategy, salt, least rows.
        previous: The sides that documents have had; k-fold does not look at it.
        origins: Source and date of the documents.

    Raises:
        TooFewRows: There are fewer than three groups, or a split gets fewer rows than
            `config.min_rows`.
    """
    before = previous or Assignment()
    groups = collect_groups(examples, origins)
    known = before.documents, before.told_by_texts(examples)
    sides = assign(groups, config, *known)
    splits = [sides.get(group) for group in strings(examples, "group_id")]
    recall, facts = _recall(examples, splits, config, before)
    for row in recall:
        splits[row] = "test"
    _check(groups, splits, config)
    kfold = config.strategy.strategy == "kfold"
    joined = [] if kfold else joined_groups(examples, groups, sides, *known)
    figures = _figures(groups, sides, splits, config)
    figures |= {"joined_groups": len(joined), "joined_rows": sum(len(j["rows"]) for j in joined)}
    figures |= {"recall.rows": len(recall), "recall.facts": facts} if _asks(config) else {}
    warnings = _warnings(figures)
    for warning in warnings:
        logger.warning("%s", warning)
    labelled = _label(examples, splits, set(recall), config)
    return StageResult(
        kept=_kept(labelled, splits),
        dropped=_undated(examples, splits),
        rows_in=examples.num_rows,
        figures=figures,
        artifacts={
            name: json.dumps(value, indent=2, ensure_ascii=False) + "\n"
            for name, value in {JOINED: joined, WARNINGS: warnings}.items()
        },
    )


def _asks(config: SplittingConfig) -> bool:
    return config.by == "question"


def _recall(
    examples: pa.Table, splits: Sequence[str | None], config: SplittingConfig, before: Assignment
) -> tuple[list[int], int]:
    if not _asks(config):
        return [], 0
    trained = [row for row, split in enumerate(splits) if split == "train"]
    return choose_recall(examples, trained, config, before.recall)


def _label(
    examples: pa.Table, splits: Sequence[str | None], recall: set[int], config: SplittingConfig
) -> pa.Table:
    """Flag the test rows as recall or control; labels of an earlier split are taken off."""
    flags = []
    for row, given in enumerate(row_flags(examples)):
        kept = [flag for flag in given if flag not in (RECALL, CONTROL)]
        if _asks(config) and splits[row] == "test":
            kept.append(RECALL if row in recall else CONTROL)
        flags.append(kept)
    return _with(examples, "flags", flags)


def _kept(examples: pa.Table, splits: Sequence[str | None]) -> pa.Table:
    kept = pa.array([split is not None for split in splits], pa.bool_())
    return _with(examples, "split", list(splits)).filter(kept).cast(EXAMPLE)


def _undated(examples: pa.Table, splits: Sequence[str | None]) -> pa.Table:
    gone = examples.filter(pa.array([split is None for split in splits], pa.bool_()))
    detail = "No document of its group states a date, and splitting.strategy.undated is drop."
    rows = [
        {**row, "reason": "undated", "detail": detail, "duplicate_of": None, "similarity": None}
        for row in gone.to_pylist()
    ]
    return pa.Table.from_pylist(rows, schema=dropped_schema(EXAMPLE))


def _with(examples: pa.Table, name: str, values: list[Any]) -> pa.Table:
    position = EXAMPLE.get_field_index(name)
    field = EXAMPLE.field(position)
    return examples.set_column(position, field, pa.array(values, field.type))


def _check(groups: Groups, splits: Sequence[str | None], config: SplittingConfig) -> None:
    if len(groups) < len(SPLITS):
        raise TooFewRows(
            f"Cannot split {len(splits)} rows: they form "
            f"{len(groups)} groups of related rows, and train, validation and test need one "
            "each. Add documents that do not repeat each other, or raise the thresholds in "
            "curation.similarity if unrelated documents were joined."
        )
    rows = Counter(splits)
    short = [name for name in SPLITS if rows[name] < config.min_rows]
    if short:
        counts = ", ".join(f"{name} {rows[name]}" for name in SPLITS)
        raise TooFewRows(
            f"Too few rows for {' and '.join(short)}: {counts}, of {len(groups)} groups, the "
            f"largest with {_largest(groups)} rows; expected at least {config.min_rows} each. Add "
            f"documents, give {' and '.join(short)} a larger share, or lower splitting.min_rows."
        )


def _largest(groups: Groups) -> int:
    return max(group.rows for group in groups.values())


def _warnings(figures: Mapping[str, float]) -> list[str]:
    """Say what a person should know: shares missed, rows moved, no recall questions."""
    warnings = []
    if figures["deviation"] > TOLERANCE:
        shares = ", ".join(f"{name} {figures[f'share.{name}']:.1%}" for name in SPLITS)
        warnings.append(
            f"The shares of train, validation and test are off by up to {figures['deviation']:.1%} "
            f"of the rows: {shares}. Groups are not torn apart (the largest has "
            f"{figures['largest_group']:.1%} of the rows), and documents that had a side keep it."
        )
    if figures["joined_groups"]:
        warnings.append(
            f"{figures['joined_groups']:.0f} groups hold documents or texts of different earlier "
            f"sides; {figures['joined_rows']:.0f} rows moved to the stricter side, see {JOINED}."
        )
    if figures.get("recall.rows") == 0:
        warnings.append(
            f"No recall question: {figures['recall.facts']:.0f} trained facts are asked for in "
            "three wordings or more. Let several generators ask for each fact, or set "
            "splitting.by=document."
        )
    return warnings


def _figures(
    groups: Groups,
    sides: Mapping[str, str],
    splits: Sequence[str | None],
    config: SplittingConfig,
) -> dict[str, float]:
    """Count; `deviation` and `share` are of whole groups, before recall questions move."""
    dealt, members, rows = count_rows(groups, sides), Counter(sides.values()), Counter(splits)
    total = max(dealt.total(), 1)
    figures: dict[str, float] = {
        "deviation": deviation(groups, config.shares, sides),
        "largest_group": _largest(groups) / total,
    }
    for name in SPLITS:
        figures[f"rows.{name}"] = rows[name]
        figures[f"groups.{name}"] = members[name]
        figures[f"share.{name}"] = dealt[name] / total
    return figures
