"""How verbs answer: text for people on standard output, or JSON for programs."""

import json
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from flows.environment import log_to_terminal, prepare_environment
from flows.garbage import loaded_to_stay
from flows.loading import load_what_runs_use
from flows.orphans import end_with_this_process
from flows.services import prefect_api_url
from flows.temporary_server import TemporaryServer
from tasks.settings import Settings

console = Console(highlight=False, soft_wrap=True)

Profile = Annotated[
    str, typer.Argument(help="A shipped profile (demo, default, ...) or the path of a YAML file.")
]
Documents = Annotated[
    str | None,
    typer.Option(
        "--documents",
        help="A folder, a pattern ('docs/**/*.md') or an address (s3://...) of documents; replaces "
        "the profile's.",
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override one option: a.b=value. May be given many times."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def prepare(quiet: bool = False) -> Settings:
    """Prepare environment and logging for a verb that runs stages or services."""
    settings = Settings()
    prepare_environment(settings)
    if not quiet:
        log_to_terminal()
    return settings


def prepare_profile(profile: str, documents: str | None, overrides: list[str] | None) -> Settings:
    """Prepare a verb that runs a profile; what is wrong is said before a server starts.

    Raises:
        ConfigError: The profile or an override is not valid.
        DocumentsError: The documents folder is missing or holds no file.
        ModelError: The base model is a path that leads to no model.
    """
    settings = prepare()
    from flows.config import load_config
    from tasks.ingestion.discover import find_files
    from tasks.modeling.base_model import check_local_model

    config = load_config(profile, documents, overrides or [])
    if config.documents is not None:
        find_files(config.documents, config.ingestion)
    check_local_model(config.base_model)
    return settings


@contextmanager
def prefect_session(settings: Settings, checks: bool = True) -> Iterator[None]:
    """Use the Prefect server of `temper up` where it runs, a temporary one elsewhere.

    Import the flow inside: a temporary server starts meanwhile.

    Args:
        settings: Where the home folder is, and MLflow.
        checks: Whether stages may run, whose rows are checked.

    Raises:
        ServiceError: The temporary server ended before the body did.
    """
    with _interruption_told(), _prefect_server(settings, checks):
        yield


class _Terminated(SystemExit):
    """SIGTERM was sent; a flow passes it on to the handler from before it."""


def _terminate(number: int, frame: FrameType | None) -> None:
    raise _Terminated(128 + number)  # what a shell calls it


@contextmanager
def _interruption_told() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    except (KeyboardInterrupt, _Terminated):
        typer.secho(
            "Interrupted. What was finished is kept: the same command goes on from there.",
            fg=typer.colors.YELLOW,
            err=True,
        )
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _prefect_server(settings: Settings, checks: bool) -> Iterator[None]:
    with loaded_to_stay():
        from prefect.settings import (
            PREFECT_API_URL,
            PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
            PREFECT_SERVER_ALLOW_EPHEMERAL_MODE,
            temporary_settings,
        )
    url = prefect_api_url(settings.resolved_home)
    if url is not None and not PREFECT_API_URL.value():
        with temporary_settings({PREFECT_API_URL: url}):
            yield
        return
    end_with_this_process()  # a killed run would leave the temporary server behind
    if PREFECT_API_URL.value() or not PREFECT_SERVER_ALLOW_EPHEMERAL_MODE.value():
        yield
        return
    server = TemporaryServer()
    # Heartbeats tell a server that a run died, and this one dies with its run. Prefect also waits
    # up to a second at the end of each flow for the thread that sends them.
    silent = {PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}
    with temporary_settings({PREFECT_API_URL: server.api_url}, silent), server.watched():
        load_what_runs_use(settings, checks)
        yield


def print_json(value: Any) -> None:
    """Print a JSON-able value."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under headings; cells are shown as they are, without markup."""
    from rich.text import Text

    table = Table(*columns, title=title or None, title_justify="left", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    console.print(table)


def print_pairs(pairs: Mapping[str, object]) -> None:
    """Print names and values in two columns."""
    width = max(len(name) for name in pairs)
    for name, value in pairs.items():
        console.print(f"  {name:<{width}}  {value}", markup=False)
