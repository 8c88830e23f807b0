"""The Prefect task of augmentation."""

from prefect import task

from data_contracts.dataset import DatasetRef, read_kept
from data_contracts.schemas import EXAMPLE
from tasks.augmentation.augment import augment_examples
from tasks.augmentation.config import AugmentationConfig
from tasks.stage import Stage, run_stage
from tasks.tracking import RunContext

AUGMENTATION = Stage(name="augmentation", version=1, schema=EXAMPLE, suite="augmentation")


@task(name="augment")
def augment(examples: DatasetRef, config: AugmentationConfig, context: RunContext) -> DatasetRef:
    """Say training rows again in other words."""
    parents = {"examples": examples.fingerprint}
    return run_stage(
        AUGMENTATION,
        context,
        config,
        parents,
        lambda: augment_examples(read_kept(examples), config),
    )
