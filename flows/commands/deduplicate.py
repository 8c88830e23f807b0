"""`temper deduplicate`."""

import shutil
from pathlib import Path
from typing import Annotated, Literal

import typer

from flows.commands.output import Json, print_json, print_pairs

_FILES = "Parquet, Arrow, JSON lines, JSON, CSV or TSV; text files also compressed."


def register(app: typer.Typer) -> None:
    """Add this module's verb."""
    app.command()(deduplicate)


def deduplicate(
    files: Annotated[list[Path], typer.Argument(help=f"The corpus. {_FILES}")],
    out: Annotated[
        Path, typer.Option("--out", help="The kept rows: .parquet, .arrow, .jsonl or .csv.")
    ],
    dropped: Annotated[
        Path | None,
        typer.Option("--dropped", help="Parquet table of the dropped; else beside --out."),
    ] = None,
    text: Annotated[str, typer.Option("--text", help="Column with the text.")] = "text",
    name: Annotated[
        str | None,
        typer.Option("--id", help="Column that names the rows; else file and row number."),
    ] = None,
    quality: Annotated[
        str | None,
        typer.Option("--quality", help="Number: of repeated rows the one with the highest stays."),
    ] = None,
    threshold: Annotated[
        float, typer.Option("--threshold", min=0.01, max=1, help="Jaccard similarity of shingles.")
    ] = 0.8,
    unit: Annotated[
        Literal["words", "characters"],
        typer.Option("--unit", help="Shingles of words, or of characters for short rows."),
    ] = "words",
    shingle_length: Annotated[
        int, typer.Option("--shingle-length", min=1, max=50, help="Words or characters in one.")
    ] = 5,
    substring: Annotated[
        float | None,
        typer.Option(
            "--substring",
            min=0.01,
            max=1,
            help="Also drop a row of whose runs of 80 characters this share stands in another.",
        ),
    ] = None,
    semantic: Annotated[
        float | None,
        typer.Option(
            "--semantic",
            min=0.01,
            max=1,
            help="Also drop a row that says the same in other words: cosine of the local encoder "
            "(some 25 rows a second and core), numbers, names and negations equal. Read what it "
            "drops: kindred rows (dental and vision insurance: 0.89) are near, too.",
        ),
    ] = None,
    memory: Annotated[
        float, typer.Option("--memory", min=0.0625, help="Memory for the data, in GiB.")
    ] = 1.0,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes.")] = 1,
    dask: Annotated[
        str | None,
        typer.Option(
            "--dask",
            help="Address of a Dask scheduler whose workers do it; they see --work and FILES by "
            "the same paths.",
        ),
    ] = None,
    work: Annotated[
        Path | None,
        typer.Option(
            "--work",
            help="Folder of intermediate results, kept; an interrupted run goes on from there. "
            "Without it one beside --out, deleted at the end.",
        ),
    ] = None,
    json_output: Json = False,
) -> None:
    """Drop exact and near-duplicates from a corpus that need not fit in memory.

    With --substring and --semantic also those that only these find, among what is left; it is
    looked for in memory.

    Example: temper deduplicate part-*.parquet --out kept.parquet --text body --workers 4
    """
    from flows import deduplicate as stage
    from tasks.curation.config import CurationConfig
    from tasks.near_duplicates.config import NearDuplicatesConfig

    config = NearDuplicatesConfig(
        threshold=threshold,
        unit=unit,
        shingle_length=shingle_length,
        id_column=name,
        text_column=text,
        quality_column=quality,
        memory_bytes=int(memory * 2**30),
        workers=workers,
        dask=dask,
    )
    curation = CurationConfig(substring_threshold=substring, semantic_threshold=semantic)
    folder = work or out.with_name(f".{out.name}.work")
    table = dropped or out.with_suffix(".dropped.parquet")
    found = stage.deduplicate(files, out, table, folder, config, curation)
    if work is None:
        shutil.rmtree(folder)
    if json_output:
        print_json(found.model_dump(mode="json"))
        return
    print_pairs(found.model_dump(mode="json"))
