"""The Prefect task of splitting."""

from prefect import task

from data_contracts.dataset import DatasetRef, read_kept
from data_contracts.schemas import EXAMPLE
from tasks.splitting.config import SplittingConfig
from tasks.splitting.split import split_examples
from tasks.stage import Stage, run_stage
from tasks.tracking import RunContext

SPLITTING = Stage(name="splitting", version=1, schema=EXAMPLE, suite="splitting")


@task(name="split")
def split(examples: DatasetRef, config: SplittingConfig, context: RunContext) -> DatasetRef:
    """Divide curated examples into train, validation and test."""
    parents = {"examples": examples.fingerprint}
    return run_stage(
        SPLITTING, context, config, parents, lambda: split_examples(read_kept(examples), config)
    )
