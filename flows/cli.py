"""The `temper` command."""

import sys

import typer

from data_contracts.errors import TemperError
from flows.commands import dataset, judging, models, pipeline, services

app = typer.Typer(
    name="temper",
    help="From a folder of documents to a fine-tuned model that is shown to be better, and "
    "shown not to have leaked, overfitted or forgotten.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(dataset.app, name="dataset")
for module in (pipeline, models, judging, services):
    module.register(app)


def main() -> None:
    """Run the command; an error a user can act on is one message, not a traceback."""
    try:
        app()
    except TemperError as error:
        typer.secho(f"Error: {error}", fg=typer.colors.RED, err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
