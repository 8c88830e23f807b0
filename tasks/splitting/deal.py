"""Dealing groups out to sides until each has its share of the rows.

Groups come in an order drawn by hash, every other time within strata, so that neighbours are
alike (with a stratum for every group there would be one such order only); each goes
to the side that is furthest from full, as a share of what it should hold, among the sides
that still have room for it, and otherwise to the side that lacks most rows. No side then
overshoots by a whole group, nor falls short by one: the sides have all room for less than
the largest group when the first group finds no room. With groups of at most 1 % of the rows
the shares are thus met within 1 %. Of several orders the one is kept whose sides are most
alike in kind, source and language.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping

from tasks.splitting.groups import Groups, Stratum, count_rows, number

# Orders tried. The fewer the groups, the more it matters which goes where: groups times orders
# is about `EFFORT`, some 2 s, between these bounds.
EFFORT, FEWEST, MOST = 160_000, 16, 64

# Shares are met where they are off by at most so much of the rows.
TOLERANCE = 0.01

Sides = Mapping[str, str]  # name of a group to its side
Shares = Mapping[str, float]


def deal(groups: Groups, shares: Shares, fixed: Sides, salt: str) -> dict[str, str]:
    """Give each group a side.

    Args:
        groups: All groups, in the order of their names.
        shares: Side to its share of the rows.
        fixed: Groups whose side is settled.
        salt: Goes into the hashes that order the groups.
    """
    # where every side is settled, all orders come to the same
    tried = orders(len(groups)) if groups.keys() - fixed.keys() else 1
    dealt = (
        _deal_once(groups, shares, fixed, f"{salt}-{order}", by_strata=order % 2 == 0)
        for order in range(tried)
    )
    return min(dealt, key=lambda sides: _unevenness(groups, shares, sides))


def orders(groups: int) -> int:
    """Return how many orders are tried for so many groups."""
    return min(MOST, max(FEWEST, EFFORT // max(groups, 1)))


def deviation(groups: Groups, shares: Shares, sides: Sides) -> float:
    """Return the largest distance of a side's share of the rows from the share wanted."""
    rows = count_rows(groups, sides)
    total = max(rows.total(), 1)
    return max(abs(rows[side] / total - share) for side, share in shares.items())


def _deal_once(
    groups: Groups, shares: Shares, fixed: Sides, salt: str, by_strata: bool
) -> dict[str, str]:
    total = sum(group.rows for group in groups.values())
    settled = count_rows(groups, fixed)
    room = {side: share * total - settled[side] for side, share in shares.items()}
    sides = dict(fixed)
    for name in _ordered(groups, fixed, salt, by_strata):
        rows = groups[name].rows
        side = _fullest_need(room, shares, rows)
        sides[name] = side
        room[side] -= rows
    return sides


def _ordered(groups: Groups, fixed: Sides, salt: str, by_strata: bool) -> list[str]:
    new = [name for name in groups if name not in fixed]
    keys = {
        name: (
            _main_strata(groups[name].strata) if by_strata else (),
            number(salt, min(groups[name].documents)),
        )
        for name in new
    }
    return sorted(new, key=keys.__getitem__)


def _main_strata(strata: Mapping[Stratum, int]) -> tuple[str, ...]:
    """Return the commonest language, source and kind of a group's rows."""
    main: dict[str, tuple[int, str]] = {}
    for (dimension, value), rows in strata.items():
        main[dimension] = min(main.get(dimension, (0, "")), (-rows, value))
    return tuple(main[dimension][1] for dimension in ("language", "source", "kind"))


def _fullest_need(room: Mapping[str, float], shares: Shares, rows: int) -> str:
    fitting = [side for side in shares if room[side] >= rows]
    if fitting:
        return max(fitting, key=lambda side: room[side] / shares[side])
    return max(shares, key=room.__getitem__)


def _unevenness(groups: Groups, shares: Shares, sides: Sides) -> tuple[float, float]:
    """Return how far the shares are off beyond the tolerance, then how unlike the sides are."""
    off = max(deviation(groups, shares, sides), TOLERANCE)
    return round(off, 9), round(_unlikeness(groups, shares, sides), 9)


def _unlikeness(groups: Groups, shares: Shares, sides: Sides) -> float:
    """Return the rows by which the sides' strata miss their shares.

    The groups' mean size is a stratum too: two large groups are a poor test of anything.
    """
    found: defaultdict[Stratum, Counter[str]] = defaultdict(Counter)
    mean = round(sum(group.rows for group in groups.values()) / max(len(groups), 1))
    for name, side in sides.items():
        found["groups", ""][side] += mean
        for stratum, rows in groups[name].strata.items():
            found[stratum][side] += rows
    return math.fsum(
        abs(rows[side] - share * rows.total())
        for rows in found.values()
        for side, share in shares.items()
    )
