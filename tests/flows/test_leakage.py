import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from flows.cli import app

SUBJECTS = [
    "harbour",
    "linkspan",
    "ferry",
    "lantern",
    "rudder",
    "anchor",
    "galley",
    "purser",
    "mooring",
    "gangway",
]


def pair(number: int, start: str) -> dict[str, str]:
    """Return a question and an answer like no other's."""
    subject = SUBJECTS[number % len(SUBJECTS)]
    words = " ".join(f"{start}{subject}{number}{chr(97 + place)}" for place in range(12))
    return {"question": f"{start} {subject} {number}: {words[:40]}?", "answer": f"{words}."}


TRAIN = [pair(n, "own") for n in range(20)]
TEST = [pair(n, "held") for n in range(10)]
LEAKED = (2, 5)


def leaking() -> list[dict[str, str]]:
    """Return training rows: one test row verbatim, another within a longer text."""
    longer = f"{TRAIN[0]['answer']} {TEST[5]['question']} {TEST[5]['answer']} {TRAIN[1]['answer']}"
    return [*TRAIN, TEST[2], {"question": "What does the page say?", "answer": longer}]


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    if path.suffix == ".jsonl":  # written as a person might, not as json.dumps does
        lines = [json.dumps(row, indent=None, separators=(" , ", ": ")) for row in rows]
        path.write_bytes(("\r\n".join(lines) + "\r\n").encode())
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows, indent=3), encoding="utf-8")
    elif path.suffix == ".csv":
        with path.open("w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.DictWriter(stream, ["question", "answer"], quoting=csv.QUOTE_ALL)
            writer.writeheader()
            writer.writerows(row | {"answer": row["answer"] + "\nSecond line."} for row in rows)
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        lines = [f"{row['question']} {row['answer']}" for row in rows]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def run(*arguments: object) -> object:
    return CliRunner().invoke(app, ["check-leakage", *map(str, arguments), "--planted", "0"])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPER_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv", "parquet", "txt"])
def test_leaks_are_found_in_every_form_and_left_out_of_the_copy(
    tmp_path: Path, suffix: str
) -> None:
    train = write(tmp_path / "train.jsonl", leaking())
    test = write(tmp_path / f"test.{suffix}", TEST)
    cleaned = tmp_path / f"clean.{suffix}"
    result = run(train, test, "--json", "--cleaned", cleaned)
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert len(found["given_away"]) == len(LEAKED)
    assert found["share"] == len(LEAKED) / len(TEST)
    expected = [row for n, row in enumerate(TEST) if n not in LEAKED]
    wanted = write(tmp_path / f"wanted.{suffix}", expected)
    if suffix == "parquet":
        assert pq.read_table(cleaned).equals(pq.read_table(wanted))
    elif suffix == "json":
        assert json.loads(cleaned.read_bytes()) == expected
    else:
        assert cleaned.read_bytes() == wanted.read_bytes()


def test_the_training_side_can_be_cleaned(tmp_path: Path) -> None:
    train = write(tmp_path / "train.jsonl", leaking())
    test = write(tmp_path / "test.jsonl", TEST)
    cleaned = tmp_path / "clean.jsonl"
    result = run(train, test, "--clean", "train", "--cleaned", cleaned)
    assert "2 of 22 train records" in result.output
    assert cleaned.read_bytes() == write(tmp_path / "wanted.jsonl", TRAIN).read_bytes()
    assert "0 of 20" in run(cleaned, test, "--clean", "train").output


def test_decontaminate_takes_several_benchmarks(tmp_path: Path) -> None:
    train = write(tmp_path / "train.jsonl", leaking())
    first = write(tmp_path / "first.csv", TEST[:4])
    second = write(tmp_path / "second.parquet", TEST[4:])
    cleaned = tmp_path / "clean.jsonl"
    arguments = ["--against", str(first), "--against", str(second), "--cleaned", str(cleaned)]
    result = CliRunner().invoke(app, ["decontaminate", str(train), *arguments])
    assert result.exit_code == 0, result.output
    assert cleaned.read_bytes() == write(tmp_path / "wanted.jsonl", TRAIN).read_bytes()


def test_a_folder_keeps_its_files(tmp_path: Path) -> None:
    train = write(tmp_path / "train.jsonl", leaking())
    folder = tmp_path / "test"
    folder.mkdir()
    write(folder / "a.jsonl", TEST[:4])
    write(folder / "b.csv", TEST[4:])
    run(train, folder, "--cleaned", tmp_path / "clean")
    kept = [len((tmp_path / "clean" / "a.jsonl").read_text().splitlines())]
    with (tmp_path / "clean" / "b.csv").open(encoding="utf-8-sig", newline="") as stream:
        kept.append(len(list(csv.DictReader(stream))))
    assert kept == [3, 5]


@pytest.mark.parametrize("splits", [False, True])
def test_a_saved_folder_can_be_loaded_again(tmp_path: Path, splits: bool) -> None:
    datasets = pytest.importorskip("datasets")
    train = write(tmp_path / "train.jsonl", leaking())
    whole = datasets.Dataset.from_list(TEST)
    saved = datasets.DatasetDict({"test": whole}) if splits else whole
    saved.save_to_disk(tmp_path / "test", **({} if splits else {"num_shards": 2}))
    run(train, tmp_path / "test", "--cleaned", tmp_path / "clean")
    loaded = datasets.load_from_disk(str(tmp_path / "clean"))
    loaded = loaded["test"] if splits else loaded
    assert loaded.to_list() == [row for n, row in enumerate(TEST) if n not in LEAKED]
    assert loaded.features == whole.features
    before = datasets.load_from_disk(str(tmp_path / "test"))
    assert loaded._fingerprint != (before["test"] if splits else before)._fingerprint


@pytest.mark.parametrize(("allowed", "code"), [("0.1", 1), ("0.2", 0), ("0.5", 0)])
def test_a_share_above_what_is_allowed_fails(tmp_path: Path, allowed: str, code: int) -> None:
    train = write(tmp_path / "train.jsonl", leaking())
    test = write(tmp_path / "test.jsonl", TEST)
    assert run(train, test, "--fail-above", allowed).exit_code == code


def test_hostile_text_is_escaped_and_shared_words_are_marked(tmp_path: Path) -> None:
    row = {
        "question": "Who said <script>alert(1)</script> on the bridge?",
        "answer": "The </style><img src=x onerror=alert(2)> master of the old ship said it.",
    }
    train, test = (
        write(tmp_path / name, [row, *rows])
        for name, rows in (
            ("train.jsonl", TRAIN),
            ("test.jsonl", TEST),
        )
    )
    report = tmp_path / "leaks.html"
    run(train, test, "--report", report)
    page = report.read_text(encoding="utf-8")
    assert "<script" not in page
    assert "<img" not in page
    assert page.count("</style>") == 1
    assert "<mark>" in page
    assert "1 of 11 test records are given away" in page


def test_records_of_no_known_form_are_compared_by_all_their_text(tmp_path: Path) -> None:
    train, test = tmp_path / "train.jsonl", tmp_path / "test.jsonl"
    for path, rows in ((train, leaking()), (test, TEST)):
        lines = [json.dumps({"id": 1, "body": {"parts": list(row.values())}}) for row in rows]
        path.write_text("\n".join([*lines, "not json"]), encoding="utf-8")
    found = json.loads(run(train, test, "--json").output)
    assert len(found["given_away"]) == 2
    assert found["unreadable"] == 2


def test_error_rates_are_measured_on_the_records_themselves(tmp_path: Path) -> None:
    train = write(tmp_path / "train.jsonl", leaking())
    test = write(tmp_path / "test.jsonl", TEST)
    arguments = ["check-leakage", str(train), str(test), "--planted", "45", "--json"]
    found = json.loads(CliRunner().invoke(app, arguments).output)
    worth = {item["detector"]: item for item in found["accuracy"]["detectors"]}
    assert worth["containment"]["by_kind"]["embedded"] == 1
    assert worth["exact"]["by_kind"]["embedded"] == 0
    assert worth["any"]["false_alarms"] == 0
    assert not {"same_parent", "same_document"} & set(worth)
    assert not {"paraphrase", "other_question"} & set(found["accuracy"]["planted"])
