from pathlib import Path

import pytest

from data_contracts.dataset import Manifest, StageResult, commit, stage_files
from data_contracts.errors import ConfigError, DatasetError
from data_contracts.schemas import EXAMPLE, dropped_schema
from tasks.versions.find import ancestors, documents_in, find_version, list_versions


@pytest.fixture
def stored(tmp_path, table):
    """Store a dataset and return its folder."""

    def run(fingerprint, stage="augmentation", parents=(), created="2026-01-01T00:00:00+00:00"):
        rows = table([{"document_id": "a"}, {"document_id": "a"}, {"document_id": "b"}])
        result = StageResult(rows, dropped_schema(EXAMPLE).empty_table(), rows_in=3)
        manifest = Manifest(
            stage=stage,
            stage_version=1,
            schema_version=2,
            fingerprint=fingerprint,
            parents={str(i): parent for i, parent in enumerate(parents)},
            config={},
            rows_in=3,
            rows_kept=3,
            rows_dropped=0,
            drop_reasons={},
            figures={},
            content_sha256="c",
            files={},
            validation={},
            versions={},
            seconds=0.0,
            created=created,
        )
        staged = stage_files(tmp_path, stage, fingerprint, result)
        return Path(commit(staged, tmp_path, manifest).folder)

    return run


def names(versions):
    return [version.manifest.fingerprint[:4] for version in versions]


def test_versions_are_listed_by_stage_and_age(tmp_path, stored):
    stored("aaaa" * 8, created="2026-01-02T00:00:00+00:00")
    stored("bbbb" * 8, created="2026-01-01T00:00:00+00:00")
    stored("cccc" * 8, stage="generation")
    broken = stored("dddd" * 8)
    (broken / "manifest.json").write_text("{}")
    assert names(list_versions(tmp_path, "augmentation")) == ["bbbb", "aaaa"]
    assert len(list_versions(tmp_path)) == 3
    assert list_versions(tmp_path / "nowhere") == []


def test_a_version_is_found_by_folder_and_by_the_start_of_its_fingerprint(tmp_path, stored):
    folder = stored("aaaa1111" * 4)
    for name in (str(folder), "aaaa", "aaaa1111" * 4, "augmentation/aaaa1"):
        assert find_version(tmp_path, name).folder == folder
    for name in ("bbbb", "demo", "generation/aaaa1", str(tmp_path)):
        assert find_version(tmp_path, name) is None


def test_an_ambiguous_start_is_an_error_that_lists_the_candidates(tmp_path, stored):
    stored("aaaa1111" * 4)
    stored("aaaa2222" * 4, stage="generation")
    with pytest.raises(ConfigError, match=r"augmentation/aaaa1111.*generation/aaaa2222"):
        find_version(tmp_path, "aaaa")


def test_an_unreadable_manifest_in_a_named_folder_is_an_error(tmp_path, stored):
    folder = stored("aaaa" * 8)
    (folder / "manifest.json").write_text("{}")
    with pytest.raises(DatasetError, match="not a manifest"):
        find_version(tmp_path, str(folder))


def test_ancestors_come_before_what_was_made_of_them(tmp_path, stored):
    stored("aaaa" * 8, stage="ingestion")
    stored("bbbb" * 8, stage="generation", parents=["aaaa" * 8])
    stored("cccc" * 8, stage="import", parents=["deleted"])
    folder = stored("dddd" * 8, parents=["bbbb" * 8, "cccc" * 8, "aaaa" * 8])
    stored("eeee" * 8)
    found = names(ancestors(tmp_path, find_version(tmp_path, str(folder))))
    assert sorted(found) == ["aaaa", "bbbb", "cccc", "dddd"]
    assert found.index("aaaa") < found.index("bbbb") < found.index("dddd")
    assert found[-1] == "dddd"


def test_documents_are_counted(tmp_path, stored):
    stored("aaaa" * 8)
    assert documents_in(list_versions(tmp_path)[0]) == 2
