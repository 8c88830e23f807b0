"""The side of every group, by each strategy."""

from collections.abc import Mapping

from tasks.splitting.assignment import settled_groups, strictest
from tasks.splitting.config import KFoldStrategy, SplittingConfig, TimeStrategy
from tasks.splitting.deal import deal
from tasks.splitting.groups import Group, Groups, number


def assign(groups: Groups, config: SplittingConfig, *known: Mapping[str, str]) -> dict[str, str]:
    """Return the side of every group; undated groups that are to be dropped have none.

    Args:
        groups: All groups.
        config: Shares and strategy.
        known: Earlier sides of documents, as `settled_groups` takes them.
    """
    if isinstance(config.strategy, KFoldStrategy):
        return _by_fold(groups, config.strategy, config.salt)
    settled = settled_groups(groups, *known)
    if isinstance(config.strategy, TimeStrategy):
        dated = _by_date(groups, config.strategy, config)
        return {name: strictest([s, settled.get(name, s)]) for name, s in dated.items()}
    return deal(groups, config.shares, settled, config.salt)


def _by_fold(groups: Groups, strategy: KFoldStrategy, salt: str) -> dict[str, str]:
    shares = {str(fold): 1 / strategy.folds for fold in range(strategy.folds)}
    names = {
        str(strategy.fold): "test",
        str((strategy.fold + 1) % strategy.folds): "validation",
    }
    folds = deal(groups, shares, {}, salt)
    return {name: names.get(fold, "train") for name, fold in folds.items()}


def _by_date(groups: Groups, strategy: TimeStrategy, config: SplittingConfig) -> dict[str, str]:
    undated = {name: "train" for name, group in groups.items() if group.date is None}
    kept = {} if strategy.undated == "drop" else undated
    dated = {name: group for name, group in groups.items() if name not in undated}
    if strategy.test_from is not None:
        return kept | {name: _since(group, strategy) for name, group in dated.items()}
    total = sum(groups[name].rows for name in [*kept, *dated])
    return kept | _newest(dated, total, config)


def _since(group: Group, strategy: TimeStrategy) -> str:
    """Return the side by the dates of the configuration; ISO dates sort as text."""
    date = group.date or ""
    if date >= str(strategy.test_from):
        return "test"
    return "validation" if date >= str(strategy.validation_from) else "train"


def _newest(groups: Mapping[str, Group], total: int, config: SplittingConfig) -> dict[str, str]:
    """Return sides by age: a group lies where the middle of its rows falls, newest first."""
    keys = {
        name: (group.date or "", number(config.salt, min(group.documents)))
        for name, group in groups.items()
    }
    sides, seen = {}, 0
    for name in sorted(groups, key=keys.__getitem__, reverse=True):
        middle = (seen + groups[name].rows / 2) / total
        held_out = "validation" if middle < config.test + config.validation else "train"
        sides[name] = "test" if middle < config.test else held_out
        seen += groups[name].rows
    return sides
