"""The `temper` command."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from data_contracts.errors import StorageError, TemperError
from flows.commands import (
    dataset,
    deduplicate,
    diff,
    export,
    export_model,
    forgetting,
    front,
    judging,
    leakage,
    lineage,
    models,
    pipeline,
    planning,
    registry,
    scrubbing,
    search,
    services,
    versions,
)

app = typer.Typer(
    name="temper",
    help="From a folder of documents to a fine-tuned model that is shown to be better, and "
    "shown not to have leaked, overfitted or forgotten.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"temper {version('temper')}")
        raise typer.Exit


@app.callback()
def of_all_verbs(
    tell_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_tell_version, is_eager=True, help="Print the version and stop."
        ),
    ] = False,
) -> None:
    """Take what stands before the verb."""


for module in (export, diff, versions):
    module.register(dataset.app)
app.add_typer(dataset.app, name="dataset")
app.add_typer(scrubbing.app, name="scrubbing")
for module in (
    pipeline,
    models,
    planning,
    search,
    front,
    registry,
    export_model,
    judging,
    leakage,
    deduplicate,
    lineage,
    forgetting,
    services,
):
    module.register(app)


def main() -> None:
    """Run the command; an error a user can act on is one message, not a traceback."""
    try:
        app()
    except TemperError as error:
        _fail(f"{error}\nMore: {error.help_page}", error.exit_code)
    except Exception as error:
        if not disk_is_full(error):
            raise
        _fail(
            f"The disk is full: {error}. Free disk space or set TEMPER_HOME to another disk, then "
            "run the same command again: finished work is kept.\n"
            f"More: {StorageError().help_page}",
            StorageError.exit_code,
        )


def disk_is_full(error: BaseException | None) -> bool:
    """Return whether a full disk is behind an error; databases wrap it in errors of their own."""
    while error is not None:
        text = str(error)
        if "No space left on device" in text or "database or disk is full" in text:
            return True
        error = error.__cause__ or error.__context__
    return False


def _fail(message: str, exit_code: int) -> None:
    typer.secho(f"Error: {message}", fg=typer.colors.RED, err=True)
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
