import pytest

from tasks.lineage.document import trace_document
from tasks.versions.find import ancestors, find_version
from tests.unit.lineage.conftest import IDS, content_of, example, train_on, version


@pytest.fixture
def trace(tmp_path, dataset):
    lineage = ancestors(tmp_path, find_version(tmp_path, dataset))
    return lambda name, registered=(): trace_document(tmp_path, lineage, name, registered)


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


def test_registered_versions_that_hold_it_are_named_wherever_their_weights_lie(
    tmp_path, store, dataset, trace
):
    without = store("augmentation", [example("tug", "ships.md", "c3")])
    registered = [
        version("1", content_of(tmp_path, dataset)),
        version("2", content_of(tmp_path, without)),
        version("3", ""),  # registered by hand, without tags of Temper's
    ]
    assert [v.version for v in trace("ports.md", registered).registered] == ["1"]
    assert [v.version for v in trace("ships.md", registered).registered] == ["1", "2"]


def test_an_unknown_document_is_not_found(trace):
    assert trace("barges.md") is None
