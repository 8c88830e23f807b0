import pytest

from data_contracts.errors import DatasetError
from tasks.lineage.row import trace_row
from tasks.versions.find import ancestors, find_version
from tests.unit.lineage.conftest import content_of, example, version


@pytest.fixture
def trace(tmp_path, dataset):
    lineage = ancestors(tmp_path, find_version(tmp_path, dataset))
    return lambda name, registered=(): trace_row(tmp_path, lineage, name, registered)


def test_a_row_is_traced_to_page_span_text_and_evidence(trace):
    found = trace("first")
    [passage] = found.passages
    assert (passage.path, passage.page, passage.start, passage.end) == ("ports.md", 3, 0, 27)
    assert passage.text == "The harbour closes at nine."
    assert found.evidence == "closes at nine"
    assert found.children == ["again"]
    assert (found.row["split"], found.row["group_id"]) == ("train", "g")
    assert [(s.stage, s.outcome) for s in found.steps] == [
        ("generation", "kept"), ("curation", "kept"), ("augmentation", "kept"),
    ]  # fmt: skip


def test_a_row_that_rests_on_two_documents_names_both(trace):
    assert [(p.path, p.chunk_id) for p in trace("hop").passages] == [
        ("ships.md", "c3"), ("ports.md", "c2"),
    ]  # fmt: skip


def test_a_dropped_row_is_found_with_its_reason(trace):
    steps = trace("repeat").steps
    assert [s.outcome for s in steps] == ["kept", "dropped"]
    assert (steps[-1].reason, steps[-1].duplicate_of) == ("near_duplicate", "first")


def test_a_derived_row_shows_the_steps_of_its_parent_first(trace):
    found = trace("again")
    assert found.parents == ["first"]
    assert [s.example_id for s in found.steps] == ["first", "first", "first", "again"]


def test_registered_versions_whose_dataset_has_the_row_are_named(tmp_path, store, dataset, trace):
    without = store("augmentation", [example("tug", "ships.md", "c3")])
    contents = content_of(tmp_path, dataset), content_of(tmp_path, without)
    registered = [version(str(n), content) for n, content in enumerate(contents, start=1)]
    assert [v.version for v in trace("first", registered).registered] == ["1"]
    assert [v.version for v in trace("tug", registered).registered] == ["1", "2"]
    assert trace("repeat", registered).registered == []  # dropped before training


def test_what_no_stage_has_is_not_found(trace):
    assert trace("nobody") is None


def test_parents_in_a_circle_are_an_error(tmp_path, store):
    rows = [
        example("a", "ports.md", "c1", parent_id="b"),
        example("b", "ports.md", "c1", parent_id="a"),
    ]
    name = store("augmentation", rows)
    with pytest.raises(DatasetError, match="circle"):
        trace_row(tmp_path, ancestors(tmp_path, find_version(tmp_path, name)), "a", [])
