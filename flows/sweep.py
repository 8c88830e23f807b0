"""A search over options of training: the profile's dataset, then trial after trial."""

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from prefect import flow

from data_contracts.base import Result
from data_contracts.errors import TrainingError
from data_contracts.results import BaseModelRef
from data_contracts.search import SweepOutcome
from flows.anchors import require_apart_anchors
from flows.build_dataset import BuiltDataset, build_dataset
from flows.config import PipelineConfig, load_config, override, profile_of
from flows.memory import require_fit
from flows.run import pipeline_run
from tasks.report.task import show_search
from tasks.search.config import SweepConfig
from tasks.search.outcome import outcome_of
from tasks.search.space import check_space
from tasks.search.study import next_trial, opened_study, study_name
from tasks.search.task import Material, run_trial
from tasks.tracking import RunContext
from tasks.training.base_precision import held_base

if TYPE_CHECKING:
    import pyarrow as pa

    from tasks.evaluation.general import TextItem


# Rows to the tables that a trial trains on and is scored by.
Divide = Callable[["pa.Table"], Sequence["pa.Table"]]


class SweepResult(Result):
    """What a search ends with: its outcome, and each trial on the front as a profile."""

    outcome: SweepOutcome
    profiles: dict[int, str]  # number of the trial to YAML
    mlflow_run_id: str


@contextmanager
def quiet_steps() -> Iterator[None]:
    """Say nothing of single steps: of twenty trials nobody reads them, and MLflow has them."""
    logger = logging.getLogger("tasks.training.trainer")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            # peft 0.21 asks transformers 5.23 by the old name, once a trial
            warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated")
            yield
    finally:
        logger.setLevel(level)


@flow(name="sweep")
def sweep_pipeline(
    sweep: SweepConfig,
    profile: str = "demo",
    documents: str | None = None,
    settings: Sequence[str] = (),
) -> SweepResult:
    """Search for the best options of training; a search that was interrupted goes on.

    Args:
        sweep: What is searched, for what and how long.
        profile: Name of a profile, or path of a YAML file.
        documents: Replaces the profile's documents folder.
        settings: Overrides such as `training.epochs=2`, in force in every trial.
    """
    config = load_config(profile, documents, settings)
    method = config.training.method.method
    check_space(sweep.space, method, partial(override, config))
    with pipeline_run(config, "sweep") as context:
        dataset = build_dataset(config, context)
        bench = Bench(config, sweep, dataset, context)
        divide = partial(trial_tables, folds=sweep.folds)
        outcome = search(bench, study_name(sweep, identity(config, dataset)), divide)
        show_search(outcome, context)
    profiles = {
        number: profile_of(override(config, outcome.trial(number).values))
        for number in outcome.front
    }
    return SweepResult(outcome=outcome, profiles=profiles, mlflow_run_id=context.run_id)


def search(bench: "Bench", name: str, divide: Divide) -> SweepOutcome:
    """Run the trials that a search still lacks, and return its outcome.

    Args:
        bench: What trials share.
        name: Of the search in the database.
        divide: Gives the tables that a trial trains on and is scored by.

    Raises:
        TrainingError: No trial was finished.
    """
    sweep, context = bench.sweep, bench.context
    with opened_study(context.home, name, sweep) as study, quiet_steps():
        while (drawn := next_trial(study, sweep, bench.config.training.method.method)) is not None:
            trial, values = drawn
            prepare = partial(bench.material, values, divide)
            run_trial(study, trial, values, prepare, sweep, context)
        outcome = outcome_of(study, sweep)
    _require_one(outcome)
    return outcome


def identity(config: PipelineConfig, dataset: BuiltDataset) -> dict[str, Any]:
    """Return what a search's results depend on besides its own options."""
    told = config.model_dump(mode="json", include={"training", "augmentation", "evaluation"})
    if config.training.base_precision == "auto":  # as in the name of a model
        del told["training"]["base_precision"]
    rows, base = dataset.examples.content_sha256, dataset.base.fingerprint
    return {"config": told, "rows": rows, "base": base}


class Bench:
    """What all trials share: the profile's dataset, general text and the base's loss on it."""

    def __init__(
        self,
        config: PipelineConfig,
        sweep: SweepConfig,
        dataset: BuiltDataset,
        context: RunContext,
    ) -> None:
        self.config, self.sweep = config, sweep
        self.dataset, self.context = dataset, context
        self.texts = self._general()
        self.base_text: dict[str, float] = {}

    def material(self, values: Mapping[str, Any], divide: Divide) -> Material:
        """Return what a trial trains on; its dataset is made anew where its rows may differ."""
        config = override(self.config, values)
        same = config.augmentation == self.config.augmentation
        dataset = self.dataset if same else build_dataset(config, self.context)
        require_apart_anchors(config.training, config.evaluation)
        require_fit(config.training, dataset, self.context.home)
        base = held_base(dataset.base, config.training)
        return Material(
            tables=divide(read_examples(dataset)),
            base=base,
            training=config.training,
            evaluation=self.config.evaluation,
            texts=self.texts,
            base_text=self._base_text(base),
        )

    def _general(self) -> "Sequence[TextItem]":
        if "retention" not in self.sweep.objectives:
            return ()
        from tasks.evaluation.general import SHIPPED, read_general
        from tasks.evaluation.predict import pick

        found = read_general(self.config.evaluation.general_folder or SHIPPED).texts
        return pick(found, lambda item: item.item_id, self.sweep.texts)

    def _base_text(self, base: BaseModelRef) -> float:
        """Return the base's loss on the texts, in the type that the trial holds it in."""
        if not self.texts:
            return 0.0
        from tasks.search.measure import base_text_loss

        if base.measured_as not in self.base_text:
            found = base_text_loss(base, self.texts, self.config.evaluation)
            self.base_text[base.measured_as] = found
        return self.base_text[base.measured_as]


def read_examples(dataset: BuiltDataset) -> "pa.Table":
    """Return the rows of a dataset."""
    from data_contracts.dataset import read_kept

    return read_kept(dataset.examples)


def trial_tables(examples: "pa.Table", folds: int, salt: str = "folds") -> "list[pa.Table]":
    """Return rows without those of the test; or as each fold sees them."""
    import pyarrow as pa

    from tasks.splitting.folds import fold_examples

    if folds:
        return [fold_examples(examples, folds, fold, salt) for fold in range(folds)]
    seen = [split != "test" for split in examples["split"].to_pylist()]
    return [examples.filter(pa.array(seen, pa.bool_()))]


def _require_one(outcome: SweepOutcome) -> None:
    if not outcome.front:
        reasons = {trial.reason for trial in outcome.trials if trial.reason}
        raise TrainingError(
            f"None of {len(outcome.trials)} trials was finished, so there is nothing to choose: "
            + " / ".join(sorted(reasons))
        )
