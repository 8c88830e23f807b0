"""What is loaded to stay is not looked through for garbage again; garbage does not stay."""

import gc
import weakref

import pytest

from flows.loading import loaded_to_stay


class Ring:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _thawed():
    yield
    gc.unfreeze()
    assert gc.isenabled()


def test_what_is_loaded_is_spared_and_what_loading_left_behind_is_gone():
    with loaded_to_stay():
        assert not gc.isenabled()
        kept, left = Ring(), weakref.ref(Ring())
        assert left() is not None
    assert left() is None
    assert all(each is not kept for each in gc.get_objects())  # those that are looked through
    assert gc.isenabled()


def test_the_search_goes_on_when_loading_fails():
    with pytest.raises(ImportError), loaded_to_stay():
        raise ImportError("no such library")
    assert gc.get_freeze_count() == 0
