"""`temper dataset export`."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.commands.output import Documents, Json, Overrides, print_json, print_pairs
from flows.commands.versions import named_version
from tasks.settings import Settings

if TYPE_CHECKING:
    from tasks.interchange.format import WritableFormat
    from tasks.scrubbing.scrub import Scrubber
    from tasks.versions.find import Version


def register(app: typer.Typer) -> None:
    """Add this module's verb."""
    app.command()(export)


def export(
    dataset: Annotated[
        str,
        typer.Argument(help="A profile, the folder of a dataset, or the start of a fingerprint."),
    ] = "demo",
    form: Annotated[
        str,
        typer.Option(
            "--format", help="openai, sharegpt, alpaca, prompt_completion (TRL) or parquet."
        ),
    ] = "openai",
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("export"),
    splits: Annotated[
        list[str] | None, typer.Option("--split", help="Only this split. May be given many times.")
    ] = None,
    redact: Annotated[
        list[str] | None,
        typer.Option(
            help="Take out personal data of a kind (email, phone, ...), or `all` kinds that need "
            "no model. May be given many times."
        ),
    ] = None,
    documents: Documents = None,
    settings: Overrides = None,
    json_output: Json = False,
) -> None:
    """Write a finished dataset for another tool: one file a split, with a card beside them.

    Example: temper dataset export demo --format sharegpt --out ./for-axolotl
    """
    writer = _writer(form)
    version = named_version(dataset, documents, settings)
    from data_contracts.dataset import read_kept, reference
    from tasks.interchange.card import Origin, write_card
    from tasks.interchange.export import export_examples, only_splits, scrubbed

    examples = only_splits(read_kept(reference(version.folder, version.manifest)), splits or [])
    counts = None
    if redact:
        examples, counts = scrubbed(examples, _scrubber(redact).scrub)
    files = export_examples(examples, writer, out)
    card = write_card(examples, writer, files, Origin(version.manifest, _licences(version), counts))
    written = {path.name: rows for path, rows in zip(files, _sizes(examples), strict=True)}
    if json_output:
        print_json({"folder": str(out), "files": written, "card": str(card), "redacted": counts})
        return
    print_pairs(
        {
            "folder": out,
            "files": ", ".join(f"{name} ({rows} rows)" for name, rows in written.items()),
            "card": card,
            "dataset": f"{version.manifest.stage}/{version.manifest.fingerprint}",
        }
    )


def _writer(name: str) -> "WritableFormat":
    from data_contracts.errors import UnknownName
    from tasks.interchange.format import writable_formats

    formats = writable_formats()
    if name not in formats:
        raise UnknownName("export format", name, formats)
    return formats[name]()


def _scrubber(kinds: Sequence[str]) -> "Scrubber":
    from tasks.scrubbing.config import ScrubbingConfig
    from tasks.scrubbing.detector import DETECTORS
    from tasks.scrubbing.scrub import scrubber

    members: list[Any] = [DETECTORS.get(kind) for kind in kinds if kind != "all"]
    config = (
        ScrubbingConfig()
        if "all" in kinds
        else ScrubbingConfig(detectors=tuple(member() for member in members))
    )
    return scrubber(config, Settings().resolved_home)


def _licences(version: "Version") -> dict[str, int]:
    """Return what the documents and imported datasets state, with how many of them do."""
    import json

    from data_contracts.dataset import read_kept, reference
    from tasks.interchange.imports import SOURCES
    from tasks.versions.find import ancestors

    stated: list[Any] = []
    for origin in ancestors(Settings().resolved_home, version):
        if origin.manifest.stage == "ingestion":
            table = read_kept(reference(origin.folder, origin.manifest))
            stated += table["licence"].to_pylist() if "licence" in table.column_names else []
        elif (origin.folder / SOURCES).is_file():
            sources = json.loads((origin.folder / SOURCES).read_text(encoding="utf-8"))
            stated += [source["licence"] for source in sources]
    return dict(Counter(str(licence) for licence in stated if licence))


def _sizes(examples: Any) -> list[int]:
    from tasks.interchange.export import by_split

    return [rows.num_rows for _, rows in by_split(examples)]
