"""What is loaded, and when."""

import sys
from types import SimpleNamespace

import pytest

from flows.loading import load_what_runs_use
from flows.memory import require_fit
from tasks.settings import Settings
from tasks.training.config import TrainingConfig


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
