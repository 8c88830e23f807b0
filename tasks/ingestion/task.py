"""The Prefect tasks of ingestion and chunking."""

from pathlib import Path

from prefect import task

from data_contracts.dataset import DatasetRef, StageResult, read_kept
from data_contracts.results import BaseModelRef
from data_contracts.schemas import CHUNK, DOCUMENT, SCHEMA_VERSION
from tasks.crew import cluster_crew, crew_of_settings
from tasks.ingestion.chunk import CHUNKED_COLUMNS, chunk_documents, remembered_chunks
from tasks.ingestion.config import ChunkingConfig, IngestionConfig
from tasks.ingestion.discover import Documents, describe, documents_digest, find_files
from tasks.ingestion.document import scrubber_of
from tasks.ingestion.file_hashes import with_hashes
from tasks.ingestion.ingest import ingest_documents
from tasks.ingestion.sources import DocumentFile
from tasks.memo import Memo
from tasks.modeling.tokens import token_counter, tokenizer_sha256
from tasks.shared_lists import forgotten_of
from tasks.stage import Stage, run_stage
from tasks.tracking import RunContext

INGESTION = Stage(name="ingestion", version=2, schema=DOCUMENT, suite="ingestion")
CHUNKING = Stage(name="chunking", version=2, schema=CHUNK, suite="chunking")


@task(name="ingest", persist_result=False)
def ingest(
    documents: Documents, config: IngestionConfig, context: RunContext, name: str = "temper"
) -> DatasetRef:
    """Read, parse and clean the documents of folders, globs or fsspec addresses.

    Args:
        documents: Where they lie.
        config: Options.
        context: Home folder and MLflow run.
        name: Of the profile; what was forgotten under it is not read.
    """
    forgotten = forgotten_of(context.home, name)
    cache = context.home / "cache" / INGESTION.name
    files = _hashed_files(documents, config, cache)
    parents = {
        "documents": documents_digest(files),
        "scrubbing_key": scrubber_of(config.scrubbing).key_name,
    }
    if forgotten.documents:
        parents["forgotten"] = forgotten.digest()
    # how many processes parse and how files are compared are the machine's affair
    # and no part of the dataset's name
    named = config.model_copy(update={"workers": None, "trust_file_times": True})
    return run_stage(
        INGESTION,
        context,
        named,
        parents,
        lambda: ingest_documents(documents, config, cache, forgotten, files, cluster_crew()),
    )


def _hashed_files(documents: Documents, config: IngestionConfig, cache: Path) -> list[DocumentFile]:
    """List the files; those that are as they were in the last run are not read for it."""
    files = find_files(documents, config)
    if not config.trust_file_times:
        return with_hashes(files, None)
    with Memo(cache, ["file hashes", describe(documents)]) as memo:
        return with_hashes(files, memo)


@task(name="chunk", persist_result=False)
def chunk(
    documents: DatasetRef, config: ChunkingConfig, base: BaseModelRef, context: RunContext
) -> DatasetRef:
    """Cut the documents into chunks that fit the base model's context."""
    parents = {
        "documents": documents.fingerprint,
        "tokenizer": tokenizer_sha256(base.folder),
    }

    def compute() -> StageResult:
        basis = [CHUNKING.version, SCHEMA_VERSION, options, parents["tokenizer"]]
        known = remembered_chunks(context.home / "cache" / CHUNKING.name, basis)
        count = token_counter(base.folder)
        table = read_kept(documents, CHUNKED_COLUMNS)
        return chunk_documents(table, config, count, known, crew_of_settings())

    options = config.model_dump(mode="json")
    return run_stage(CHUNKING, context, config, parents, compute)
