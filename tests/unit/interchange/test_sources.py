import gzip
import json

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_contracts.errors import ConfigError, DatasetError, UnknownName
from tasks.interchange.config import DatasetSource, ImportConfig
from tasks.interchange.fetching import on_this_machine
from tasks.interchange.locate import locate, without_places
from tasks.interchange.sources import card_licence, files_digest, source_files
from tests.unit.interchange.conftest import rows


def records(*names):
    return [
        {"question": f"What does {name} mean?", "answer": f"It means {name}."} for name in names
    ]


def put(path, listed):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in listed), encoding="utf-8")


def found(folder, **options):
    source = DatasetSource(path=str(folder), **options)
    return [(file.name, file.split) for file in source_files(source, folder)]


def answers(result):
    return sorted(row["answer"] for row in rows(result))


def test_a_dataset_that_datasets_saved_is_read(tmp_path, imported):
    datasets.Dataset.from_list(records("one", "two")).save_to_disk(tmp_path / "saved")
    assert answers(imported(tmp_path / "saved")) == ["It means one.", "It means two."]


def test_a_saved_selection_is_read_without_what_was_left_out(tmp_path, imported):
    whole = datasets.Dataset.from_list(records("one", "two", "three"))
    whole.shuffle(seed=1).select([0, 1]).save_to_disk(tmp_path / "saved")
    expected = sorted(whole.shuffle(seed=1).select([0, 1])["answer"])
    assert answers(imported(tmp_path / "saved")) == expected


def test_caches_beside_a_saved_dataset_are_not_read(tmp_path, imported):
    folder = tmp_path / "saved"
    datasets.Dataset.from_list(records("one")).save_to_disk(folder)
    mapped = datasets.load_from_disk(str(folder)).map(lambda row: {"answer": row["answer"] + "!"})
    assert list(folder.glob("cache-*.arrow"))
    assert mapped["answer"][0] == "It means one.!"
    assert answers(imported(folder)) == ["It means one."]
    (folder / "state.json").write_text("{}")
    with pytest.raises(DatasetError, match=r"state\.json is not what `save_to_disk` writes"):
        imported(folder)


def test_the_splits_of_a_saved_dictionary_are_known(tmp_path, imported):
    parts = {name: datasets.Dataset.from_list(records(name)) for name in ("train", "odd")}
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "saved")
    flags = {row["answer"]: row["flags"] for row in rows(imported(tmp_path / "saved"))}
    assert flags == {
        "It means train.": ["source_split:train"],
        "It means odd.": ["source_split:odd"],
    }
    assert answers(imported(tmp_path / "saved", splits=("odd",))) == ["It means odd."]


def test_conversations_saved_by_datasets_are_told_by_their_form(tmp_path, imported):
    turns = [{"from": "human", "value": "Who signs it?"}, {"from": "gpt", "value": "The head."}]
    datasets.Dataset.from_list([{"conversations": turns}]).save_to_disk(tmp_path / "saved")
    assert answers(imported(tmp_path / "saved")) == ["The head."]


def test_the_dataset_card_says_which_files_are_which_split(tmp_path):
    for name in ("data/a-1.jsonl", "data/a-2.jsonl", "data/b.jsonl", "notes/other.jsonl"):
        put(tmp_path / name, records(name))
    (tmp_path / "README.md").write_text(
        "---\nlicense: cc-by-4.0\nconfigs:\n- config_name: default\n  data_files:\n"
        "  - {split: train, path: 'data/a-*.jsonl'}\n  - {split: test, path: data/b.jsonl}\n---\n"
    )
    assert [(name.partition("/")[2], split) for name, split in found(tmp_path)] == [
        ("data/a-1.jsonl", "train"),
        ("data/a-2.jsonl", "train"),
        ("data/b.jsonl", "test"),
    ]
    assert card_licence(tmp_path) == "cc-by-4.0"


def test_one_of_several_subsets_must_be_chosen(tmp_path):
    for name in ("en.jsonl", "de.jsonl"):
        put(tmp_path / name, records(name))
    (tmp_path / "README.md").write_text(
        "---\nconfigs:\n- {config_name: en, data_files: en.jsonl}\n"
        "- {config_name: de, data_files: de.jsonl}\n---\n"
    )
    with pytest.raises(ConfigError, match="subsets de, en. Set `subset`"):
        found(tmp_path)
    assert found(tmp_path, subset="de") == [(f"{tmp_path.name}/de.jsonl", "train")]
    with pytest.raises(UnknownName, match="subset 'dee'"):
        found(tmp_path, subset="dee")


def test_a_card_cannot_name_files_outside_its_folder(tmp_path):
    put(tmp_path / "secret.jsonl", records("secret"))
    put(tmp_path / "set" / "a.jsonl", records("a"))
    (tmp_path / "set" / "README.md").write_text(
        "---\nconfigs:\n- {config_name: default, data_files: ['../*.jsonl', 'a.jsonl']}\n---\n"
    )
    assert found(tmp_path / "set") == [("set/a.jsonl", "train")]


def test_a_folder_without_a_card_is_all_of_its_data_files(tmp_path, imported):
    put(tmp_path / "data" / "test-00000-of-00001.jsonl", records("one"))
    put(tmp_path / ".cache" / "hidden.jsonl", records("hidden"))
    put(tmp_path / "dataset_infos.json", records("info"))
    (tmp_path / "LICENSE").write_text("CC0")
    pq.write_table(pa.Table.from_pylist(records("two")), tmp_path / "latest.parquet")
    (tmp_path / "valid.jsonl.gz").write_bytes(gzip.compress(json.dumps(records("3")[0]).encode()))
    assert [(name.partition("/")[2], split) for name, split in found(tmp_path)] == [
        ("data/test-00000-of-00001.jsonl", "test"),
        ("latest.parquet", None),
        ("valid.jsonl.gz", "validation"),
    ]
    assert answers(imported(tmp_path)) == ["It means 3.", "It means one.", "It means two."]


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(DatasetError, match="There is no dataset .*nowhere"):
        found(tmp_path / "nowhere")
    (tmp_path / "notes.md").write_text("nothing")
    with pytest.raises(DatasetError, match=r"Looked for .*\.parquet"):
        found(tmp_path)


def test_the_fingerprint_is_of_the_content_not_of_the_place(tmp_path):
    def fingerprint(folder):
        source = DatasetSource(path=str(folder))
        return files_digest([locate(source, tmp_path / "cache").files])

    for place in ("here", "there"):
        put(tmp_path / place / "set" / "a.jsonl", records("one"))
    before = fingerprint(tmp_path / "here" / "set")
    assert fingerprint(tmp_path / "there" / "set") == before
    put(tmp_path / "here" / "set" / "a.jsonl", records("two"))
    assert fingerprint(tmp_path / "here" / "set") != before
    configs = [
        ImportConfig(sources=(DatasetSource(path=f"/{place}/set"),)) for place in ("here", "there")
    ]
    assert without_places(configs[0]) == without_places(configs[1])


def test_an_address_is_brought_here(tmp_path, imported):
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/corpus/train.jsonl", json.dumps(records("one")[0]).encode())
    assert found(on_this_machine("memory://corpus", tmp_path)) == [("corpus/train.jsonl", "train")]
    single = on_this_machine("memory://corpus/train.jsonl", tmp_path)
    assert single.read_bytes() == memory.cat("/corpus/train.jsonl")


@pytest.mark.parametrize(
    ("address", "error", "message"),
    [
        ("hf://datasets/a/b/c", ConfigError, "hf://datasets/owner/name"),
        ("nosuch://bucket/a", ConfigError, "nosuch"),
        ("memory://nothing/here", DatasetError, "memory://nothing/here cannot be read"),
    ],
)
def test_an_address_that_leads_nowhere_is_an_error(tmp_path, address, error, message):
    with pytest.raises(error, match=message):
        on_this_machine(address, tmp_path)


def test_without_a_network_the_hub_is_named_and_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(DatasetError, match=r"'o/n' cannot be had from .* hub.*give the folder"):
        on_this_machine("hf://datasets/o/n", tmp_path)
