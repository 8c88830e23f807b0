"""`temper promote`, `temper rollback`, `temper compare`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.commands.output import (
    Json,
    console,
    prefect_session,
    prepare,
    print_json,
    print_pairs,
    print_table,
)

if TYPE_CHECKING:
    from data_contracts.results import Delta, Interval
    from tasks.promotion.compare_versions import Figure, VersionComparison

Name = Annotated[str, typer.Option(help="Name of the registered model.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept in the registry beside who and when.")]


def register(app: typer.Typer) -> None:
    """Add this module's verbs."""
    for verb in (promote, rollback, compare):
        app.command()(verb)


def promote(
    reason: Reason,
    name: Name = "temper",
    version: Annotated[str, typer.Option(help="Its version; the challenger if not given.")] = "",
    json_output: Json = False,
) -> None:
    """Make a registered version the champion. Only a version that passed the gate is promoted.

    Example: temper promote --reason "read by hand and approved" --version 3
    """
    places = prepare()
    with prefect_session(places, checks=False):
        from flows.promote import promote as promote_flow

        done = promote_flow(reason, name, version or None)
    if json_output:
        print_json(done.model_dump(mode="json"))
    else:
        console.print(f"{done.name} version {done.version} is the champion.")


def rollback(
    reason: Reason,
    name: Name = "temper",
    to: Annotated[
        str, typer.Option(help="The version; the champion before the present one if not given.")
    ] = "",
    json_output: Json = False,
) -> None:
    """Make an earlier version the champion again.

    Example: temper rollback --reason "answers in the wrong language since Monday"
    """
    places = prepare()
    with prefect_session(places, checks=False):
        from flows.promote import rollback as rollback_flow

        done = rollback_flow(reason, name, to or None)
    if json_output:
        print_json(done.model_dump(mode="json"))
    else:
        console.print(f"{done.name} version {done.version} is the champion again.")


def compare(
    first: Annotated[str, typer.Argument(help="A version, or `champion` or `challenger`.")],
    second: Annotated[str, typer.Argument(help="The version it is compared with, likewise.")],
    name: Name = "temper",
    json_output: Json = False,
) -> None:
    """Compare two registered versions: figures with intervals, rows, options, libraries.

    Example: temper compare champion challenger --name temper-demo
    """
    places = prepare(quiet=json_output)
    from functools import partial

    from tasks.evaluation.compare import compare as compare_predictions
    from tasks.evaluation.config import EvaluationConfig
    from tasks.promotion.champion import resolve_version
    from tasks.promotion.compare_versions import compare_versions
    from tasks.promotion.recipe import read_record
    from tasks.tracking import connect

    mlflow = connect(places.resolved_tracking_uri)
    client = mlflow.MlflowClient()
    records = [
        read_record(mlflow, name, resolve_version(client, name, asked)) for asked in (first, second)
    ]
    found = compare_versions(
        records[0], records[1], partial(compare_predictions, config=EvaluationConfig())
    )
    if json_output:
        print_json(found.model_dump(mode="json"))
    else:
        _show(found)


def _show(found: "VersionComparison") -> None:
    first, second = (f"version {version}" for version in found.versions)
    print_table("", ["", first, second], [("verdict", *found.verdicts)])
    columns = ["set", "measure", first, "change from base", second, "change from base"]
    print_table("\nMeasured", columns, [_figure_row(figure) for figure in found.figures])
    if found.not_paired:
        console.print(f"\nNot compared row by row: {found.not_paired}", markup=False)
    else:
        title = f"\n{second} against {first}, on the same rows"
        print_table(
            title.capitalize(),
            ["set", "measure", "rows", "difference [95 % interval]", "change"],
            [_paired_row(delta) for delta in found.paired],
        )
    _show_dataset(found)
    _show_changes("Options", found.options)
    _show_changes("Libraries", found.libraries)
    pairs = {"base model": found.base, "code": found.code}
    _show_changes("Base and code", {k: pair for k, pair in pairs.items() if pair[0] != pair[1]})


def _figure_row(figure: "Figure") -> tuple[str, ...]:
    return (
        figure.set,
        figure.measure,
        *_measured(figure.first, figure.first_change),
        *_measured(figure.second, figure.second_change),
    )


def _measured(value: float | None, change: "Interval | None") -> tuple[str, str]:
    if value is None or change is None:
        return ("", "")
    return (f"{value:.3f}", _shown(change))


def _shown(interval: "Interval") -> str:
    return f"{interval.estimate:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"


def _paired_row(delta: "Delta") -> tuple[object, ...]:
    return (delta.set, delta.measure, delta.rows, _shown(delta.delta), delta.change)


def _show_dataset(found: "VersionComparison") -> None:
    console.print("\nDataset", style="bold")
    if found.not_diffed:
        console.print(f"  {found.not_diffed}", markup=False)
    elif found.dataset is None:
        console.print("  The same rows.")
    else:
        values = found.dataset.model_dump(exclude={"documents"})
        values["rows"] = " -> ".join(map(str, found.dataset.rows))
        print_pairs({**values, "documents that differ": len(found.dataset.documents)})


def _show_changes(title: str, changes: Mapping[str, tuple[Any, Any]]) -> None:
    if changes:
        rows = [(key, *pair) for key, pair in changes.items()]
        print_table(f"\n{title}", ["", "first", "second"], rows)
