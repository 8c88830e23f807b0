import pyarrow.parquet as pq
import pytest
import yaml

from data_contracts.errors import ConfigError, StorageError
from tasks.interchange.card import Origin, write_card
from tasks.interchange.export import export_examples, only_splits, scrubbed
from tasks.interchange.format import FORMATS
from tests.unit.interchange.conftest import manifest

OPENAI = FORMATS.get("openai")()


@pytest.fixture
def divided(table):
    return table(
        [
            {"split": "test", "kind": "fact"},
            {"split": "train", "kind": "fact"},
            {"split": "train", "kind": "list", "document_id": "doc-x"},
        ]
    )


def test_each_split_is_a_file(divided, tmp_path):
    files = export_examples(divided, OPENAI, tmp_path / "new")
    assert [path.name for path in files] == ["train.jsonl", "test.jsonl"]
    assert [len(path.read_text().splitlines()) for path in files] == [2, 1]


def test_every_line_has_its_lineage(divided, tmp_path):
    export_examples(divided, OPENAI, tmp_path)
    lineage = pq.read_table(tmp_path / "lineage" / "train.parquet").to_pylist()
    assert [(row["line"], row["document_id"]) for row in lineage] == [
        (1, "doc-row-1"),
        (2, "doc-x"),
    ]
    assert not {"question", "answer", "context", "history"} & lineage[0].keys()


def test_parquet_carries_its_lineage_itself(divided, tmp_path):
    export_examples(divided, FORMATS.get("parquet")(), tmp_path)
    assert not (tmp_path / "lineage").exists()
    assert pq.read_table(tmp_path / "test.parquet").to_pylist() == divided.slice(0, 1).to_pylist()


def test_nothing_is_overwritten(divided, tmp_path):
    (tmp_path / "test.jsonl").write_text("mine")
    with pytest.raises(ConfigError, match=r"already holds test\.jsonl"):
        export_examples(divided, OPENAI, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["test.jsonl"]


def test_nothing_is_written_if_one_row_cannot_be_held(table, tmp_path):
    odd = [{"role": "assistant", "content": "Hello"}]
    rows = table([{"split": "train"}, {"split": "test", "history": odd}])
    with pytest.raises(ConfigError, match="row-1"):
        export_examples(rows, FORMATS.get("alpaca")(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_said(divided, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="Cannot write the export"):
        export_examples(divided, OPENAI, tmp_path / "file")


def test_rows_that_were_not_divided_are_one_file(table, tmp_path):
    [path] = export_examples(table([{}]), OPENAI, tmp_path)
    assert path.name == "data.jsonl"


def test_only_the_splits_asked_for(divided, tmp_path):
    assert only_splits(divided, ["test"]).num_rows == 1
    assert only_splits(divided, []).equals(divided)
    with pytest.raises(ConfigError, match="no split 'tests'. Splits: train, test"):
        only_splits(divided, ["tests"])
    with pytest.raises(ConfigError, match="no row"):
        export_examples(divided.slice(0, 0), OPENAI, tmp_path)


def test_personal_data_is_taken_out_of_every_text(table, scrubbing):
    mail = "jane.doe@gsa.gov"
    rows = table(
        [
            {
                "history": [{"role": "user", "content": f"I am {mail}"}],
                "context": f"{mail} knows.",
                "question": f"Who is {mail}?",
                "answer": f"{mail} is Jane.",
            },
            {},
        ]
    )
    clean, counts = scrubbed(rows, scrubbing.scrub)
    assert mail not in str(clean.to_pylist())
    assert counts == {"email": 4}
    assert clean.slice(1).equals(rows.slice(1))


def test_the_card_counts_rows_and_names_licences_and_origin(divided, tmp_path):
    files = export_examples(divided, OPENAI, tmp_path)
    origin = Origin(manifest(), {"CC0-1.0": 2}, {"email": 3})
    card = write_card(divided, OPENAI, files, origin).read_text()
    front = yaml.safe_load(card.split("---")[1])
    listed = front["configs"][0]["data_files"]
    assert [(f["split"], f["path"]) for f in listed] == [
        ("train", "train.jsonl"),
        ("test", "test.jsonl"),
    ]
    for line in (
        "3 rows, made by Temper on 2026-01-02, in the form `openai`.",
        "| fact | 1 | 1 |",
        "| list | 1 | 0 |",
        "| all | 2 | 1 |",
        "| CC0-1.0 | 2 |",
        "Taken out on export: 3 email.",
        f"`augmentation/{'f' * 32}`",
    ):
        assert line in card
    assert "state none" in write_card(divided, OPENAI, files, Origin(manifest())).read_text()


def test_a_table_of_an_older_schema_is_exported(divided, tmp_path):
    older = divided.drop_columns(["knowledge", "scores"])
    for name in ("openai", "parquet"):
        [first, _] = export_examples(older, FORMATS.get(name)(), tmp_path / name)
        assert first.is_file()
