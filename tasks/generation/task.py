"""The Prefect task of generation."""

from prefect import task

from data_contracts.dataset import DatasetRef, StageResult, read_kept
from data_contracts.schemas import EXAMPLE
from tasks.crew import crew_of_settings
from tasks.generation.config import GenerationConfig
from tasks.generation.generate import VERSION, generate_examples, needs_model
from tasks.llm.connect import language_model
from tasks.llm.task import llm_api_key
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
        tables = read_kept(chunks), read_kept(documents)
        if not needs_model(config):
            return generate_examples(*tables, config, None, cache, crew_of_settings())
        with language_model(config.llm, context.home, llm_api_key(config.llm)) as complete:
            return generate_examples(*tables, config, complete, cache)

    parents = {"chunks": chunks.fingerprint, "documents": documents.fingerprint}
    return run_stage(GENERATION, context, config, parents, compute)
