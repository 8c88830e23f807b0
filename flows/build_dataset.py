"""The data half: from a folder of documents to a split, audited, augmented dataset."""

from collections.abc import Sequence

from prefect import flow

from data_contracts.base import Result
from data_contracts.dataset import DatasetRef
from data_contracts.results import BaseModelRef, LeakageCertificate
from flows.config import PipelineConfig, load_config
from flows.run import pipeline_run
from tasks.augmentation.task import augment
from tasks.curation.task import audit, curate
from tasks.generation.task import generate
from tasks.ingestion.task import chunk, ingest
from tasks.splitting.task import split
from tasks.tracking import RunContext
from tasks.training.task import prepare_base_model


class BuiltDataset(Result):
    """The datasets of every stage, in order; the last one is what models train on."""

    base: BaseModelRef
    stages: list[DatasetRef]
    certificate: LeakageCertificate

    @property
    def examples(self) -> DatasetRef:
        """The finished dataset."""
        return self.stages[-1]


@flow(name="build dataset", log_prints=False)
def build_dataset(config: PipelineConfig, context: RunContext) -> BuiltDataset:
    """Ingest, chunk, generate, curate, split, augment, audit."""
    base = prepare_base_model(config.base_model, context)
    documents = ingest(config.documents, config.ingestion, context)
    chunks = chunk(documents, config.chunking, base, context)
    generated = generate(chunks, documents, config.generation, context)
    curated = curate(generated, config.curation, context)
    divided = split(curated, config.splitting, context)
    examples = augment(divided, config.augmentation, context)
    certificate = audit(examples, config.curation, context)
    stages = [documents, chunks, generated, curated, divided, examples]
    return BuiltDataset(base=base, stages=stages, certificate=certificate)


@flow(name="dataset")
def dataset_pipeline(
    profile: str = "demo", documents: str | None = None, settings: Sequence[str] = ()
) -> BuiltDataset:
    """Build the dataset of a profile, without training on it.

    Args:
        profile: Name of a profile, or path of a YAML file.
        documents: Replaces the profile's documents folder.
        settings: Overrides such as `generation.max_rows_per_document=20`.
    """
    config = load_config(profile, documents, settings)
    with pipeline_run(config, "dataset") as context:
        return build_dataset(config, context)
