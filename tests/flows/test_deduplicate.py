"""`temper deduplicate` on files as people have them."""

import csv
import gzip
import json
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from data_contracts.errors import ConfigError, DatasetError
from flows.cli import app

WORDS = [f"word{i}" for i in range(500)]


def documents() -> list[dict[str, object]]:
    """Make six documents; 3 repeats 1 with other case, 4 repeats 1 with one word replaced."""
    random = Random(4)
    texts = [random.choices(WORDS, k=60) for _ in range(4)]
    near = list(texts[1])
    near[30] = "otherwise"
    made = [texts[0], texts[1], texts[2], [w.upper() for w in texts[1]], near, texts[3]]
    return [
        {"key": f"k{i}", "body": " ".join(words), "score": i, "tags": {"n": i}}
        for i, words in enumerate(made)
    ]


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if ".jsonl" in path.suffixes:
        open_text = gzip.open if path.suffix == ".gz" else open
        with open_text(path, "wt", encoding="utf-8") as stream:
            stream.writelines(json.dumps(row) + "\n" for row in rows)
    elif path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(["key", "body", "score"])
            writer.writerows([row["key"], row["body"], row["score"]] for row in rows)
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def run(*arguments: object) -> dict[str, object]:
    answer = CliRunner().invoke(
        app, ["deduplicate", *map(str, arguments), "--json"], catch_exceptions=False
    )
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


@pytest.mark.parametrize("form", ["rows.parquet", "rows.jsonl", "rows.csv", "rows.jsonl.gz"])
@pytest.mark.parametrize("out", ["kept.parquet", "kept.jsonl"])
def test_the_best_row_stays_with_all_its_columns(tmp_path: Path, form: str, out: str) -> None:
    rows = documents()
    file, target = write(tmp_path / form, rows), tmp_path / "new" / out
    found = run(file, "--out", target, "--text", "body", "--id", "key", "--quality", "score")
    counts = {name: found[name] for name in ("documents", "kept", "exact", "near", "clusters")}
    assert counts == {"documents": 6, "kept": 4, "exact": 0, "near": 2, "clusters": 1}
    if target.suffix == ".parquet":
        kept = pq.read_table(target).to_pylist()
    else:
        kept = [json.loads(line) for line in target.read_text().splitlines()]
    expected = [rows[i] for i in (0, 2, 4, 5)]  # row 4 has the highest score of the cluster
    if "csv" in form:
        expected = [{key: str(row[key]) for key in ("key", "body", "score")} for row in expected]
    assert kept == expected
    dropped = pq.read_table(str(found["dropped"])).to_pylist()
    assert [(row["id"], row["duplicate_of"]) for row in dropped] == [("k1", "k4"), ("k3", "k4")]
    assert all(0.8 <= row["similarity"] < 1 for row in dropped)
    assert sorted(path.name for path in target.parent.iterdir()) == sorted(
        [target.name, "kept.dropped.parquet"]
    )


def test_without_names_the_first_row_of_the_first_file_stays(tmp_path: Path) -> None:
    rows = documents()
    first = write(tmp_path / "a" / "rows.jsonl", rows[:2])
    second = write(tmp_path / "b" / "rows.parquet", rows[2:])
    for files in ((first, second), (second, first)):
        found = run(*files, "--out", tmp_path / "kept.csv", "--text", "body", "--dropped",
                    tmp_path / "gone.parquet", "--workers", 2)  # fmt: skip
        dropped = pq.read_table(str(found["dropped"])).to_pylist()
        assert [(row["id"], row["duplicate_of"], row["reason"]) for row in dropped] == [
            ("b/rows.parquet#0000000002", "a/rows.jsonl#0000000002", "exact_duplicate"),
            ("b/rows.parquet#0000000003", "a/rows.jsonl#0000000002", "near_duplicate"),
        ]
        with (tmp_path / "kept.csv").open(newline="") as stream:
            assert [row["key"] for row in csv.DictReader(stream)] == ["k0", "k1", "k2", "k5"]


def test_a_document_that_another_holds_goes_and_so_does_what_repeated_it(tmp_path: Path) -> None:
    random = Random(6)
    long = random.choices(WORDS, k=200)
    part, other = long[40:140], random.choices(WORDS, k=100)
    rows = [
        {"id": "a", "text": " ".join([*part, "otherwise"])},  # near to b, whose name is larger
        {"id": "b", "text": " ".join(part)},
        {"id": "c", "text": " ".join(long)},
        {"id": "d", "text": " ".join(other)},
        {"id": "e", "text": " ".join([*other[:60], *random.choices(WORDS, k=40)])},
        {"id": "f", "text": None},
    ]
    file, out = write(tmp_path / "rows.parquet", rows), tmp_path / "kept.jsonl"
    assert run(file, "--out", out)["kept"] == 5
    found = run(file, "--out", out, "--id", "id", "--substring", 0.9)
    counts = {name: found[name] for name in ("kept", "exact", "near", "substring", "clusters")}
    assert counts == {"kept": 4, "exact": 0, "near": 0, "substring": 2, "clusters": 1}
    assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == list("cdef")
    dropped = pq.read_table(str(found["dropped"])).to_pylist()
    assert [(row["id"], row["duplicate_of"], row["reason"]) for row in dropped] == [
        ("a", "c", "substring_duplicate"),  # it repeats b's kin, which c holds
        ("b", "c", "substring_duplicate"),
    ]


def test_quality_decides_between_a_document_and_the_one_that_holds_it(tmp_path: Path) -> None:
    long = Random(6).choices(WORDS, k=200)
    rows = [
        {"id": "whole", "text": " ".join(long), "score": 1},
        {"id": "part", "text": " ".join(long[40:140]), "score": 2},
    ]
    file = write(tmp_path / "rows.parquet", rows)
    arguments = (file, "--out", tmp_path / "kept.jsonl", "--substring", 0.9)
    assert run(*arguments)["substring"] == 1
    assert run(*arguments, "--quality", "score")["substring"] == 0


@pytest.mark.model
def test_a_document_in_other_words_goes_where_it_is_asked_for(tmp_path: Path) -> None:
    texts = [
        "The office closes at six in the evening on working days.",
        "On working days, the office closes at six in the evening.",
        "The office closes at seven in the evening on working days 7.",
        "Bread is baked in an oven.",
    ]
    rows = [{"id": f"r{i}", "text": text} for i, text in enumerate(texts)]
    file, out = write(tmp_path / "rows.parquet", rows), tmp_path / "kept.jsonl"
    assert run(file, "--out", out)["kept"] == 4
    found = run(file, "--out", out, "--id", "id", "--semantic", 0.8)
    assert (found["kept"], found["semantic"]) == (3, 1)
    (dropped,) = pq.read_table(str(found["dropped"])).to_pylist()
    assert (dropped["id"], dropped["duplicate_of"]) == ("r0", "r1")  # the longer one stays


def test_more_text_than_the_memory_allows_is_refused_with_advice(tmp_path: Path) -> None:
    rows = [{"id": str(i), "text": f"{i} " * 60_000} for i in range(20)]
    file = write(tmp_path / "rows.parquet", rows)
    with pytest.raises(ConfigError, match=r"--memory"):
        run(file, "--out", tmp_path / "kept.jsonl", "--substring", 0.9, "--memory", 0.0625)


def test_what_cannot_be_read_is_counted_and_left_out(tmp_path: Path) -> None:
    file = write(tmp_path / "rows.jsonl", [{"text": "one two", "n": 1}, {"text": None, "n": "x"}])
    with file.open("a") as stream:
        stream.write('{"text": "broken\n[1]\n')
    found = run(file, "--out", tmp_path / "kept.jsonl")
    assert (found["documents"], found["kept"], found["unreadable"]) == (2, 2, 2)
    kept = [json.loads(line) for line in (tmp_path / "kept.jsonl").read_text().splitlines()]
    assert kept == [{"text": "one two", "n": "1"}, {"text": None, "n": "x"}]


def test_an_interrupted_run_goes_on_in_its_work_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks.near_duplicates import find

    file = write(tmp_path / "rows.jsonl", documents())
    arguments = (file, "--out", tmp_path / "kept.jsonl", "--text", "body", "--work", tmp_path / "w")

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(find, "link_partitions", fail)
        CliRunner().invoke(app, ["deduplicate", *map(str, arguments)])
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "w").rglob("*.arrow")}
    assert len(before) == 3  # the columns, and of one chunk documents and shingles
    assert run(*arguments)["near"] == 1
    assert all(path.stat().st_mtime_ns == then for path, then in before.items())


def test_problems_are_said_before_anything_is_done(tmp_path: Path) -> None:
    file = write(tmp_path / "rows.jsonl", documents())
    with pytest.raises(ConfigError, match=r"kept\.txt.*\.jsonl"):
        run(file, "--out", tmp_path / "kept.txt")
    with pytest.raises(DatasetError, match=r"'text'.*'body'"):
        run(file, "--out", tmp_path / "kept.jsonl")
    with pytest.raises(DatasetError, match=r"nowhere\.jsonl"):
        run(tmp_path / "nowhere.jsonl", "--out", tmp_path / "kept.jsonl")
