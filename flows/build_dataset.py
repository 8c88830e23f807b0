"""The data half: from documents and existing datasets to a split, audited, augmented dataset."""

from collections.abc import Sequence

from prefect import flow

from data_contracts.base import Result
from data_contracts.dataset import DatasetRef, read_kept
from data_contracts.errors import ConfigError
from data_contracts.results import BaseModelRef, LeakageCertificate
from flows.config import NOTHING, PipelineConfig, load_config
from flows.garbage import seldom_looked_for
from flows.outside import outside_rows
from flows.run import pipeline_run
from tasks.augmentation.config import AugmentationConfig
from tasks.augmentation.task import augment
from tasks.curation.config import CurationConfig
from tasks.curation.outside import OutsideRows
from tasks.curation.task import audit, curate, withdraw
from tasks.generation.task import generate
from tasks.ingestion.task import chunk, ingest
from tasks.interchange.task import import_examples
from tasks.judging.task import judge
from tasks.report.task import show_dataset, write_data_card
from tasks.selection.task import select
from tasks.splitting.task import split
from tasks.text.remembered import sharing_features
from tasks.text.rows import strings
from tasks.tracking import RunContext
from tasks.training.task import prepare_base_model


class BuiltDataset(Result):
    """The datasets of every stage, in order; the last one is what models train on."""

    name: str
    objective: str
    base: BaseModelRef
    stages: list[DatasetRef]
    certificate: LeakageCertificate

    @property
    def examples(self) -> DatasetRef:
        """The finished dataset."""
        return self.stages[-1]

    @property
    def test_rows(self) -> int:
        """How many rows are held out for the test."""
        return strings(read_kept(self.examples, ["split"]), "split").count("test")

    def stage(self, name: str) -> DatasetRef | None:
        """Return the dataset of a stage; None where rows came another way."""
        return next((ref for ref in self.stages if ref.stage == name), None)


@flow(name="build dataset", log_prints=False)
@seldom_looked_for()
def build_dataset(
    config: PipelineConfig, context: RunContext, earlier: DatasetRef | None = None
) -> BuiltDataset:
    """Make or import rows, then judge, curate, select, split, augment and audit them.

    Args:
        config: The profile.
        context: Home and parent run.
        earlier: Rows that replay draws from instead of the profile's `general`.

    Raises:
        ConfigError: The profile names neither documents nor a dataset.
    """
    if not config.has_rows:
        raise ConfigError(f"Profile {config.name}: {NOTHING}. Its sets are for `temper continual`.")
    base = prepare_base_model(config.base_model, context)
    made = _from_documents(config, base, context)
    chunks = next((ref for ref in made if ref.stage == "chunking"), None)
    imported = _from_datasets(config, base, context)
    judged = judge([*made[-1:], *imported], chunks, config.judging, context)
    with sharing_features(context.home / "cache" / "features"):
        curated = curate(judged, config.curation, context)
        selected = select(curated, config.selection, base, context)
        documents = next((ref for ref in made if ref.stage == "ingestion"), None)
        divided = split(selected, config.splitting, context, documents, config.name)
        general = [earlier] if earlier else _general(config, base, context)
        augmentation = _bounded(config)
        augmented = augment(divided, augmentation, context, base, chunks, *general)
        outside = outside_rows(
            context.home, config.name, config.splitting, divided, config.curation.benchmarks
        )
        examples, certificate = _audited(augmented, config.curation, context, outside)
    stages = [*made, *imported, judged, curated, selected, divided, *general, *examples]
    write_data_card(config.name, config.selection.objective, stages, base, context)
    return BuiltDataset(
        name=config.name,
        objective=config.selection.objective,
        base=base,
        stages=stages,
        certificate=certificate,
    )


def _from_documents(
    config: PipelineConfig, base: BaseModelRef, context: RunContext
) -> list[DatasetRef]:
    """Ingest, chunk and generate, where the profile names documents."""
    if config.documents is None:
        return []
    documents = ingest(config.documents, config.ingestion, context, config.name)
    chunks = chunk(documents, config.chunking, base, context)
    return [documents, chunks, generate(chunks, documents, config.generation, context)]


def _from_datasets(
    config: PipelineConfig, base: BaseModelRef, context: RunContext
) -> list[DatasetRef]:
    """Import the datasets that the profile names."""
    if not config.datasets.sources:
        return []
    return [import_examples(config.datasets, config.ingestion.scrubbing, base, context)]


def _general(config: PipelineConfig, base: BaseModelRef, context: RunContext) -> list[DatasetRef]:
    """Import the general rows that are to be mixed in."""
    if not config.general.sources:
        return []
    return [import_examples(config.general, config.ingestion.scrubbing, base, context)]


def _audited(
    augmented: DatasetRef,
    config: CurationConfig,
    context: RunContext,
    outside: Sequence[OutsideRows],
) -> tuple[list[DatasetRef], LeakageCertificate]:
    """Audit the dataset; where a few held-out rows are given away, audit it without them."""
    certificate = audit(augmented, config, context, outside, withdrawing=True)
    if certificate.passed:
        return [augmented], certificate
    rest = withdraw(augmented, certificate, context)
    return [augmented, rest], audit(rest, config, context, outside)


def _bounded(config: PipelineConfig) -> AugmentationConfig:
    """Return how to augment, with no row longer than training takes."""
    most = config.augmentation.max_tokens or config.training.max_length
    return config.augmentation.model_copy(update={"max_tokens": most})


@flow(name="dataset")
def dataset_pipeline(
    profile: str = "demo", documents: str | None = None, settings: Sequence[str] = ()
) -> BuiltDataset:
    """Build the dataset of a profile, without training on it.

    Args:
        profile: Name of a profile, or path of a YAML file.
        documents: Replaces the profile's documents: a folder, a pattern or an address.
        settings: Overrides such as `generation.max_rows_per_document=20`.
    """
    config = load_config(profile, documents, settings)
    with pipeline_run(config, "dataset") as context:
        built = build_dataset(config, context)
        show_dataset(built.stages, context)
        return built
