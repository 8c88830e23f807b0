"""The two tasks on a real MLflow store, without a Prefect server."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from data_contracts.dataset import DatasetRef, read_kept, read_manifest
from data_contracts.results import BaseModelRef
from tasks.ingestion.config import ChunkingConfig, IngestionConfig
from tasks.ingestion.task import chunk, ingest
from tasks.tracking import RunContext, start_pipeline_run

# MLflow's own queries warn of SQLAlchemy's next release.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    # MLflow finds its own source class twice
    pytest.mark.filterwarnings("ignore:The specified dataset source:UserWarning"),
]


@pytest.fixture
def context(tmp_path: Path) -> RunContext:
    return start_pipeline_run(
        tmp_path / "home", f"sqlite:///{tmp_path / 'mlflow.db'}", "test", "run", {}
    )


@pytest.fixture
def base(tmp_path: Path) -> BaseModelRef:
    folder = tmp_path / "base"
    folder.mkdir()
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return BaseModelRef(name="small", folder=folder, fingerprint="f")


def test_documents_become_chunks_and_are_reused(
    tmp_path: Path, context: RunContext, base: BaseModelRef
) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "leave.md").write_text("# Leave\n\nEvery employee has 25 days of leave a year.")
    (documents / "empty.md").write_text("")

    def run() -> tuple[DatasetRef, DatasetRef]:
        read = ingest.fn(documents, IngestionConfig(), context)
        return read, chunk.fn(read, ChunkingConfig(min_tokens=5), base, context)

    read, cut = run()
    assert read_manifest(Path(read.folder)).drop_reasons == {"empty": 1}
    assert read_manifest(Path(cut.folder)).parents["documents"] == read.fingerprint
    (row,) = read_kept(cut).to_pylist()
    assert row["text"] == "Every employee has 25 days of leave a year."
    assert row["heading_path"] == ["Leave"]
    assert run() == (read, cut)
    (documents / "leave.md").write_text("# Leave\n\nEvery employee has 30 days of leave a year.")
    assert run()[1].fingerprint != cut.fingerprint
