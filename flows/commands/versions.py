"""`temper dataset versions`, and how verbs find the dataset that a user names."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.dataset import built
from flows.commands.output import Json, print_json, print_table
from tasks.settings import Settings

if TYPE_CHECKING:
    from tasks.versions.find import Version


def register(app: typer.Typer) -> None:
    """Add this module's verb."""
    app.command()(versions)


def named_version(name: str, documents: str | None, settings: list[str] | None) -> "Version":
    """Return the dataset of a folder, a fingerprint or a profile, which is built if need be.

    Raises:
        ConfigError: It is none of these, or more than one fingerprint begins like that.
    """
    from data_contracts.dataset import read_manifest
    from data_contracts.errors import ConfigError, UnknownName
    from tasks.versions.find import Version, find_version

    found = find_version(Settings().resolved_home, name)
    if found is not None:
        return found
    try:
        folder = Path(built(name, documents, settings).examples.folder)
    except UnknownName as error:
        if error.kind != "profile":
            raise
        raise ConfigError(
            f"{name!r} is no dataset: neither a folder with a manifest, nor the start of a "
            "fingerprint (`temper dataset versions --stage all` lists them), nor a profile "
            f"({', '.join(error.known)})."
        ) from error
    return Version(folder, read_manifest(folder))


def versions(
    stage: Annotated[
        str,
        typer.Option(
            help="Stage whose datasets are listed; `all` lists every stage's, `finished` those "
            "that models train on."
        ),
    ] = "finished",
    json_output: Json = False,
) -> None:
    """List the datasets there are, the newest last: what `diff` and `export` can be given.

    Example: temper dataset versions
    """
    from tasks.versions.find import FINISHED, documents_in, list_versions

    stages = {"all": (), "finished": FINISHED}.get(stage, (stage,))
    found = list_versions(Settings().resolved_home, *stages)
    rows = [
        {
            "created": version.manifest.created[:19].replace("T", " "),
            "dataset": f"{version.manifest.stage}/{version.manifest.fingerprint[:12]}",
            "rows": version.manifest.rows_kept,
            "documents": documents_in(version),
            "folder": str(version.folder),
        }
        for version in found
    ]
    if json_output:
        print_json(rows)
        return
    columns = ["created", "dataset", "rows", "documents"]
    print_table("", columns, [["" if row[c] is None else row[c] for c in columns] for row in rows])
