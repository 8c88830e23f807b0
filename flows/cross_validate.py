"""Group k-fold cross-validation: how much the loss of a profile depends on the split.

With a search, of the search: each fold is scored by what was chosen without it.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from prefect import flow

from data_contracts.base import Result, digest
from data_contracts.errors import ConfigError
from data_contracts.search import FoldRecord
from flows.anchors import require_apart_anchors
from flows.build_dataset import BuiltDataset, build_dataset
from flows.config import PipelineConfig, load_config, override
from flows.memory import require_fit
from flows.run import pipeline_run
from flows.sweep import Bench, identity, quiet_steps, read_examples, search, trial_tables
from tasks.report.task import show_folds
from tasks.search.config import SweepConfig
from tasks.search.space import check_space
from tasks.search.study import study_name
from tasks.search.task import Material, deviation, run_fold
from tasks.tracking import RunContext
from tasks.training.task import model_fingerprint

if TYPE_CHECKING:
    import pyarrow as pa

FEWEST_FOLDS = 3


class CrossValidation(Result):
    """Losses in nats per supervised token."""

    folds: list[FoldRecord]
    mean: float
    deviation: float  # sample standard deviation over the folds
    chosen: list[dict[str, Any]]  # what the search without each fold chose; empty without one
    searched: list[float]  # the loss by which it was chosen: lower than it is on other rows
    mlflow_run_id: str


@flow(name="cross-validate")
def cross_validate_pipeline(
    profile: str = "demo",
    folds: int = 5,
    documents: str | None = None,
    settings: Sequence[str] = (),
    sweep: SweepConfig | None = None,
) -> CrossValidation:
    """Train without each fold in turn and score it; the test rows take no part.

    One fold is scored, the next one says when to stop, the others are trained on. With a search
    (nested cross-validation: Varma and Simon 2006, BMC Bioinformatics 7:91), the options are
    searched anew without each fold, so that its score is not one that chose them.

    Args:
        profile: Name of a profile, or path of a YAML file.
        folds: How many folds the groups of related rows form, 3 or more.
        documents: Replaces the profile's documents folder.
        settings: Overrides such as `training.epochs=2`.
        sweep: What is searched without each fold; it names one objective, `loss`.

    Raises:
        ConfigError: There are fewer than three folds, or the search has another objective.
        TooFewRows: There are fewer groups than folds.
    """
    if folds < FEWEST_FOLDS:
        raise ConfigError(
            f"folds is {folds}: at least {FEWEST_FOLDS} are needed, one to score, one to stop by "
            "and one to train on."
        )
    config = load_config(profile, documents, settings)
    if sweep is not None:
        _check_search(sweep, config)
    with pipeline_run(config, "cross-validation") as context:
        dataset = build_dataset(config, context)
        chosen: list[Chosen] = []
        if sweep is None:
            found = _scored(config, dataset, folds, context)
        else:
            chosen, found = _searched(Bench(config, sweep, dataset, context), folds)
        losses = [record.loss for record in found]
        mean, spread = sum(losses) / folds, deviation(losses)
        show_folds(found, f"Loss {mean:.4f} ± {spread:.4f} nats a token.", context)
    return CrossValidation(
        folds=found,
        mean=mean,
        deviation=spread,
        chosen=[values for values, _ in chosen],
        searched=[loss for _, loss in chosen],
        mlflow_run_id=context.run_id,
    )


def _scored(
    config: PipelineConfig, dataset: BuiltDataset, folds: int, context: RunContext
) -> list[FoldRecord]:
    require_apart_anchors(config.training, config.evaluation)
    require_fit(config.training, dataset, context.home)
    material = Material(
        tables=trial_tables(read_examples(dataset), folds),
        base=dataset.base,
        training=config.training,
        evaluation=config.evaluation,
    )
    model = model_fingerprint(dataset.examples, dataset.base, config.training)
    name = digest([model, folds], length=16)
    with quiet_steps():
        return [run_fold(material, fold, name, context) for fold in range(folds)]


def _check_search(sweep: SweepConfig, config: PipelineConfig) -> None:
    if sweep.objectives != ("loss",):
        raise ConfigError(
            f"A search within folds chooses one trial by its loss, and its objectives are "
            f"{', '.join(sweep.objectives)}. Search for the front with `temper sweep`."
        )
    check_space(sweep.space, config.training.method.method, partial(override, config))


Chosen = tuple[Mapping[str, Any], float]


def _searched(bench: Bench, folds: int) -> tuple[list[Chosen], list[FoldRecord]]:
    """Search without each fold, then train what was chosen and score it on the fold."""
    told = identity(bench.config, bench.dataset)
    chosen: list[Chosen] = []
    found = []
    for fold in range(folds):
        name = study_name(bench.sweep, {**told, "folds": folds, "without": fold})
        divide = partial(_without, folds=folds, fold=fold, inner=bench.sweep.folds)
        outcome = search(bench, name, divide)
        best = outcome.trial(outcome.front[0])
        chosen.append((best.values, best.objectives["loss"]))
        material = bench.material(best.values, partial(trial_tables, folds=folds))
        scored = digest([name, best.values], length=16)
        with quiet_steps():
            found.append(run_fold(material, fold, scored, bench.context))
    return chosen, found


def _without(examples: "pa.Table", folds: int, fold: int, inner: int) -> "Sequence[pa.Table]":
    """Return what a search without a fold sees: the rest, or that in folds of its own."""
    (rest,) = trial_tables(trial_tables(examples, folds)[fold], 0)
    # another salt: groups dealt by the same hashes would leave one inner fold empty
    return trial_tables(rest, inner, f"without {fold}") if inner else [rest]
