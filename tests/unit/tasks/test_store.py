"""Homes that share nothing but a store: what one made, another takes, whole or not at all."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from data_contracts.base import Config
from data_contracts.dataset import MANIFEST, StageResult, read_kept, read_manifest
from data_contracts.errors import ConfigError, StorageError
from data_contracts.schemas import EXAMPLE, dropped_schema
from data_contracts.validation import ValidationReport
from tasks.forgotten import Forgotten, ForgottenDocument, forgotten_path, read_forgotten
from tasks.lineage.document import versions_with
from tasks.lineage.purge import Traces, remove_versions
from tasks.lineage.wording import Wording
from tasks.shared_datasets import remove_shared, take_all
from tasks.shared_lists import forgotten_of, note_forgotten
from tasks.splitting.assignment import Assignment
from tasks.splitting.ledger import Ledger, Made, forget_texts, known_to_all, read_ledger, tell_all
from tasks.stage import Stage, run_stage
from tasks.store import shared_store
from tasks.tracking import RunContext, start_pipeline_run
from tasks.training.shared_checkpoints import drop_checkpoints
from tests.unit.conftest import Table

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The specified dataset source:UserWarning"),
]

STAGE = Stage(name="judging", version=1, schema=EXAMPLE, suite="judging")
NOTE = ForgottenDocument(document_id="doc-secret", path="secret.md", sha256=None, since="2026")


@pytest.fixture(scope="module")
def tracking(tmp_path_factory) -> RunContext:
    home = tmp_path_factory.mktemp("tracking")
    return start_pipeline_run(home, f"sqlite:///{home / 'm.db'}", "test", "run", {})


@pytest.fixture
def store(tmp_path, monkeypatch) -> Path:
    """Return the folder that several homes share."""
    monkeypatch.setenv("TEMPER_STORE", f"file://{tmp_path / 'store'}")
    # the rules of the rows take seconds and are not meant here
    monkeypatch.setattr("tasks.stage.validate", lambda *told: ValidationReport(0, ()))
    return tmp_path / "store"


@pytest.fixture(autouse=True)
def _told(caplog):
    caplog.set_level("INFO")


@pytest.fixture
def worker(tracking, tmp_path, table: Table):
    """Run the stage in a home of that name; return its dataset and whether it was made there."""

    def run(name, rows=({},), unanswered=0, stage=STAGE):
        made = []

        def compute() -> StageResult:
            made.append(name)
            kept = table([dict(row) for row in rows])
            gone = dropped_schema(EXAMPLE).empty_table()
            return StageResult(kept, gone, rows_in=kept.num_rows, unanswered=unanswered)

        context = tracking.model_copy(update={"home": tmp_path / name})
        return run_stage(stage, context, Config(), {"examples": "a"}, compute), bool(made)

    return run


def objects(store: Path, part: str) -> list[Path]:
    return sorted(path for path in store.rglob(part) if path.is_file())


def leavings(home: Path) -> list[Path]:
    return list((home / "datasets").glob("*/.*"))


def test_a_second_home_takes_what_the_first_made(store, worker, tmp_path):
    first, made = worker("one")
    second, again = worker("two")
    assert (made, again) == (True, False)
    assert second.content_sha256 == first.content_sha256
    assert second.folder != first.folder
    assert read_kept(second).equals(read_kept(first))
    assert read_manifest(Path(second.folder)) == read_manifest(Path(first.folder))
    assert not leavings(tmp_path / "two")


def test_without_the_setting_each_home_has_its_own(store, worker, monkeypatch):
    monkeypatch.delenv("TEMPER_STORE")
    assert [worker("one")[1], worker("two")[1]] == [True, True]
    assert not store.exists()


def test_fsspec_may_be_any_file_system(worker, monkeypatch, store):
    monkeypatch.setenv("TEMPER_STORE", "memory://shared/temper")
    ref, made = worker("one")
    assert (made, worker("two")[1]) == (True, False)
    found = shared_store()
    assert found is not None and found.names("datasets") == ["judging"]
    assert remove_shared("judging", ref.fingerprint)
    assert not remove_shared("judging", ref.fingerprint)


def test_a_damaged_object_is_refused_and_made_anew_and_mended(store, worker, tmp_path, caplog):
    first, _ = worker("one")
    kept = read_manifest(Path(first.folder)).files["kept-00000.parquet"]
    (damaged,) = objects(store, kept)
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    second, made = worker("two")
    assert made and second.content_sha256 == first.content_sha256
    assert "not taken from the store, but made here" in caplog.text
    assert damaged.read_bytes() == whole
    assert not worker("three")[1]
    assert not leavings(tmp_path / "two")


def test_a_copy_without_its_manifest_or_with_half_of_it_does_not_count(store, worker):
    worker("one")
    (manifest,) = objects(store, MANIFEST)
    text = manifest.read_text()
    manifest.write_text(text[: len(text) // 2])
    assert worker("two")[1]
    manifest.unlink()
    assert worker("three")[1]
    assert not worker("four")[1]


def test_an_object_that_is_gone_is_no_dataset(store, worker, caplog):
    worker("one")
    objects(store, "[0-9a-f]*")[0].unlink()
    assert worker("two")[1]
    assert "is not there" in caplog.text


ELSEWHERE = ["../../escaped.txt", "/tmp/escaped.txt", "//tmp/escaped.txt", "a/../../escaped.txt"]
ELSEWHERE += ["..", "a\\b", ""]


@pytest.mark.parametrize("name", [*ELSEWHERE, MANIFEST])
def test_a_manifest_that_names_files_elsewhere_is_refused(store, worker, tmp_path, name, caplog):
    worker("one")
    (path,) = objects(store, MANIFEST)
    manifest = json.loads(path.read_text())
    manifest["files"][name] = next(iter(manifest["files"].values()))
    path.write_text(json.dumps(manifest))
    assert worker("two")[1]
    assert "no name within a dataset" in caplog.text
    assert not list(tmp_path.rglob("escaped.txt"))


@pytest.mark.parametrize("changed", [{"stage": "curation"}, {"config": {"a": 1}}, {"files": {}}])
def test_the_manifest_of_another_dataset_is_refused(store, worker, changed):
    worker("one")
    (path,) = objects(store, MANIFEST)
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    assert worker("two")[1]


def test_a_store_that_refuses_loses_nothing_and_gets_it_later(store, worker, caplog):
    store.write_text("a file where the folder should be")
    first, made = worker("one")
    assert made and read_kept(first).num_rows == 1
    assert "not copied to the store" in caplog.text
    assert worker("two")[1]  # alone
    store.unlink()
    assert not worker("one")[1]  # and copies it now
    assert not worker("three")[1]


def test_checkpoints_that_cannot_be_deleted_there_are_said_to_stay(store, caplog):
    store.write_text("a file where the folder should be")
    drop_checkpoints("f" * 32)
    (told,) = caplog.messages
    assert told.startswith("Checkpoints of a finished training stay in the store")
    assert f"unfinished/{'f' * 32} cannot be deleted" in told


def test_an_address_that_no_package_opens_is_a_mistake_of_the_setting(monkeypatch):
    monkeypatch.setenv("TEMPER_STORE", "nowhere://bucket")
    with pytest.raises(ConfigError, match="TEMPER_STORE is nowhere://bucket"):
        shared_store()


def test_two_that_copy_at_once_both_end_well(store, worker, tmp_path):
    both = threading.Barrier(2)

    def run(name):
        both.wait()
        return worker(name, [{"example_id": f"row-{n}"} for n in range(500)])[0]

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(run, ["one", "two"])
    assert one.content_sha256 == two.content_sha256
    third, made = worker("three")
    assert not made and third.content_sha256 == one.content_sha256


def test_a_dataset_that_lacks_replies_stays_at_home(store, worker):
    worker("one", unanswered=1)
    assert not objects(store, MANIFEST)


# Forgetting.


def test_what_is_to_be_forgotten_is_known_to_every_home(store, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    note_forgotten(one, "handbook", [NOTE])
    assert forgotten_of(two, "handbook").ids == {NOTE.document_id}
    assert read_forgotten(forgotten_path(two, "handbook")).ids == {NOTE.document_id}
    assert not forgotten_of(two, "another").documents
    written = forgotten_path(two, "handbook").stat().st_mtime_ns
    forgotten_of(two, "handbook")
    assert forgotten_path(two, "handbook").stat().st_mtime_ns == written


def test_a_list_of_before_the_setting_is_told_to_the_others(store, tmp_path, monkeypatch):
    with monkeypatch.context() as before:
        before.delenv("TEMPER_STORE")
        note_forgotten(tmp_path / "one", "handbook", [NOTE])
    forgotten_of(tmp_path / "one", "handbook")
    assert forgotten_of(tmp_path / "two", "handbook").ids == {NOTE.document_id}


def test_two_that_forget_at_once_in_one_home_lose_neither(store, tmp_path):
    notes = [NOTE.model_copy(update={"document_id": f"doc-{number}"}) for number in range(12)]
    together = threading.Barrier(len(notes))

    def forget(note):
        together.wait()
        return note_forgotten(tmp_path / "one", "handbook", [note])

    with ThreadPoolExecutor(len(notes)) as pool:
        assert all(pool.map(forget, notes))
    ids = {note.document_id for note in notes}
    assert read_forgotten(forgotten_path(tmp_path / "one", "handbook")).ids == ids
    assert forgotten_of(tmp_path / "two", "handbook").ids == ids


def test_a_run_that_cannot_ask_what_is_forgotten_ends(store, tmp_path):
    store.write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="Check TEMPER_STORE"):
        forgotten_of(tmp_path / "one", "handbook")


ROWS = ({"document_id": NOTE.document_id, "example_id": "s"}, {"example_id": "other"})


def test_a_forgotten_documents_dataset_does_not_come_back(store, worker, tmp_path, caplog):
    worker("one", ROWS)
    note_forgotten(tmp_path / "one", "handbook", [NOTE])
    assert worker("two", ROWS)[1]  # refused, though nobody has deleted it yet
    assert "was to be forgotten" in caplog.text
    ref, _ = worker("two", ROWS)
    assert remove_shared(ref.stage, ref.fingerprint)
    worker("one", ROWS)  # has it still, and would copy it again
    worker("three", ROWS)
    assert not objects(store, MANIFEST)


def test_who_is_to_delete_gets_what_others_made(store, worker, tmp_path):
    ref, _ = worker("one", ROWS)
    home = tmp_path / "two"
    note_forgotten(home, "handbook", [NOTE])
    take_all(home)
    assert not list(home.glob(f"datasets/*/*/{MANIFEST}"))
    take_all(home, even_forgotten=True)
    assert [path.parent.name for path in home.glob(f"datasets/*/*/{MANIFEST}")] == [ref.fingerprint]


def test_who_deletes_the_versions_with_a_document_deletes_them_there_too(store, worker, tmp_path):
    worker("one", ROWS)
    home = tmp_path / "two"
    take_all(home)  # a home that never made it
    holding = versions_with(home, {NOTE.document_id})
    traces = Traces(
        Forgotten(documents=(NOTE,)), frozenset(), frozenset(), frozenset(), {}, Wording([], [])
    )
    assert remove_versions(home, holding, traces) == (1, 1, 0)
    assert not objects(store, "*")
    assert not list(home.glob(f"datasets/*/*/{MANIFEST}"))
    assert worker("three", ROWS)[1]  # nothing to take


# Ledgers of splits.


def test_what_one_home_held_out_another_knows(store, tmp_path):
    one, two = (tmp_path / name / "splits" / "l.json" for name in ("one", "two"))
    tell_all(one, Ledger(Assignment({"a": "test"}), {"s": Made(None, "g")}))
    tell_all(two, known_to_all(two).joined(Ledger(Assignment({"a": "train", "b": "train"}))))
    both = known_to_all(one)
    assert both.assignment.documents == {"a": "test", "b": "train"}
    assert both.made == {"s": Made(None, "g")}
    assert known_to_all(two) == both


def test_texts_that_are_forgotten_go_from_the_stores_ledgers_too(store, tmp_path):
    path = tmp_path / "one" / "splits" / "l.json"
    tell_all(path, Ledger(Assignment({}, frozenset({"r"}), {"t": "test"})))
    forget_texts(tmp_path / "one", {"r", "t"})
    fresh = tmp_path / "two" / "splits" / "l.json"
    assert known_to_all(fresh) == read_ledger(path) == Ledger()
