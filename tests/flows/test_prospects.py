"""That no PASS is possible is said before training, not after."""

from types import SimpleNamespace

import pytest

from flows import fine_tune as module
from flows.config import load_config


class Trained(Exception):
    """Training began."""


def trained(*_):
    raise Trained


def test_too_few_test_rows_are_said_before_training(monkeypatch, caplog):
    monkeypatch.setattr(module, "require_fit", lambda *_: None)
    monkeypatch.setattr(module, "train", trained)
    config = load_config("default", "docs", [])
    dataset = SimpleNamespace(test_rows=15, examples=None, base=None)
    with pytest.raises(Trained):
        module.fine_tune.fn(config, dataset, SimpleNamespace(home=None))
    assert "cannot end in PASS: it has 15 test rows" in caplog.text
