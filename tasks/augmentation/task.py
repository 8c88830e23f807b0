"""The Prefect task of augmentation."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect import task

from data_contracts.dataset import DatasetRef, StageResult, read_kept
from data_contracts.results import BaseModelRef
from data_contracts.schemas import EXAMPLE
from tasks.augmentation.augment import VERSION, Materials, augment_examples, needs_model
from tasks.augmentation.config import AugmentationConfig
from tasks.augmentation.replay import Stock
from tasks.llm.connect import language_model
from tasks.llm.request import Complete
from tasks.llm.task import llm_api_key
from tasks.modeling.tokens import token_counter, tokenizer_sha256
from tasks.stage import Stage, run_stage
from tasks.text.remembered import remembering
from tasks.tracking import RunContext

AUGMENTATION = Stage(name="augmentation", version=VERSION, schema=EXAMPLE, suite="augmentation")


@task(name="augment")
def augment(
    examples: DatasetRef,
    config: AugmentationConfig,
    context: RunContext,
    base: BaseModelRef,
    chunks: DatasetRef | None = None,
    general: DatasetRef | None = None,
) -> DatasetRef:
    """Say training rows again in other words, and mix general rows in."""
    writes = config.replay.share > 0 and config.replay.synthesise
    parents = {"examples": examples.fingerprint, "tokenizer": tokenizer_sha256(base.folder)}
    if writes:
        parents["base_model"] = base.fingerprint
    if chunks is not None and config.asking:
        parents["chunks"] = chunks.fingerprint
    if general is not None:
        parents["general"] = general.fingerprint

    def compute() -> StageResult:
        stock = Stock(read_kept(general) if general else None, base if writes else None)
        with _model(config, context) as complete:
            materials = Materials(
                cache=context.home / "cache" / AUGMENTATION.name,
                chunks=read_kept(chunks) if chunks is not None and config.asking else None,
                complete=complete,
                count=token_counter(base.folder),
                stock=stock,
                tokenizer=parents["tokenizer"],
            )
            with remembering(materials.cache):
                return augment_examples(read_kept(examples), config, materials)

    return run_stage(AUGMENTATION, context, config, parents, compute)


@contextmanager
def _model(config: AugmentationConfig, context: RunContext) -> Iterator[Complete | None]:
    """Yield what asks the language model, where an augmenter needs one."""
    if not needs_model(config):
        yield None
        return
    with language_model(config.llm, context.home, llm_api_key(config.llm)) as complete:
        yield complete
