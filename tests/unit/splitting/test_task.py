"""The stage with its ledger: what is reused, what stays, what breaks."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_contracts.dataset import DatasetRef, read_kept, read_manifest
from data_contracts.errors import DatasetError
from data_contracts.schemas import DOCUMENT, blank_row
from tasks.splitting import task
from tasks.splitting.assignment import Assignment, text_names
from tasks.splitting.config import SplittingConfig
from tasks.splitting.ledger import forget_texts, ledger_path, read_ledger
from tasks.tracking import RunContext, start_pipeline_run

CONFIG = SplittingConfig(min_rows=1)
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> RunContext:
    home = tmp_path_factory.mktemp("home")
    return start_pipeline_run(home, f"sqlite:///{home}/mlflow.db", "test", "test", {})


@pytest.fixture
def context(tracked: RunContext, tmp_path: Path) -> RunContext:
    return tracked.model_copy(update={"home": tmp_path})


def store(home: Path, name: str, rows: pa.Table) -> DatasetRef:
    """Store a table as a dataset of which only the kept rows matter."""
    folder = home / name
    folder.mkdir(exist_ok=True)
    pq.write_table(rows, folder / "kept-00000.parquet")
    return DatasetRef(
        stage="test", fingerprint=name, folder=str(folder), content_sha256="0", rows=rows.num_rows
    )


def rows_of(groups: dict[int, int]) -> list[dict]:
    return [
        {
            "example_id": f"e{n}",
            "document_id": f"d{n}",
            "group_id": f"g{group}",
            "question": f"What is number {n}?",
            "answer": f"It is number {n}.",
        }
        for n, group in groups.items()
    ]


def sides(ref: DatasetRef) -> dict[str, str]:
    return {row["document_id"]: row["split"] for row in read_kept(ref).to_pylist()}


def test_sides_are_kept_as_a_corpus_grows_and_shrinks(table, context: RunContext) -> None:
    small = store(context.home, "small", table(rows_of({n: n for n in range(40)})))
    large = store(context.home, "large", table(rows_of({n: n for n in range(90)})))
    first = task.split.fn(small, CONFIG, context)
    second = task.split.fn(large, CONFIG, context)
    assert sides(first).items() <= sides(second).items()
    assert "previous" not in read_manifest(Path(first.folder)).parents
    assert "previous" in read_manifest(Path(second.folder)).parents
    assert task.split.fn(small, CONFIG, context) == first
    assert task.split.fn(large, CONFIG, context) == second


def test_a_row_held_out_since_stays_held_out_when_the_corpus_goes_back(table, context) -> None:
    apart = {n: n for n in range(40)}
    small = store(context.home, "small", table(rows_of(apart)))
    first = task.split.fn(small, CONFIG, context)
    test = next(int(name[1:]) for name, side in sides(first).items() if side == "test")
    trained = next(int(name[1:]) for name, side in sides(first).items() if side == "train")
    joined = store(context.home, "joined", table(rows_of(apart | {trained: test, 99: test})))
    assert sides(task.split.fn(joined, CONFIG, context))[f"d{trained}"] == "test"
    again = task.split.fn(small, CONFIG, context)
    assert again != first
    assert sides(again) == sides(first) | {f"d{trained}": "test"}
    assert task.split.fn(small, CONFIG, context) == again


def test_what_was_held_out_is_held_out_when_all_documents_are_renamed(table, context) -> None:
    rows = rows_of({n: n for n in range(40)})
    renamed = [
        row | {"example_id": f"other-e{n}", "document_id": f"other-d{n}"}
        for n, row in enumerate(rows)
    ]
    before = sides(task.split.fn(store(context.home, "rows", table(rows)), CONFIG, context))
    examples = store(context.home, "renamed", table(renamed))
    after = task.split.fn(examples, CONFIG, context)
    held_out = {f"other-{name}": side for name, side in before.items() if side != "train"}
    assert held_out and held_out.items() <= sides(after).items()
    assert "previous" in read_manifest(Path(after.folder)).parents
    assert task.split.fn(examples, CONFIG, context) == after


def test_a_ledger_that_kept_no_texts_is_read(table, context) -> None:
    small = store(context.home, "small", table(rows_of({n: n for n in range(40)})))
    first = task.split.fn(small, CONFIG, context)
    path = ledger_path(context.home, "temper", CONFIG.salt, CONFIG.by)
    value = json.loads(path.read_text())
    documents = Assignment(value["documents"]).digest()
    value["made"] = {source: entry | {"gave": documents} for source, entry in value["made"].items()}
    path.write_text(json.dumps({k: v for k, v in value.items() if k != "texts"}))
    assert task.split.fn(small, CONFIG, context) == first
    assert json.loads(path.read_text())["texts"]


def test_what_forgotten_rows_said_leaves_all_ledgers(table, context) -> None:
    rows = table(rows_of({n: n for n in range(40)}))
    examples = store(context.home, "rows", rows)
    split = read_kept(task.split.fn(examples, CONFIG, context, name="one"))
    task.split.fn(examples, CONFIG.model_copy(update={"by": "question"}), context, name="two")
    said = dict(zip(split["split"].to_pylist(), text_names(split), strict=True))
    paths = sorted((context.home / "splits").iterdir())
    before = [read_ledger(path) for path in paths]
    assert forget_texts(context.home, {said["test"], said["train"]}) >= 1
    after = [read_ledger(path) for path in paths]
    assert [a.made for a in after] == [b.made for b in before]
    assert all(said["test"] not in ledger.assignment.texts for ledger in after)
    assert any(said["validation"] in ledger.assignment.texts for ledger in after)
    assert forget_texts(context.home, {said["test"], said["train"]}) == 0


def test_a_run_that_broke_off_before_the_ledger_was_written_is_taken_up(table, context) -> None:
    small = store(context.home, "small", table(rows_of({n: n for n in range(40)})))
    first = task.split.fn(small, CONFIG, context)
    path = ledger_path(context.home, "temper", CONFIG.salt, CONFIG.by)
    written = path.read_text()
    path.unlink()
    assert task.split.fn(small, CONFIG, context) == first
    assert path.read_text() == written


def test_a_dataset_that_was_deleted_comes_out_the_same(table, context) -> None:
    large = store(context.home, "large", table(rows_of({n: n for n in range(90)})))
    small = store(context.home, "small", table(rows_of({n: n for n in range(40)})))
    task.split.fn(small, CONFIG, context)
    second = task.split.fn(large, CONFIG, context)
    (Path(second.folder) / "manifest.json").unlink()
    assert task.split.fn(large, CONFIG, context) == second


def test_names_do_not_share_sides_and_folds_keep_none(table, context) -> None:
    examples = store(context.home, "examples", table(rows_of({n: n for n in range(40)})))
    other = store(context.home, "other", table(rows_of({n: n for n in range(9, 40)})))
    task.split.fn(examples, CONFIG, context, name="one")
    alone = task.split.fn(other, CONFIG, context, name="two")
    assert "previous" not in read_manifest(Path(alone.folder)).parents
    before = set((context.home / "splits").iterdir())
    folds = SplittingConfig(min_rows=1, strategy={"strategy": "kfold"})
    task.split.fn(examples, folds, context, name="three")
    assert set((context.home / "splits").iterdir()) == before


def test_dates_come_from_the_documents(table, context) -> None:
    examples = store(context.home, "examples", table(rows_of({n: n for n in range(40)})))
    documents = [
        blank_row(DOCUMENT)
        | dict.fromkeys(["sha256", "parser", "title", "raw_text", "text"], "x")
        | {"document_id": f"d{n}", "path": f"a/{n}.md", "media_type": "text/markdown"}
        | {"date": f"20{n:02}-01-01"}
        for n in range(40)
    ]
    origins = store(context.home, "documents", pa.Table.from_pylist(documents, schema=DOCUMENT))
    config = SplittingConfig(min_rows=1, strategy={"strategy": "time"})
    found = sides(task.split.fn(examples, config, context, documents=origins))
    assert [n for n in range(40) if found[f"d{n}"] == "test"] == [36, 37, 38, 39]
    assert [n for n in range(40) if found[f"d{n}"] == "validation"] == [32, 33, 34, 35]


def test_a_broken_ledger_stops_the_run(table, context) -> None:
    examples = store(context.home, "examples", table(rows_of({n: n for n in range(40)})))
    path = ledger_path(context.home, "temper", CONFIG.salt, CONFIG.by)
    path.parent.mkdir()
    path.write_text('{"documents": {}}')
    with pytest.raises(DatasetError, match="is not a ledger.*Restore it"):
        task.split.fn(examples, CONFIG, context)
