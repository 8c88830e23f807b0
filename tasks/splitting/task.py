"""The Prefect task of splitting."""

from prefect import task

from data_contracts.dataset import DatasetRef, StageResult, dataset_fingerprint, read_kept
from data_contracts.schemas import EXAMPLE
from tasks.file_lock import one_at_a_time
from tasks.splitting.config import SplittingConfig
from tasks.splitting.ledger import Ledger, known_to_all, ledger_path, tell_all
from tasks.splitting.origins import read_origins
from tasks.splitting.split import split_examples
from tasks.stage import Stage, run_stage
from tasks.tracking import RunContext

SPLITTING = Stage(name="splitting", version=3, schema=EXAMPLE, suite="splitting")


@task(name="split")
def split(
    examples: DatasetRef,
    config: SplittingConfig,
    context: RunContext,
    documents: DatasetRef | None = None,
    name: str = "temper",
) -> DatasetRef:
    """Divide curated examples into train, validation and test.

    Args:
        examples: Rows with groups.
        config: Shares, strategy, salt.
        context: Home folder and MLflow run.
        documents: The documents that the rows come from: their dates and sources.
        name: Of the profile; documents keep their sides within a name, `salt` and `by`.
    """
    table = read_kept(examples)
    parents = {"examples": examples.fingerprint}
    if documents is not None:
        parents["documents"] = documents.fingerprint
    options = config.model_dump(mode="json")
    source = dataset_fingerprint(SPLITTING.name, SPLITTING.version, options, parents)
    path = ledger_path(context.home, name, config.salt, config.by)
    keeps = config.strategy.strategy != "kfold"  # every row is the test of one fold
    # two that read the same ledger would each forget the other's sides
    with one_at_a_time(context.home, path.name):
        ledger = known_to_all(path) if keeps else Ledger()
        rested_on = ledger.rests_on(source, table)

        def compute() -> StageResult:
            origins = {} if documents is None else read_origins(documents)
            return split_examples(table, config, ledger.assignment, origins)

        rests = parents if rested_on is None else {**parents, "previous": rested_on}
        ref = run_stage(SPLITTING, context, config, rests, compute)
        if keeps:
            tell_all(path, ledger.with_split(source, rested_on, table, read_kept(ref)))
    return ref
