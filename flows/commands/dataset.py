"""`temper dataset build` and `temper dataset show`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    from data_contracts.dataset import Manifest
    from flows.build_dataset import BuiltDataset
    from tasks.report.card_content import DataCard

app = typer.Typer(help="Build, look at, compare and export datasets.", no_args_is_help=True)


def built(profile: str, documents: str | None, settings: list[str] | None) -> "BuiltDataset":
    """Return the profile's dataset, building what does not exist yet."""
    places = prepare_profile(profile, documents, settings)
    with prefect_session(places):
        from flows.build_dataset import dataset_pipeline

        return dataset_pipeline(profile, documents, settings or [])


@app.command()
def build(
    profile: Profile = "demo",
    documents: Documents = None,
    settings: Overrides = None,
    json_output: Json = False,
) -> None:
    """Build the dataset of a profile, without training on it.

    Example: temper dataset build demo --documents ./handbook
    """
    dataset = built(profile, documents, settings)
    if json_output:
        print_json(dataset.model_dump(mode="json"))
        return
    _show_funnel(_manifests(dataset))
    console.print()
    print_pairs(
        {
            "folder": dataset.examples.folder,
            "fingerprint": dataset.examples.fingerprint,
            "content": dataset.examples.content_sha256,
            "audit": "passed" if dataset.certificate.passed else "failed",
        }
    )


@app.command()
def show(
    profile: Profile = "demo",
    documents: Documents = None,
    settings: Overrides = None,
    rows: Annotated[int, typer.Option(help="How many rows to show.")] = 6,
    split: Annotated[str, typer.Option(help="Show rows of this split only.")] = "",
    dropped: Annotated[str, typer.Option(help="Show rows this stage dropped, with reasons.")] = "",
    document: Annotated[str, typer.Option(help="Show what cleaning changed in one document.")] = "",
    card: Annotated[
        Path | None, typer.Option(help="Write the data card to this file (.html or .md).")
    ] = None,
    json_output: Json = False,
) -> None:
    """Show a dataset: warnings, the funnel with reasons, splits, kinds, and rows with lineage.

    Example: temper dataset show demo --split test --rows 20
    Example: temper dataset show demo --dropped generation
    Example: temper dataset show demo --document operations/berth-windows.md
    Example: temper dataset show demo --card card.html
    """
    dataset = built(profile, documents, settings)
    if document:
        _show_document(dataset, document)
    elif dropped:
        _show_dropped(dataset, dropped, rows)
    elif card is not None:
        _write_card(dataset, card)
    elif json_output:
        print_json(_card(dataset).model_dump(mode="json"))
    else:
        _show_warnings(dataset)
        _show_funnel(_manifests(dataset))
        _show_examples(dataset, rows, split)


def _card(dataset: "BuiltDataset") -> "DataCard":
    from tasks.modeling.tokens import token_counter
    from tasks.report.card_content import describe

    count_tokens = token_counter(dataset.base.folder)
    return describe(dataset.name, dataset.objective, dataset.stages, count_tokens)


def _write_card(dataset: "BuiltDataset", path: Path) -> None:
    from tasks.report.card import write_card

    if path.suffix not in {".html", ".md"}:
        raise ConfigError(f"--card {path}: the file must end in .html or .md.")
    write_card(_card(dataset), path)
    console.print(f"Data card: {path}")


def _show_warnings(dataset: "BuiltDataset") -> None:
    for ref in dataset.stages:
        path = Path(ref.folder) / "warnings.json"
        for warning in json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []:
            console.print(f"Warning. {warning}\n", style="yellow", markup=False)


def _manifests(dataset: "BuiltDataset") -> "list[Manifest]":
    from data_contracts.dataset import read_manifest

    return [read_manifest(Path(ref.folder)) for ref in dataset.stages]


def _show_funnel(manifests: "list[Manifest]") -> None:
    lines = []
    for manifest in manifests:
        reasons = ", ".join(f"{count} {reason}" for reason, count in manifest.drop_reasons.items())
        counts = (manifest.rows_in, manifest.rows_kept, manifest.rows_dropped)
        lines.append((manifest.stage, *counts, reasons))
    print_table("", ["stage", "in", "kept", "dropped", "reasons"], lines)


def _show_examples(dataset: "BuiltDataset", rows: int, split: str) -> None:
    from collections import Counter

    from data_contracts.dataset import read_kept

    examples = read_kept(dataset.examples).to_pylist()
    counts = Counter((row["split"], row["kind"]) for row in examples)
    console.print()
    print_table(
        "Rows by split and kind",
        ["split", "kind", "rows"],
        [(*key, count) for key, count in sorted(counts.items())],
    )
    shown = [row for row in examples if split in ("", row["split"])]
    step = max(1, len(shown) // max(rows, 1))
    for row in shown[::step][:rows]:
        _show_row(row)


def _show_row(row: dict[str, Any]) -> None:
    console.print()
    derived = f", derived from {row['parent_id']}" if row["parent_id"] else ""
    pairs = {
        "row": f"{row['example_id']} ({row['split']}, {row['kind']}{derived})",
        "passage": row["context"],
        "question": row["question"],
        "answer": row["answer"],
        "from": f"{row['document_id']}, chunk {row['chunk_id']}, by {row['generator']}",
    }
    print_pairs({name: value for name, value in pairs.items() if value})


def _show_dropped(dataset: "BuiltDataset", stage: str, rows: int) -> None:
    from data_contracts.dataset import read_dropped
    from data_contracts.errors import UnknownName

    refs = {ref.stage: ref for ref in dataset.stages}
    if stage not in refs:
        raise UnknownName("stage", stage, refs)
    table = read_dropped(refs[stage]).to_pylist()
    console.print(f"{len(table)} rows dropped by {stage}, {min(rows, len(table))} shown")
    for row in table[:: max(1, len(table) // max(rows, 1))][:rows]:
        console.print()
        names = ("path", "question", "answer", "text", "reason", "detail", "duplicate_of")
        print_pairs({name: row[name] for name in names if row.get(name)})


def _show_document(dataset: "BuiltDataset", document: str) -> None:
    from data_contracts.dataset import read_kept
    from data_contracts.errors import UnknownName

    rows = read_kept(dataset.stages[0]).to_pylist()
    found = [row for row in rows if document in (row["path"], row["document_id"])]
    if not found:
        raise UnknownName("document", document, [row["path"] for row in rows])
    row = found[0]
    changes = ", ".join(f"{change['kind']} {change['count']}" for change in row["changes"])
    pairs = {
        "document": row["path"],
        "read as": row["media_type"],
        "title": row["title"],
        "language": row["language"],
        "date": row["date"],
        "licence": row["licence"],
        "flags": ", ".join(row["flags"]),
        "changes": changes or "none",
    }
    print_pairs({name: value for name, value in pairs.items() if value})
    console.print("\n- as parsed   + cleaned\n", style="bold")
    _show_changes(row["raw_text"], row["text"])


def _show_changes(before: str, after: str) -> None:
    """Print the lines that cleaning changed, each with a line around it."""
    from difflib import unified_diff

    lines = unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
    shown = [line for line in lines if not line.startswith(("---", "+++"))]
    for line in shown or ["Cleaning changed nothing."]:
        style = {"-": "red", "+": "green", "@": "dim"}.get(line[:1])
        console.print("..." if line.startswith("@@") else line, style=style, markup=False)
