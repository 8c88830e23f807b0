"""The Prefect tasks of ingestion and chunking."""

from pathlib import Path

from prefect import task

from data_contracts.dataset import DatasetRef, read_kept
from data_contracts.results import BaseModelRef
from data_contracts.schemas import CHUNK, DOCUMENT
from tasks.ingestion.chunk import chunk_documents
from tasks.ingestion.config import ChunkingConfig, IngestionConfig
from tasks.ingestion.discover import documents_digest, find_files
from tasks.ingestion.ingest import ingest_documents
from tasks.ingestion.tokens import token_counter, tokenizer_sha256
from tasks.stage import Stage, run_stage
from tasks.tracking import RunContext

INGESTION = Stage(name="ingestion", version=1, schema=DOCUMENT, suite="ingestion")
CHUNKING = Stage(name="chunking", version=1, schema=CHUNK, suite="chunking")


@task(name="ingest", persist_result=False)
def ingest(documents: Path, config: IngestionConfig, context: RunContext) -> DatasetRef:
    """Read, parse and clean the documents of a folder."""
    parents = {"documents": documents_digest(find_files(documents, config))}
    cache = context.home / "cache" / INGESTION.name
    return run_stage(
        INGESTION, context, config, parents, lambda: ingest_documents(documents, config, cache)
    )


@task(name="chunk", persist_result=False)
def chunk(
    documents: DatasetRef, config: ChunkingConfig, base: BaseModelRef, context: RunContext
) -> DatasetRef:
    """Cut the documents into chunks that fit the base model's context."""
    parents = {
        "documents": documents.fingerprint,
        "tokenizer": tokenizer_sha256(base.folder),
    }
    return run_stage(
        CHUNKING,
        context,
        config,
        parents,
        lambda: chunk_documents(read_kept(documents), config, token_counter(base.folder)),
    )
