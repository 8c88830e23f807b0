"""The Prefect task of importing."""

from prefect import task

from data_contracts.base import digest
from data_contracts.dataset import DatasetRef
from data_contracts.results import BaseModelRef
from data_contracts.schemas import EXAMPLE
from tasks.interchange.config import ImportConfig
from tasks.interchange.imports import VERSION, import_datasets
from tasks.interchange.locate import locate, without_places
from tasks.interchange.rows import TextTools
from tasks.interchange.sources import files_digest
from tasks.modeling.tokens import token_counter, tokenizer_sha256
from tasks.scrubbing.config import ScrubbingConfig
from tasks.scrubbing.scrub import scrubber
from tasks.stage import Stage, run_stage
from tasks.text.language import detect_language
from tasks.tracking import RunContext

IMPORT = Stage(name="import", version=VERSION, schema=EXAMPLE, suite="import")


@task(name="import", persist_result=False)
def import_examples(
    config: ImportConfig, scrubbing: ScrubbingConfig, base: BaseModelRef, context: RunContext
) -> DatasetRef:
    """Read datasets that exist already."""
    cache = context.home / "cache" / IMPORT.name
    sources = [locate(source, cache) for source in config.sources]
    scrub = scrubber(scrubbing, context.home)
    parents = {
        "files": files_digest([located.files for located in sources]),
        "scrubbing": digest([scrubbing.model_dump(mode="json"), scrub.key_name], length=32),
        "tokenizer": tokenizer_sha256(base.folder),
    }
    tools = TextTools(scrub.scrub, detect_language, token_counter(base.folder))
    tools_key = digest([parents["scrubbing"], parents["tokenizer"]])
    return run_stage(
        IMPORT,
        context,
        without_places(config),
        parents,
        lambda: import_datasets(sources, config, tools, tools_key, cache),
    )
