"""The short card that is laid beside an exported dataset."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from data_contracts.dataset import Manifest
from tasks.interchange.export import LINEAGE, by_split, needed_fields
from tasks.interchange.format import WritableFormat, format_name

CARD = "README.md"


@dataclass(frozen=True)
class Origin:
    """Where an exported dataset comes from.

    Attributes:
        manifest: Of the dataset.
        licences: What the documents and imported datasets state, with how many of them do.
        scrubbed: How much of each kind of personal data the export took out; None if it
            was not asked to.
    """

    manifest: Manifest
    licences: Mapping[str, int] = field(default_factory=dict)
    scrubbed: Mapping[str, int] | None = None


def write_card(
    examples: pa.Table, form: WritableFormat, files: Sequence[Path], origin: Origin
) -> Path:
    """Write the card beside the files of an export and return its path.

    The front matter tells `datasets` which file is which split.

    Args:
        examples: The rows exported.
        form: The form they were written in.
        files: The files, one a split, as `export_examples` returns them.
        origin: Where the rows come from.
    """
    path = files[0].parent / CARD
    sections = [
        _front_matter(files, form.features(needed_fields(examples, form))),
        "# Question-answer dataset\n",
        _about(examples, form, origin),
        _counts(examples),
        _licences(origin),
        _lineage(form, origin),
    ]
    path.write_text("\n".join(sections), encoding="utf-8")
    return path


def _front_matter(files: Sequence[Path], features: Sequence[Mapping[str, Any]]) -> str:
    listed = [{"split": path.stem, "path": path.name} for path in files]
    values: dict[str, Any] = {"configs": [{"config_name": "default", "data_files": listed}]}
    if features:
        values["dataset_info"] = {"features": list(features)}
    return f"---\n{yaml.safe_dump(values, sort_keys=False)}---\n"


def _about(examples: pa.Table, form: WritableFormat, origin: Origin) -> str:
    lines = [
        f"{examples.num_rows} rows, made by Temper on {origin.manifest.created[:10]}, in the form "
        f"`{format_name(form)}`. {form.note}"
    ]
    if origin.scrubbed is not None:
        taken = ", ".join(f"{n} {kind}" for kind, n in sorted(origin.scrubbed.items()))
        lines.append(f"Taken out on export: {taken or 'nothing was found'}.")
    return "\n\n".join(lines) + "\n"


def _counts(examples: pa.Table) -> str:
    splits = dict(by_split(examples))
    kinds = {name: Counter(map(str, rows["kind"].to_pylist())) for name, rows in splits.items()}
    rows = [
        (kind, *(str(kinds[name][kind]) for name in splits))
        for kind in sorted({kind for counts in kinds.values() for kind in counts})
    ]
    total = ("all", *(str(rows.num_rows) for rows in splits.values()))
    return "## Rows\n\n" + _table(("kind", *splits), [*rows, total])


def _licences(origin: Origin) -> str:
    if not origin.licences:
        return "## Licence\n\nThe sources state none. Ask their owner before passing this on.\n"
    rows = [(name, str(count)) for name, count in sorted(origin.licences.items())]
    return "## Licence\n\nWhat the sources state:\n\n" + _table(("licence", "sources"), rows)


def _lineage(form: WritableFormat, origin: Origin) -> str:
    where = (
        "Each row carries its document, chunk, generator and group."
        if form.extension == ".parquet"
        else f"`{LINEAGE}/<split>.parquet` says of each line (`line`, from 1) which document, "
        "chunk, generator and group it comes from."
    )
    names = {
        "dataset": f"{origin.manifest.stage}/{origin.manifest.fingerprint}",
        "content": origin.manifest.content_sha256,
    }
    listed = "\n".join(f"- {name}: `{value}`" for name, value in names.items())
    return f"## Lineage\n\n{listed}\n\n{where}\n"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', ' ') for cell in line)} |\n" for line in lines)
