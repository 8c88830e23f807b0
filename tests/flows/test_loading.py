"""What is loaded, and when; garbage does not stay."""

import gc
import sys
import weakref
from types import SimpleNamespace

import pytest

from flows.loading import load_what_runs_use, loaded_to_stay
from flows.memory import require_fit
from tasks.settings import Settings
from tasks.training.config import TrainingConfig


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


@pytest.mark.parametrize("checks", [True, False])
def test_great_expectations_is_loaded_where_rows_may_be_checked(checks, monkeypatch):
    loaded = []
    monkeypatch.setattr("data_contracts.validation.load_expectations", lambda: loaded.append(True))
    monkeypatch.setattr("tasks.tracking.connect", lambda _uri: None)
    load_what_runs_use(Settings(), checks)
    assert loaded == [True] * checks


def test_nothing_is_loaded_to_see_whether_a_model_fits_that_is_there(monkeypatch, tmp_path):
    monkeypatch.setattr("flows.memory.model_fingerprint", lambda *_: "a model")
    monkeypatch.setattr("flows.memory.find_model", lambda _home, name: name == "a model" or None)
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it fails
    dataset = SimpleNamespace(examples=None, base=None)
    require_fit(TrainingConfig(), dataset, tmp_path)
