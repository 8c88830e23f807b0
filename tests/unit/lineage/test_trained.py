import pytest

from data_contracts.errors import ConfigError, DatasetError
from tasks.lineage.trained import Trained, find_trained, trace_model
from tests.unit.lineage.conftest import IDS, content_of, example, train_on, version

MODEL = "ab12" * 8


@pytest.fixture
def registered(tmp_path, dataset):
    values = {"model": MODEL, "dataset": dataset, "aliases": ["challenger"]}
    return [version("3", content_of(tmp_path, dataset), **values)]


@pytest.mark.parametrize(
    "name", ["tiny/3", "models:/tiny/3", "tiny@challenger", "challenger", MODEL, MODEL[:12]]
)
def test_a_model_is_found_by_all_its_names(tmp_path, registered, dataset, name):
    found = find_trained(tmp_path, registered, name, "tiny")
    assert (found.model, found.dataset) == (MODEL, dataset)


@pytest.mark.parametrize(
    "name", ["tiny/4", "tiny@champion", "tiny", "ports.md", "ab12", "5c1f0ad2"]
)
def test_what_names_no_model_finds_none(tmp_path, registered, name):
    assert find_trained(tmp_path, registered, name, "tiny") is None


def test_an_alias_alone_is_that_of_the_model_that_is_meant(tmp_path, registered):
    assert find_trained(tmp_path, registered, "challenger", "another") is None


def test_a_model_that_was_never_registered_is_found_by_its_fingerprint(tmp_path, dataset):
    train_on(tmp_path, dataset, MODEL)
    found = find_trained(tmp_path, [], MODEL[:8], "tiny")
    assert (found.model, found.content) == (MODEL, content_of(tmp_path, dataset))
    train_on(tmp_path, dataset, MODEL[:-1] + "9")
    with pytest.raises(ConfigError, match="several models"):
        find_trained(tmp_path, [], MODEL[:8], "tiny")


def test_a_model_leads_to_its_training_rows_their_chunks_and_documents(
    tmp_path, registered, dataset
):
    found = trace_model(tmp_path, registered, Trained(MODEL, content_of(tmp_path, dataset)))
    assert found.dataset == f"augmentation/{dataset}"
    assert {row["example_id"]: (row["chunk_id"], row["path"]) for row in found.rows} == {
        "first": ("c1", "ports.md"),
        "again": ("c1", "ports.md"),
        "hop": ("c3", "ships.md"),
        "tug": ("c3", "ships.md"),
    }
    # `hop` rests on c2 of the other document as well
    assert {chunk["chunk_id"] for chunk in found.chunks} == {"c1", "c2", "c3"}
    assert {d["path"]: (d["rows"], d["chunks"]) for d in found.documents} == {
        "ports.md": (3, 2),
        "ships.md": (2, 1),
    }
    assert [v.version for v in found.registered] == ["3"]


def test_rows_for_testing_are_counted_and_not_shown(tmp_path, store):
    rows = [
        example("taught", "ports.md", "c1", split="train"),
        example("asked", "ports.md", "c2", split="test"),
        example("imported", "ports.md", "", split="train", document_id="elsewhere"),
    ]
    name = store("augmentation", rows)
    found = trace_model(tmp_path, [], Trained(MODEL, content_of(tmp_path, name)))
    assert [row["example_id"] for row in found.rows] == ["taught", "imported"]
    assert found.splits == {"train": 2, "test": 1}
    assert {d["document_id"] for d in found.documents} == {IDS["ports.md"], "elsewhere"}


def test_a_dataset_that_lies_elsewhere_is_said_so(tmp_path, registered):
    with pytest.raises(DatasetError, match="does not lie in"):
        trace_model(tmp_path, registered, Trained(MODEL, "unknown", "0" * 32))
