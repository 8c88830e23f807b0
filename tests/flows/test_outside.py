import json
from pathlib import Path

import datasets
import yaml

from data_contracts.dataset import DatasetRef
from flows.config import load_config
from flows.outside import outside_rows
from tasks.interchange.compared import read_compared
from tasks.splitting.config import SplittingConfig

ROWS = [{"question": f"What is thing {n}?", "answer": f"It is {n}."} for n in range(7)]
REF = DatasetRef(stage="splitting", fingerprint="f", folder="", content_sha256="0", rows=0)


def test_a_profile_names_benchmarks_beside_itself(tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    profile = tmp_path / "ours.yaml"
    curation = {"benchmarks": ["own.jsonl", "own.jsonl"]}
    profile.write_text(yaml.safe_dump({"documents": ".", "curation": curation}))
    benchmarks = load_config(str(profile)).curation.benchmarks
    assert set(benchmarks) == {str(tmp_path / "own.jsonl")}
    found = outside_rows(tmp_path, "ours", SplittingConfig(), REF, benchmarks[:1])
    assert [other.name for other in found] == ["benchmark own.jsonl"]
    assert found[0].rows.num_rows == 7
    assert not found[0].parentage
    both = outside_rows(tmp_path, "ours", SplittingConfig(), REF, benchmarks)
    assert {other.name for other in both} == {f"benchmark {benchmarks[0]}"}


def test_a_folder_of_hugging_face_datasets_is_read(tmp_path: Path) -> None:
    datasets.disable_progress_bars()
    whole = datasets.Dataset.from_list(ROWS)
    whole.save_to_disk(tmp_path / "one", num_shards=2)
    parts = {"train": whole.select(range(4)), "test": whole.select(range(4, 7))}
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "two")
    for folder, rows in (("one", ROWS), ("two/test", ROWS[4:]), ("two", ROWS)):
        found = read_compared(str(tmp_path / folder), tmp_path)
        said = {(row["question"], row["answer"]) for row in found.rows.to_pylist()}
        assert said == {(row["question"], row["answer"]) for row in rows}
        assert (found.records, found.unreadable) == (len(rows), 0)
