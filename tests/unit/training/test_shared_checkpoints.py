"""Checkpoints in the store: what a machine leaves there, and what another one makes of it."""

import json

import pytest

from tasks.training.checkpoints import STATE, newest_checkpoint
from tasks.training.shared_checkpoints import (
    drop_checkpoints,
    offer_checkpoints,
    remove_all_checkpoints,
    take_checkpoints,
)

MODEL, OTHER = "a" * 32, "b" * 32


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("TEMPER_STORE", str(tmp_path / "store"))
    return tmp_path / "store"


def training(folder, *steps):
    """Write checkpoints as the trainer does, the first one the best."""
    for step in steps:
        place = folder / "checkpoints" / f"checkpoint-{step}"
        place.mkdir(parents=True)
        (place / "weights").write_bytes(b"%d" % step)
        best = folder / "checkpoints" / f"checkpoint-{steps[0]}"
        (place / STATE).write_text(json.dumps({"best_model_checkpoint": str(best)}))
    return folder


def best_of(folder):
    newest = newest_checkpoint(folder / "checkpoints")
    return json.loads((newest / STATE).read_text())["best_model_checkpoint"]


def test_another_machine_finds_the_newest_and_the_best_where_they_lie_there(store, tmp_path):
    offer_checkpoints(training(tmp_path / "one", 3, 8), MODEL)
    there = tmp_path / "two"
    (there / "left").mkdir(parents=True)  # a run that came to no checkpoint
    take_checkpoints(there, MODEL)
    assert (newest_checkpoint(there / "checkpoints") / "weights").read_bytes() == b"8"
    assert best_of(there) == str(there / "checkpoints" / "checkpoint-3")


def test_of_another_model_nothing_is_taken(store, tmp_path):
    offer_checkpoints(training(tmp_path / "one", 3), OTHER)
    take_checkpoints(tmp_path / "two", MODEL)
    assert not (tmp_path / "two").exists()


def test_a_half_written_one_is_left_to_who_takes_such_away(store, tmp_path):
    folder = training(tmp_path / "one", 3, 8)
    (folder / "checkpoints" / "checkpoint-8" / STATE).write_text('{"best_mo')
    offer_checkpoints(folder, MODEL)
    take_checkpoints(tmp_path / "two", MODEL)
    assert newest_checkpoint(tmp_path / "two" / "checkpoints").name == "checkpoint-3"


def test_a_damaged_one_is_refused_and_said(store, tmp_path, caplog):
    offer_checkpoints(training(tmp_path / "one", 3), MODEL)
    for path in (store / "unfinished" / MODEL / "files").iterdir():
        path.write_bytes(b"something else")
    take_checkpoints(tmp_path / "two", MODEL)
    assert not (tmp_path / "two").exists()
    assert "is not the one that its manifest names" in caplog.text


def test_one_goes_with_its_model_and_all_when_a_document_is_purged(store, tmp_path):
    for name in (MODEL, OTHER):
        offer_checkpoints(training(tmp_path / name, 3), name)
    drop_checkpoints(MODEL)
    assert [path.name for path in (store / "unfinished").iterdir()] == [OTHER]
    assert remove_all_checkpoints() == 1
    assert not list(store.glob("unfinished/*"))


def test_a_store_that_is_full_keeps_no_run_from_ending(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("TEMPER_STORE", str(tmp_path / "file" / "store"))
    offer_checkpoints(training(tmp_path / "one", 3), MODEL)
    assert "Checkpoints stay on this machine" in caplog.text
