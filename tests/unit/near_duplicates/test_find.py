from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.errors import ConfigError, DatasetError, StorageError
from tasks.crew import Crew
from tasks.near_duplicates import find, link, parts, reading, sketch
from tasks.near_duplicates.config import NearDuplicatesConfig
from tasks.near_duplicates.find import find_near_duplicates
from tasks.near_duplicates.reading import document_files
from tasks.text.hash_rows import HashRows
from tasks.text.normalise import normalise
from tasks.text.shingles import jaccard, word_ngrams

Row = tuple[str, str | None, float]

WORDS = [f"word{i}" for i in range(300)]
CONFIG = NearDuplicatesConfig(quality_column="quality", num_perm=64, memory_bytes=2**24)


def corpus(seed: int, count: int = 12) -> list[Row]:
    """Make documents, each with up to three copies: exact, edited once, edited often."""
    random, rows = Random(seed), []
    for _ in range(count):
        words = random.choices(WORDS, k=random.choice((3, 40, 80)))
        texts = [" ".join(words)]
        for edits in random.sample((0, 0, 1, 2, 9), random.randrange(4)):
            copy = list(words)
            for _ in range(edits):
                copy[random.randrange(len(copy))] = random.choice(WORDS)
            texts.append(" ".join(copy).upper())
        rows += [(text, random.choice((0.0, 1.0))) for text in texts]
    return [(f"doc-{i:03}", text, quality) for i, (text, quality) in enumerate(rows)]


def family(seed: int) -> list[Row]:
    """Make documents that all come from one, so that buckets are large and links are chance."""
    random, rows = Random(seed), []
    base = random.choices(WORDS, k=60)
    for i in range(40):
        words = list(base)
        for place in random.sample(range(60), random.choice((1, 2, 3))):
            words[place] = random.choice(WORDS)
        rows.append((f"kin-{i:03}", " ".join(words), 0.0))
    return rows


def write(path: Path, rows: list[Row]) -> Path:
    schema = pa.schema([("id", pa.string()), ("text", pa.string()), ("quality", pa.float64())])
    columns = dict(zip(schema.names, zip(*rows, strict=True), strict=True)) if rows else {}
    table = pa.table(columns, schema=schema) if rows else schema.empty_table()
    if path.suffix == ".arrow":
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            writer.write_table(table, max_chunksize=7)
    else:
        pq.write_table(table, path, row_group_size=5)
    return path


def dropped(folder: Path, files: list[list[Row]], config: NearDuplicatesConfig) -> list[dict]:
    folder.mkdir(parents=True, exist_ok=True)
    kinds = ("parquet", "arrow")
    paths = [write(folder / f"{i}.{kinds[i % 2]}", rows) for i, rows in enumerate(files)]
    return pq.read_table(
        find_near_duplicates(document_files(paths), folder / "work", config).path
    ).to_pylist()


def by_brute_force(rows: list[Row], config: NearDuplicatesConfig) -> dict[str, str]:
    """Return what is dropped for what, from all pairs."""
    texts = [normalise(text or "") for _, text, _ in rows]
    sets = [word_ngrams(t, min(config.shingle_length, len(t.split()) or 1)) for t in texts]
    cluster = list(range(len(rows)))
    for i, j in combinations(range(len(rows)), 2):
        if sets[i].size and jaccard(sets[i], sets[j]) >= config.threshold:
            cluster = [cluster[i] if c == cluster[j] else c for c in cluster]
    best: dict[int, int] = {}
    for i in sorted(range(len(rows)), key=lambda i: (-rows[i][2], rows[i][0])):
        best.setdefault(cluster[i], i)
    return {rows[i][0]: rows[b][0] for i in range(len(rows)) if (b := best[cluster[i]]) != i}


@pytest.mark.parametrize("seed", range(5))
def test_the_dropped_are_those_of_brute_force(tmp_path: Path, seed: int) -> None:
    rows = corpus(seed, 40)
    found = dropped(tmp_path, [rows], CONFIG)
    assert {row["id"]: row["duplicate_of"] for row in found} == by_brute_force(rows, CONFIG)
    texts = {name: normalise(text or "") for name, text, _ in rows}
    assert {row["reason"] for row in found} == {"exact_duplicate", "near_duplicate"}
    for row in found:
        equal = texts[row["id"]] == texts[row["duplicate_of"]]
        assert (row["reason"] == "exact_duplicate") == equal == (row["similarity"] == 1.0)


@contextmanager
def threads(size: int) -> Iterator[Crew]:
    """Stand for processes, in reach of the test's patches.

    One works at a time: NumPy reads headers with `ast`, of which CPython 3.11 now and then says
    "recursion depth mismatch" where two threads use it at once (gh-106905).
    """
    with ThreadPoolExecutor(1) as executor:
        yield Crew(executor, size)


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_order_files_parts_chunks_partitions_and_workers_change_nothing(
    data: st.DataObject,
) -> None:
    seed = data.draw(st.integers(0, 99))
    rows = corpus(seed) + family(seed)
    config = CONFIG.model_copy(update={"neighbours": data.draw(st.sampled_from((1, 16)))})
    shuffled = data.draw(st.permutations(rows))
    cut = data.draw(st.integers(0, len(rows)))
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        expected = dropped(Path(name) / "a", [rows], config)
        patch.setattr(reading, "ROWS", data.draw(st.sampled_from((1, 10, 256))))
        patch.setattr(find, "LARGEST_CHUNK", data.draw(st.sampled_from((1, 900, 5000))))
        patch.setattr(link, "BAND_BYTES", data.draw(st.sampled_from((160, 10_000, 80_000))))
        patch.setattr(parts, "PART_BYTES", data.draw(st.sampled_from((1, 5_000, 2**27))))
        patch.setattr(find, "local_crew", threads)
        workers = data.draw(st.integers(1, 4))
        files = [shuffled[:cut], shuffled[cut:]]
        config = config.model_copy(update={"workers": workers})
        assert dropped(Path(name) / "b", files, config) == expected


def test_processes_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = corpus(7, 30)
    expected = dropped(tmp_path / "one", [rows], CONFIG)
    monkeypatch.setattr(parts, "PART_BYTES", 3000)
    config = CONFIG.model_copy(update={"workers": 2})
    assert dropped(tmp_path / "two", [rows[20:], rows[:20]], config) == expected


def test_documents_without_words_repeat_nothing(tmp_path: Path) -> None:
    rows: list[Row] = [("a", "", 0), ("b", "", 0), ("c", None, 0), ("d", " .", 0), ("e", "X", 0)]
    assert dropped(tmp_path / "1", [rows], CONFIG) == []
    assert dropped(tmp_path / "2", [[]], CONFIG) == []
    found = dropped(tmp_path / "3", [[*rows, ("f", "x!", 0)]], CONFIG)
    assert found == [
        {"id": "f", "duplicate_of": "e", "reason": "exact_duplicate", "similarity": 1.0}
    ]


def test_characters_find_what_words_miss(tmp_path: Path) -> None:
    rows: list[Row] = [
        ("a", "Where may the ship be moored?", 0),
        ("b", "Where may a ship be moored", 0),
    ]
    assert dropped(tmp_path / "words", [rows], CONFIG) == []
    config = CONFIG.model_copy(update={"unit": "characters", "threshold": 0.6})
    assert [row["id"] for row in dropped(tmp_path / "characters", [rows], config)] == ["b"]


def test_without_quality_the_smallest_name_is_kept(tmp_path: Path) -> None:
    rows: list[Row] = [("b", "one two", 9), ("c", "One two.", 0), ("a", "one, two", 0)]
    assert {r["duplicate_of"] for r in dropped(tmp_path / "1", [rows], CONFIG)} == {"b"}
    config = CONFIG.model_copy(update={"quality_column": None})
    assert {r["duplicate_of"] for r in dropped(tmp_path / "2", [rows], config)} == {"a"}


def test_a_huge_bucket_of_alike_documents_is_one_cluster(tmp_path: Path) -> None:
    base = Random(1).choices(WORDS, k=120)
    rows: list[Row] = [(f"doc-{i:03}", " ".join([*base, f"end{i}"]), 0) for i in range(200)]
    config = CONFIG.model_copy(update={"neighbours": 1})
    found = dropped(tmp_path, [rows], config)
    assert len(found) == 199
    assert {row["duplicate_of"] for row in found} == {"doc-000"}


def test_finished_work_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = corpus(3, 30)
    expected = dropped(tmp_path / "whole", [rows], CONFIG)
    monkeypatch.setattr(find, "LARGEST_CHUNK", 2000)
    monkeypatch.setattr(reading, "ROWS", 10)
    monkeypatch.setattr(link, "BAND_BYTES", 80_000)
    path = write(tmp_path / "rows.parquet", rows)
    stored, real = [], link._store

    def stop_at_the_third(path: Path, links: list[tuple[int, int]]) -> None:
        if len(stored) == 2:
            raise KeyboardInterrupt
        stored.append(path)
        real(path, links)

    with monkeypatch.context() as patch:
        patch.setattr(link, "_store", stop_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            find_near_duplicates(document_files([path]), tmp_path / "work", CONFIG)
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "work").rglob("*.npy")}
    monkeypatch.setattr(parts, "read_chunks", None)  # the sketches are whole: nothing is read
    found = find_near_duplicates(document_files([path]), tmp_path / "work", CONFIG)
    assert pq.read_table(found.path).to_pylist() == expected
    assert all(file.stat().st_mtime_ns == then for file, then in before.items())
    assert len(list((tmp_path / "work").rglob("links-*.npy"))) > 3


def test_finished_chunks_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = corpus(3, 30)
    expected = dropped(tmp_path / "whole", [rows], CONFIG)
    monkeypatch.setattr(find, "LARGEST_CHUNK", 100)
    monkeypatch.setattr(reading, "ROWS", 10)
    path = write(tmp_path / "rows.parquet", rows)
    real = sketch._lists

    def stop_at_the_third(shingles: HashRows) -> pa.Table:
        if len(list((tmp_path / "work").rglob("bands.npy"))) == 2:
            raise KeyboardInterrupt
        return real(shingles)

    with monkeypatch.context() as patch:
        patch.setattr(sketch, "_lists", stop_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            find_near_duplicates(document_files([path]), tmp_path / "work", CONFIG)
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "work").rglob("bands.npy")}
    found = find_near_duplicates(document_files([path]), tmp_path / "work", CONFIG)
    assert pq.read_table(found.path).to_pylist() == expected
    assert len(before) == 2
    assert all(file.stat().st_mtime_ns == then for file, then in before.items())


def test_a_name_of_two_documents_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="'a'"):
        dropped(tmp_path, [[("a", "one", 0)], [("a", "two", 0)]], CONFIG)


def test_a_missing_column_or_file_is_named(tmp_path: Path) -> None:
    for name in ("rows.parquet", "rows.arrow"):
        path = write(tmp_path / name, corpus(1))
        config = CONFIG.model_copy(update={"text_column": "body"})
        with pytest.raises(DatasetError, match=f"{name}.*body"):
            find_near_duplicates(document_files([path]), tmp_path / "work", config)
    with pytest.raises(DatasetError, match="nowhere"):
        find_near_duplicates(
            document_files([tmp_path / "nowhere.parquet"]), tmp_path / "work", CONFIG
        )


def test_too_little_memory_is_said_with_what_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "DOCUMENT_BYTES", 2**24)
    with pytest.raises(ConfigError, match="memory_bytes of 67,108,864"):
        dropped(tmp_path, [[("a", "one", 0), ("b", "two", 0)]], CONFIG)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.parquet", corpus(1))
    with pytest.raises(StorageError, match="rows.parquet"):
        find_near_duplicates(document_files([path]), path, CONFIG)
