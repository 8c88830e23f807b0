import pytest

from data_contracts.results import BaseModelRef
from tasks.lineage.document import trace_document
from tasks.modeling.tuned import MANIFEST, ModelManifest, model_folder
from tasks.versions.find import ancestors, find_version
from tests.unit.lineage.conftest import IDS, example


@pytest.fixture
def trace(tmp_path, dataset):
    lineage = ancestors(tmp_path, find_version(tmp_path, dataset))
    return lambda name: trace_document(tmp_path, lineage, name)


def train_on(home, fingerprint, name):
    base = BaseModelRef(name="tiny", folder=home, fingerprint="f")
    manifest = ModelManifest(
        fingerprint=name, parents={"examples": fingerprint}, base=base, method={"method": "lora"},
        config={}, files={}, created="2026-01-01",
    )  # fmt: skip
    folder = model_folder(home, name)
    folder.mkdir(parents=True)
    (folder / MANIFEST).write_text(manifest.model_dump_json())


@pytest.mark.parametrize("name", ["ports.md", IDS["ports.md"]])
def test_all_chunks_and_rows_of_a_document_are_shown_with_their_fate(trace, name):
    found = trace(name)
    assert [d["path"] for d in found.documents] == ["ports.md"]
    assert "text" not in found.documents[0]
    assert [(c["chunk_id"], c.get("reason")) for c in found.chunks] == [
        ("c1", None), ("c4", "too_short"), ("c2", None),
    ]  # fmt: skip
    assert [(r["example_id"], r["last_stage"], r.get("reason")) for r in found.rows] == [
        ("again", "augmentation", None),
        ("first", "augmentation", None),
        ("hop", "augmentation", None),  # rests on a passage of it
        ("repeat", "curation", "near_duplicate"),
    ]


def test_versions_and_models_that_hold_it_are_named_and_no_others(tmp_path, store, dataset, trace):
    without = store("augmentation", [example("tug", "ships.md", "c3")])
    train_on(tmp_path, dataset, "touched")
    train_on(tmp_path, without, "untouched")
    found = trace("ports.md")
    assert {v.stage: (v.kept, v.dropped) for v in found.versions} == {
        "ingestion": (1, 0),
        "chunking": (2, 1),
        "generation": (3, 0),
        "curation": (2, 1),
        "augmentation": (3, 0),
    }
    assert without not in {v.fingerprint for v in found.versions}
    assert [(m.fingerprint, m.datasets) for m in found.models] == [("touched", [dataset])]


def test_an_unknown_document_is_not_found(trace):
    assert trace("barges.md") is None
