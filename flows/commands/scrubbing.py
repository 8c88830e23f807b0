"""`temper scrubbing check` and `temper scrubbing reveal`."""

from pathlib import Path
from typing import Annotated

import typer

from data_contracts.errors import ConfigError
from flows.commands.output import Json, print_json, print_table
from tasks.settings import Settings

app = typer.Typer(help="What scrubbing finds, and what it took out.", no_args_is_help=True)

TextFile = Annotated[
    Path, typer.Argument(allow_dash=True, dir_okay=False, help="A text; - is stdin.")
]


def _read(path: Path) -> str:
    if str(path) == "-":
        return typer.get_text_stream("stdin").read()
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}. Expected a file.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path} is not UTF-8 text: {error}. Expected plain text, Markdown or JSON lines."
        ) from error


@app.command()
def check(file: TextFile, json_output: Json = False) -> None:
    """Show what would be replaced in a text, by the default detectors. Shows the values.

    Example: temper scrubbing check notes.md
    """
    from tasks.scrubbing.config import ScrubbingConfig
    from tasks.scrubbing.scrub import Scrubber

    text = _read(file)
    rows = [
        (finding.kind, text.count("\n", 0, finding.start) + 1, text[finding.start : finding.end])
        for finding in Scrubber(ScrubbingConfig()).find(text)
    ]
    if json_output:
        print_json([dict(zip(("kind", "line", "value"), row, strict=True)) for row in rows])
        return
    print_table(f"{len(rows)} found", ("kind", "line", "value"), rows)


@app.command()
def reveal(file: TextFile) -> None:
    """Print a scrubbed text with its values; needs the key it was scrubbed with.

    Example: TEMPER_SCRUBBING_KEY=... temper scrubbing reveal answer.txt
    """
    from tasks.scrubbing.vault import restore

    settings = Settings()
    if settings.scrubbing_key is None:
        raise ConfigError(
            "No key is set. Set TEMPER_SCRUBBING_KEY to the one the text was scrubbed with."
        )
    key = settings.scrubbing_key.get_secret_value()
    typer.echo(restore(_read(file), key, settings.resolved_home), nl=False)
