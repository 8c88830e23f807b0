"""When garbage is looked for, and that it does not stay."""

import gc
import weakref

import pytest

from flows.garbage import NEW_OBJECTS, loaded_to_stay, seldom_looked_for


class Ring:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _thawed():
    yield
    gc.unfreeze()
    assert gc.isenabled()


def test_what_is_loaded_is_spared():
    with loaded_to_stay():
        assert not gc.isenabled()
        kept = Ring()
    assert all(each is not kept for each in gc.get_objects())  # those that are looked through
    assert gc.isenabled()


def test_the_search_goes_on_when_loading_fails():
    with pytest.raises(ImportError), loaded_to_stay():
        raise ImportError("no such library")
    assert gc.get_freeze_count() == 0


def test_garbage_goes_late_while_data_are_made_and_soon_afterwards():
    before = gc.get_threshold()

    @seldom_looked_for()
    def make_rows() -> weakref.ref[Ring]:
        gc.collect()
        left = weakref.ref(Ring())
        assert [{"row": n} for n in range(NEW_OBJECTS // 2)]
        assert left() is not None
        assert [{"row": n} for n in range(NEW_OBJECTS)]
        assert left() is None
        return left

    make_rows()
    assert gc.get_threshold() == before


def test_garbage_is_looked_for_as_before_after_a_failure():
    before = gc.get_threshold()
    with pytest.raises(ImportError), seldom_looked_for():
        raise ImportError("no such library")
    assert gc.get_threshold() == before
