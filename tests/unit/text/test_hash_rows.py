"""Rows in one array behave as a list of arrays does."""

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.text.hash_rows import HashRows, joined, taken
from tasks.text.remembered import names_of_pairs

ROWS = st.lists(st.lists(st.integers(0, 2**64 - 1), max_size=4), max_size=8)


def rows_of(values: list[list[int]]) -> HashRows:
    return HashRows.of(np.array(row, np.uint64) for row in values)


def lists(rows: HashRows) -> list[list[int]]:
    assert rows.sizes.tolist() == [row.size for row in rows]
    return [row.tolist() for row in rows]


@given(ROWS)
def test_rows_come_back_as_they_went_in(values) -> None:
    rows = rows_of(values)
    assert lists(rows) == values
    assert [rows[place].tolist() for place in range(len(rows))] == values
    assert [values[owner] for owner in rows.owners] == list(
        chain(*([row] * len(row) for row in values))
    )
    assert HashRows.of(rows) is rows


@given(ROWS, st.integers(1, 4))
def test_each_row_is_put_in_order(values, at_once) -> None:
    rows = rows_of(values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.text.hash_rows._SORTED", at_once)
        assert lists(rows.ordered()) == [sorted(row) for row in values]


@given(st.lists(ROWS, max_size=4), st.data())
def test_rows_of_several_parts_are_taken_in_any_order(parts, data) -> None:
    flat = list(chain.from_iterable(parts))
    wanted = st.lists(st.integers(0, len(flat) - 1), max_size=20) if flat else st.just([])
    places = data.draw(st.one_of(wanted, st.just(list(range(len(flat))))))
    found = taken([rows_of(part) for part in parts], np.array(places, np.int64))
    assert lists(found) == [flat[place] for place in places]
    assert lists(joined([rows_of(part) for part in parts])) == flat


@given(ROWS, st.data())
def test_hashes_and_rows_are_left_out(values, data) -> None:
    rows, total = rows_of(values), sum(map(len, values))
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=total, max_size=total)), bool)
    marks = iter(keep.tolist())
    assert lists(rows.where(keep)) == [[v for v in row if next(marks)] for row in values]
    some = data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
    kept = [row if stays else [] for row, stays in zip(values, some, strict=True)]
    assert lists(rows.only(np.array(some, bool))) == kept


@given(ROWS, st.integers(-9, 9), st.integers(-9, 9))
def test_a_slice_is_that_of_a_list(values, first, last) -> None:
    assert lists(rows_of(values)[first:last]) == values[first:last]


def test_one_hash_or_none_a_row() -> None:
    found = HashRows.ones(np.array([7, 0, 9], np.uint64), np.array([True, False, True]))
    assert lists(found) == [[7], [], [9]]


def test_what_is_not_there_is_no_row() -> None:
    rows = rows_of([[1], [2, 3]])
    assert rows[-1].tolist() == [2, 3]
    with pytest.raises(IndexError):
        rows[2]
    with pytest.raises(ValueError, match="one by one"):
        rows[::2]


@given(ROWS)
def test_equal_sets_and_no_others_have_equal_names(values) -> None:
    sets = [sorted(set(row)) for row in values]
    names = rows_of(sets).names.tolist()
    assert len(set(names)) == len(set(map(tuple, sets)))
    assert [names.index(name) for name in names] == [sets.index(one) for one in sets]
    assert rows_of(sets).take(np.arange(len(sets))[::-1]).names.tolist() == names[::-1]


def test_a_pair_turned_round_has_another_name() -> None:
    left, right = np.array([3, 5, 3], np.uint64), np.array([5, 3, 5], np.uint64)
    one, other, again = names_of_pairs(left, right).tolist()
    assert one == again != other
