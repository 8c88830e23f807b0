"""`temper sweep`, `temper cross-validate`."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data_contracts.errors import ConfigError
from flows.commands.output import (
    Documents,
    Json,
    Overrides,
    Profile,
    console,
    prefect_session,
    prepare_profile,
    print_json,
    print_pairs,
    print_table,
)

if TYPE_CHECKING:
    from data_contracts.search import SweepOutcome, TrialRecord
    from flows.sweep import SweepResult


def register(app: typer.Typer) -> None:
    """Add this module's verbs."""
    app.command()(sweep)
    app.command("cross-validate")(cross_validate)


def sweep(
    profile: Profile = "demo",
    space: Annotated[
        Path,
        typer.Option(
            help="YAML: path of the configuration to its values, e.g. `training.learning_rate: "
            "{type: log, low: 0.0001, high: 0.01}` or `training.batch_size: [4, 8]`."
        ),
    ] = Path("space.yaml"),
    trials: Annotated[
        int, typer.Option(help="Trials in all; those of an earlier start count.")
    ] = 20,
    objectives: Annotated[
        str, typer.Option(help="What is made small: loss, retention, or both with a comma.")
    ] = "loss",
    folds: Annotated[
        int, typer.Option(help="Score each trial by so many group folds; 0: by validation rows.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 17,
    prune: Annotated[
        bool, typer.Option(help="Stop trials that fall behind; with one objective only.")
    ] = True,
    write: Annotated[
        Path | None, typer.Option(help="Write the chosen trial as a profile to this file.")
    ] = None,
    pick: Annotated[
        int | None,
        typer.Option(help="Which trial of the front --write takes; the first if not given."),
    ] = None,
    documents: Documents = None,
    settings: Overrides = None,
    json_output: Json = False,
) -> None:
    """Search for the best options of training; the same command goes on after an interruption.

    Trials are compared on validation rows; the test rows are left for the verdict.

    Example: temper sweep demo --space space.yaml --trials 30 --write best.yaml
    Example: temper sweep demo --space space.yaml --objectives loss,retention --folds 5
    """
    from tasks.search.config import read_space

    options = {"trials": trials, "folds": folds, "seed": seed, "prune": prune}
    names = tuple(name.strip() for name in objectives.split(","))
    config = read_space(space, objectives=names, **options)
    places = prepare_profile(profile, documents, settings)
    with prefect_session(places):
        from flows.sweep import sweep_pipeline

        result = sweep_pipeline(config, profile, documents, settings or [])
    chosen = result.outcome.front[0] if pick is None else pick
    if write is not None:
        _write(write, result, chosen)
    if json_output:
        print_json(result.model_dump(mode="json"))
        return
    _show(result.outcome)
    if write is not None:
        console.print(f"\nTrial {chosen} as a profile: temper run {write}", markup=False)
    else:
        console.print("\nAdd --write FILE.yaml to get a trial of the front as a profile.")


def _write(file: Path, result: "SweepResult", number: int) -> None:
    from data_contracts.errors import ConfigError, StorageError

    if number not in result.profiles:
        known = ", ".join(map(str, result.profiles))
        raise ConfigError(f"Trial {number} is not on the front. On it: {known}.")
    try:
        file.write_text(result.profiles[number], encoding="utf-8")
    except OSError as error:
        raise StorageError(f"Cannot write the profile {file}: {error}.") from error


_MEANINGS = (
    "loss: on validation rows, nats a token. retention: by how much the loss on general text "
    "rose; below 0 it fell."
)


def _show(outcome: "SweepOutcome") -> None:
    _show_states(outcome)
    varied = list(dict.fromkeys(path for trial in outcome.trials for path in trial.values))
    best = [outcome.trial(number) for number in outcome.front]
    single = len(outcome.objectives) == 1
    title = "\nBest" if single else "\nFront: no trial is better in everything"
    shown = best if not single else _ranked(outcome)[:5]
    columns = ["trial", *outcome.objectives, *map(_short, varied)]
    print_table(title, columns, [_row(trial, outcome.objectives, varied) for trial in shown])
    console.print(_MEANINGS)
    _show_importances(outcome)
    failed = [trial for trial in outcome.trials if trial.reason]
    if failed:
        rows = [(trial.number, trial.reason) for trial in failed]
        print_table("\nFailed", ["trial", "why"], rows)


def _show_states(outcome: "SweepOutcome") -> None:
    counts = Counter(trial.state for trial in outcome.trials)
    told = ", ".join(f"{counts[state]} {state}" for state in sorted(counts))
    seconds = sum(trial.seconds for trial in outcome.trials)
    console.print()
    print_pairs(
        {
            "search": outcome.study,
            "trials": f"{len(outcome.trials)}: {told}",
            "time": f"{seconds:.0f} s, {seconds / max(len(outcome.trials), 1):.1f} s a trial",
        }
    )


def _ranked(outcome: "SweepOutcome") -> "list[TrialRecord]":
    complete = [trial for trial in outcome.trials if trial.state == "complete"]
    return sorted(complete, key=lambda trial: tuple(trial.objectives.values()))


def _row(
    trial: "TrialRecord", objectives: tuple[str, ...], varied: list[str]
) -> tuple[object, ...]:
    figures = [_objective(trial, name) for name in objectives]
    return (trial.number, *figures, *(_value(trial.values.get(path, "-")) for path in varied))


def _objective(trial: "TrialRecord", name: str) -> str:
    spread = trial.figures.get("loss_deviation")
    spread_text = f" ± {spread:.4f}" if name == "loss" and spread is not None else ""
    return f"{trial.objectives[name]:.4f}{spread_text}"


def _value(value: object) -> object:
    return f"{value:.3g}" if isinstance(value, float) else value


def _short(path: str) -> str:
    return path.removeprefix("training.").removeprefix("method.")


def _show_importances(outcome: "SweepOutcome") -> None:
    shares = outcome.importances
    paths = list(dict.fromkeys(path for found in shares.values() for path in found))
    if not paths:
        console.print("\nWhat mattered is not known: it takes 10 finished trials.")
        return
    names = list(shares)
    rows = [(path, *(f"{shares[name].get(path, 0.0):.0%}" for name in names)) for path in paths]
    print_table("\nWhat mattered", ["path", *names], rows)
    others = {path for trial in outcome.trials for path in trial.values} - set(paths)
    if others:
        told = ", ".join(sorted(others))
        console.print(f"Not ranked, since only some trials have it: {told}", markup=False)


def cross_validate(
    profile: Profile = "demo",
    folds: Annotated[int, typer.Option(help="How many folds the groups form, 3 or more.")] = 5,
    space: Annotated[
        Path | None,
        typer.Option(help="Search this space anew without each fold, as `temper sweep` does."),
    ] = None,
    trials: Annotated[
        int | None, typer.Option(help="Trials of each search of --space; 20 without a number.")
    ] = None,
    documents: Documents = None,
    settings: Overrides = None,
    json_output: Json = False,
) -> None:
    """Train without each fold in turn and score it: how much the loss depends on the split.

    Groups of related rows are never torn apart, and the test rows take no part. With a space, a
    fold's score is of options that were chosen without it: what to expect of a search.

    Example: temper cross-validate demo --folds 5
    Example: temper cross-validate demo --folds 3 --space space.yaml --trials 10
    """
    from tasks.search.config import read_space

    if trials is not None and space is None:
        raise ConfigError(
            "--trials counts those of a search, and no --space says what to search. Name one."
        )
    options = {} if trials is None else {"trials": trials}
    searched = None if space is None else read_space(space, **options)
    places = prepare_profile(profile, documents, settings)
    with prefect_session(places):
        from flows.cross_validate import cross_validate_pipeline

        found = cross_validate_pipeline(profile, folds, documents, settings or [], searched)
    if json_output:
        print_json(found.model_dump(mode="json"))
        return
    rows = [
        (
            record.fold,
            f"{record.loss:.4f}",
            f"{record.validation_loss:.4f}",
            record.train_rows,
            record.scored_rows,
            f"{record.best_step} of {record.steps}",
            f"{record.seconds:.0f} s",
        )
        for record in found.folds
    ]
    columns = ["fold", "loss", "validation", "trained rows", "scored rows", "best step", "time"]
    print_table("", columns, rows)
    if found.chosen:
        chosen = [
            (fold, f"{loss:.4f}", ", ".join(f"{_short(p)} {_value(v)}" for p, v in values.items()))
            for fold, (values, loss) in enumerate(zip(found.chosen, found.searched, strict=True))
        ]
        print_table("\nChosen without the fold", ["fold", "loss of the choice", "values"], chosen)
    console.print(
        f"\nLoss {found.mean:.4f} ± {found.deviation:.4f} nats a token: mean and standard "
        f"deviation of {len(found.folds)} folds."
    )
