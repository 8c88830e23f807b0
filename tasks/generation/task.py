"""The Prefect task of generation."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect import task

from data_contracts.dataset import DatasetRef, StageResult, read_kept
from data_contracts.schemas import EXAMPLE
from tasks.generation.config import EMBEDDED, GenerationConfig
from tasks.generation.generate import VERSION, generate_examples, needs_model
from tasks.generation.llm import ChatClient, Complete
from tasks.settings import Settings
from tasks.stage import Stage, run_stage
from tasks.tracking import RunContext

GENERATION = Stage(name="generation", version=VERSION, schema=EXAMPLE, suite="generation")


@task(name="generate")
def generate(
    chunks: DatasetRef, documents: DatasetRef, config: GenerationConfig, context: RunContext
) -> DatasetRef:
    """Make question-answer rows from chunks."""
    cache = context.home / "cache" / GENERATION.name

    def compute() -> StageResult:
        with _model(config, context) as complete:
            return generate_examples(
                read_kept(chunks), read_kept(documents), config, complete, cache
            )

    parents = {"chunks": chunks.fingerprint, "documents": documents.fingerprint}
    return run_stage(GENERATION, context, config, parents, compute)


@contextmanager
def _model(config: GenerationConfig, context: RunContext) -> Iterator[Complete | None]:
    """Yield what asks the language model, its server started if it is the embedded one."""
    from tasks.generation.embedded_server import embedded_server
    from tasks.modeling.base_model import embedded_gguf

    key = Settings().llm_api_key
    secret = key.get_secret_value() if key else None
    if not needs_model(config):
        yield None
    elif config.llm.base_url == EMBEDDED:
        with embedded_server(embedded_gguf(context.home)) as base_url:
            yield ChatClient(base_url, config.llm, api_key=None)
    else:
        yield ChatClient(config.llm.base_url, config.llm, secret)
