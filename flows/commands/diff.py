"""`temper dataset diff`."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.commands.output import Json, console, print_json, print_pairs, print_table
from flows.commands.versions import named_version
from tasks.settings import Settings

if TYPE_CHECKING:
    from tasks.versions.diff import ChangedRow, DatasetDiff
    from tasks.versions.find import Version

_NAMES = "A profile, the folder of a dataset, or the start of a fingerprint (`dataset versions`)."


def register(app: typer.Typer) -> None:
    """Add this module's verb."""
    app.command()(diff)


def diff(
    old: Annotated[str, typer.Argument(help=_NAMES)],
    new: Annotated[str, typer.Argument(help=_NAMES)],
    rows: Annotated[bool, typer.Option("--rows", help="Show every row, before and after.")] = False,
    json_output: Json = False,
) -> None:
    """Show what changed between two versions of a dataset.

    Example: temper dataset diff 33cbf2a8 demo --rows
    """
    from data_contracts.dataset import read_kept, reference
    from tasks.versions.diff import diff_datasets

    before, after = named_version(old, None, None), named_version(new, None, None)
    tables = [read_kept(reference(v.folder, v.manifest)) for v in (before, after)]
    found = diff_datasets(*tables)
    stages = _stage_changes(before, after)
    if json_output:
        print_json({**asdict(found), "stages": stages})
        return
    _show_summary(before, after, found)
    _show_counts("Rows by split", found.by_split)
    _show_counts("Rows by kind", found.by_kind)
    _show_counts("Documents with more or fewer rows", found.by_document, None if rows else 10)
    _show_stages(stages)
    if rows:
        _show_rows(found)
    _show_alarms(found)


def _stage_changes(before: "Version", after: "Version") -> dict[str, dict[str, Any]]:
    """Return, by stage, the options that differ and the reasons that dropped other numbers."""
    from tasks.versions.diff import changed_counts, changed_options
    from tasks.versions.find import ancestors

    home = Settings().resolved_home
    old, new = (
        {v.manifest.stage: v.manifest for v in ancestors(home, version)}
        for version in (before, after)
    )
    changes = {
        stage: {
            "options": changed_options(old[stage].config, new[stage].config),
            "dropped": changed_counts(old[stage].drop_reasons, new[stage].drop_reasons),
        }
        for stage in new
        if stage in old
    }
    return {stage: change for stage, change in changes.items() if any(change.values())}


def _show_summary(before: "Version", after: "Version", found: "DatasetDiff") -> None:
    for title, version in (("old", before), ("new", after)):
        manifest = version.manifest
        name = f"{manifest.stage}/{manifest.fingerprint[:12]}"
        console.print(f"{title}: {name}, {manifest.rows_kept} rows, {manifest.created}")
    console.print()
    print_pairs(
        {
            "added": len(found.added),
            "removed": len(found.removed),
            "changed": len(found.changed),
            "unchanged": found.unchanged,
            "moved to another split": len(found.moved),
        }
    )


def _show_counts(
    title: str, counts: Mapping[str, tuple[int, int]], shown: int | None = None
) -> None:
    lines = [(name, *pair, f"{pair[1] - pair[0]:+d}") for name, pair in counts.items()]
    lines.sort(key=lambda line: (-abs(line[2] - line[1]), line[0]))
    if not lines:
        return
    console.print()
    print_table(title, ["", "old", "new", "change"], lines[:shown])
    if shown is not None and len(lines) > shown:
        console.print(f"... and {len(lines) - shown} more (--rows)")


def _show_stages(stages: Mapping[str, Mapping[str, Any]]) -> None:
    lines = [
        (stage, what, name, *pair)
        for stage, change in stages.items()
        for what, pairs in (("option", change["options"]), ("dropped as", change["dropped"]))
        for name, pair in pairs.items()
    ]
    if lines:
        console.print()
        print_table("Why", ["stage", "", "", "old", "new"], lines)


def _show_rows(found: "DatasetDiff") -> None:
    for mark, rows in (("-", found.removed), ("+", found.added)):
        for row in rows:
            console.print()
            _show_row(mark, row, ("question", "answer"))
    for pair in found.changed:
        console.print()
        _show_pair(pair)
    for pair in found.moved:
        console.print()
        old, new = pair.before["split"], pair.after["split"]
        console.print(f"> {old} -> {new}: {pair.after['question']}", markup=False)


def _show_row(mark: str, row: Mapping[str, Any], columns: Iterable[str]) -> None:
    where = f"{row['split']}, {row['kind']}, {row['document_id']}, {row['chunk_id']}"
    console.print(f"{mark} {row['example_id']} ({where})", markup=False)
    print_pairs({name: row[name] for name in columns})


def _show_pair(pair: "ChangedRow") -> None:
    row = pair.after
    where = f"{row['split']}, {row['kind']}, {row['document_id']}, {row['chunk_id']}"
    console.print(f"~ {row['example_id']} ({where})", markup=False)
    if "question" not in pair.columns:
        print_pairs({"question": row["question"]})
    for name in pair.columns:
        print_pairs({f"- {name}": pair.before[name], f"+ {name}": pair.after[name]})


def _show_alarms(found: "DatasetDiff") -> None:
    if found.leaked:
        _alarm(
            f"{len(found.leaked)} rows were held out in the old version and are trained on in the "
            "new one. Results of models trained on the two cannot be compared.",
            [pair.after["question"] for pair in found.leaked],
        )
    if found.now_trained:
        _alarm(
            f"{len(found.now_trained)} questions of the old test set are asked by the new training "
            "set.",
            found.now_trained,
        )


def _alarm(message: str, questions: Iterable[str], shown: int = 5) -> None:
    console.print(f"\nALARM: {message}", style="bold red", markup=False)
    for question in list(questions)[:shown]:
        console.print(f"  {question}", markup=False)
