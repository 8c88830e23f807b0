"""A model that one home trained is taken by another, whole or not at all."""

import json
from pathlib import Path

import pytest

from data_contracts.base import file_sha256
from data_contracts.results import BaseModelRef, ModelRef
from tasks.modeling.shared_models import offer_model, take_model
from tasks.modeling.tuned import MANIFEST, WEIGHTS, ModelManifest, find_model, model_folder

NAME = "f" * 32


@pytest.fixture
def store(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("TEMPER_STORE", str(tmp_path / "store"))
    return tmp_path / "store"


def base_of(home: Path) -> BaseModelRef:
    return BaseModelRef(name="tiny", folder=home / "base", fingerprint="b")


def train(home: Path) -> ModelRef:
    """Keep files where a finished training does, and its manifest."""
    folder = model_folder(home, NAME)
    for name in (f"{WEIGHTS}/adapter.safetensors", "training.json"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    files = {str(p.relative_to(folder)): file_sha256(p) for p in folder.rglob("*") if p.is_file()}
    held = base_of(home).model_copy(update={"held_in": "bfloat16"})
    manifest = ModelManifest(
        fingerprint=NAME, parents={"examples": "e"}, base=held, method={"method": "lora"},
        config={}, files=files, created="2026-01-01",
    )  # fmt: skip
    (folder / MANIFEST).write_text(manifest.model_dump_json())
    ref = find_model(home, NAME)
    assert ref is not None
    return ref


@pytest.fixture
def trained(store, tmp_path) -> ModelRef:
    ref = train(tmp_path / "one")
    offer_model(ref, made_now=True)
    return ref


def take(tmp_path, name: str) -> ModelRef | None:
    return take_model(tmp_path / name, NAME, base_of(tmp_path / name))


def test_another_home_takes_it_and_loads_it_onto_its_own_base(trained, tmp_path):
    ref = take(tmp_path, "two")
    assert ref == find_model(tmp_path / "two", NAME)
    assert ref is not None and ref.base.folder == tmp_path / "two" / "base"
    assert ref.base.held_in == "bfloat16"  # as it was trained
    assert (ref.folder / WEIGHTS / "adapter.safetensors").read_bytes() == (
        trained.folder / WEIGHTS / "adapter.safetensors"
    ).read_bytes()
    assert not [path for path in ref.folder.parent.iterdir() if path.name.startswith(".")]


def test_a_damaged_model_is_refused(trained, store, tmp_path, caplog):
    sha256 = file_sha256(trained.folder / WEIGHTS / "adapter.safetensors")
    (stored,) = store.rglob(sha256)
    stored.write_bytes(b"other weights")
    assert take(tmp_path, "two") is None
    assert "not taken from the store" in caplog.text
    assert find_model(tmp_path / "two", NAME) is None
    assert not list((tmp_path / "two" / "models").glob("*/.*"))
    offer_model(trained, made_now=False)  # something lies there already
    assert take(tmp_path, "two") is None
    offer_model(train(tmp_path / "two"), made_now=True)
    assert take(tmp_path, "three") is not None


@pytest.mark.parametrize("changed", [{"fingerprint": "e" * 32}, {"files": {"../out": "a" * 64}}])
def test_a_manifest_of_another_model_or_that_climbs_is_refused(trained, store, tmp_path, changed):
    (path,) = store.rglob(MANIFEST)
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    assert take(tmp_path, "two") is None
    path.write_text("{}")
    assert take(tmp_path, "two") is None


def test_a_model_on_another_base_is_refused(trained, tmp_path):
    other = base_of(tmp_path / "two").model_copy(update={"fingerprint": "another"})
    assert take_model(tmp_path / "two", NAME, other) is None


def test_a_store_that_refuses_loses_no_model(store, tmp_path, caplog):
    store.write_text("a file where the folder should be")
    ref = train(tmp_path / "one")
    offer_model(ref, made_now=True)
    assert "not copied to the store" in caplog.text
    assert find_model(tmp_path / "one", NAME) == ref
    store.unlink()
    offer_model(ref, made_now=False)
    assert take(tmp_path, "two") is not None


def test_without_the_setting_nothing_is_shared(tmp_path, monkeypatch):
    monkeypatch.delenv("TEMPER_STORE", raising=False)
    offer_model(train(tmp_path / "one"), made_now=True)
    assert take(tmp_path, "two") is None
