"""`temper evaluate`, `temper gate`."""

from typing import TYPE_CHECKING

import typer

from flows.commands.output import (
    Documents,
    Json,
    Overrides,
    Profile,
    prefect_session,
    prepare_profile,
    print_json,
    print_table,
)
from flows.commands.pipeline import show_verdict

if TYPE_CHECKING:
    from flows.fine_tune import JudgedModel

# Not 1 (something went wrong) and not 2 (wrong use): the gate worked and said no.
EXIT_NOT_PASSED = 3


def register(app: typer.Typer) -> None:
    """Add this module's verbs."""
    for verb in (evaluate, gate):
        app.command()(verb)


def _judged(profile: str, documents: str | None, settings: list[str] | None) -> "JudgedModel":
    places = prepare_profile(profile, documents, settings)
    with prefect_session(places):
        from flows.evaluate import evaluate_pipeline

        return evaluate_pipeline(profile, documents, settings or [])


def evaluate(
    profile: Profile = "demo",
    documents: Documents = None,
    settings: Overrides = None,
    json_output: Json = False,
) -> None:
    """Compare the profile's tuned model with its base, on the same rows.

    Example: temper evaluate demo
    """
    judged = _judged(profile, documents, settings)
    if json_output:
        print_json(judged.comparison.model_dump(mode="json"))
        return
    rows = [
        (
            delta.set,
            delta.name,
            delta.measure,
            delta.rows,
            f"{delta.base:.3f}",
            f"{delta.tuned:.3f}",
            f"{delta.delta.estimate:+.3f} [{delta.delta.low:+.3f}, {delta.delta.high:+.3f}]",
        )
        for delta in judged.comparison.deltas
    ]
    columns = ["set", "name", "measure", "rows", "base", "tuned", "change [95 % interval]"]
    print_table("", columns, rows)


def gate(
    profile: Profile = "demo",
    documents: Documents = None,
    settings: Overrides = None,
    json_output: Json = False,
) -> None:
    """Give the verdict on the profile's tuned model; exit code 0 on PASS, else 3.

    Example: temper gate demo && temper promote --reason "passed, and read by hand"
    """
    verdict = _judged(profile, documents, settings).verdict
    if json_output:
        print_json(verdict.model_dump(mode="json"))
    else:
        show_verdict(verdict)
    if verdict.outcome != "PASS":
        raise typer.Exit(EXIT_NOT_PASSED)
