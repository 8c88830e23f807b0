"""`temper trace`: from models to rows to documents, and back."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data_contracts.errors import ConfigError
from flows.commands.output import (
    Json,
    console,
    prepare,
    print_json,
    print_pairs,
    print_table,
)
from flows.commands.versions import named_version
from tasks.settings import Settings

if TYPE_CHECKING:
    from tasks.lineage.document import Containing, DocumentTrace, TunedOn
    from tasks.lineage.registered import RegisteredVersion
    from tasks.lineage.row import Passage, RowTrace
    from tasks.lineage.trained import ModelTrace
    from tasks.versions.find import Version

_LINES_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add this module's verb."""
    app.command()(trace)


def trace(
    name: Annotated[
        str,
        typer.Argument(
            help="An example_id; a document's path or document_id; a registered version as name/3, "
            "name@champion, or champion; or a model's fingerprint."
        ),
    ],
    dataset: Annotated[
        str,
        typer.Option(
            help="Where to look for a row or document: a profile, a dataset's folder or the start "
            "of its fingerprint; without one, the newest finished dataset."
        ),
    ] = "",
    model: Annotated[
        str,
        typer.Option(
            help="Name of the registered model whose champion or challenger is meant; without "
            "one, that of the profile given with --dataset, or temper."
        ),
    ] = "",
    json_output: Json = False,
) -> None:
    """Say where a row comes from, what came of a document, or what a model was trained on.

    Example: temper trace operations/berth-windows.md
    Example: temper trace 5c1f0ad29be1f6a3 --dataset demo
    Example: temper trace temper-demo@champion
    """
    places = prepare(quiet=True)
    from tasks.lineage.registered import registered_versions
    from tasks.lineage.trained import find_trained, trace_model
    from tasks.tracking import connect

    home = places.resolved_home
    registered = registered_versions(connect(places.resolved_tracking_uri).MlflowClient())
    trained = find_trained(home, registered, name, model or _model_name(dataset))
    if trained is not None:
        found = trace_model(home, registered, trained)
        print_json(found.model_dump(mode="json")) if json_output else _show_model(found)
        return
    _trace_in(dataset_to_look_in(dataset), name, registered, json_output)


def _model_name(dataset: str) -> str:
    """Return the registered model of the profile that `--dataset` names, else the default one."""
    from flows.config import load_config, profile_names
    from tasks.promotion.registry import RegistryConfig

    if dataset in profile_names() or Path(dataset).suffix in {".yaml", ".yml"}:
        return load_config(dataset).registry.model_name
    return RegistryConfig().model_name


def _trace_in(
    version: "Version", name: str, registered: "Sequence[RegisteredVersion]", json_output: bool
) -> None:
    """Trace a row or a document of a dataset.

    Raises:
        ConfigError: It is neither.
    """
    from tasks.lineage.document import trace_document
    from tasks.lineage.row import trace_row
    from tasks.versions.find import ancestors

    home = Settings().resolved_home
    lineage = ancestors(home, version)
    row = trace_row(home, lineage, name, registered)
    if row is not None:
        print_json(row.model_dump(mode="json")) if json_output else _show_row(row)
        return
    document = trace_document(home, lineage, name, registered)
    if document is None:
        raise ConfigError(
            f"{name!r} is neither a row nor a document of dataset "
            f"{version.manifest.stage}/{version.manifest.fingerprint[:12]}, nor a model. `temper "
            "dataset show` shows its rows with their identifiers; a document is named by its path "
            "below the documents folder. Another dataset is looked in with --dataset. Registered "
            f"versions: {_known(registered)}."
        )
    print_json(document.model_dump(mode="json")) if json_output else _show_document(document)


def _known(registered: "Sequence[RegisteredVersion]") -> str:
    return ", ".join(f"{v.name}/{v.version}" for v in registered[-_LINES_SHOWN:]) or "none"


def dataset_to_look_in(name: str) -> "Version":
    """Return the dataset of that name, or the newest finished one where none is named.

    Raises:
        ConfigError: There is none.
    """
    from tasks.versions.find import FINISHED, list_versions

    if name:
        return named_version(name, None, None)
    versions = list_versions(Settings().resolved_home, *FINISHED)
    if not versions:
        raise ConfigError(
            f"There is no finished dataset in {Settings().resolved_home}: run `temper dataset "
            "build` first, or name another home with TEMPER_HOME."
        )
    return versions[-1]


def _show_row(found: "RowTrace") -> None:
    row = found.row
    scores = ", ".join(f"{s['name']} {s['score']:.2f}" for s in row["scores"] or [])
    _pairs(
        {
            "row": f"{found.example_id} ({row['kind']})",
            "question": row["question"],
            "answer": row["answer"],
            "evidence": found.evidence,
            "generator": row["generator"],
            "model": row["generator_model"],
            "prompt": row["prompt_sha256"],
            "derived from": " <- ".join(found.parents),
            "rows of it": ", ".join(found.children),
            "group": row["group_id"],
            "split": row["split"],
            "scores": scores,
            "flags": ", ".join(row["flags"] or []),
        }
    )
    for passage in found.passages:
        console.print()
        _show_passage(passage)
    console.print()
    lines = [
        (s.example_id, s.stage, s.fingerprint[:12], s.outcome, s.reason or "", s.detail or "")
        for s in found.steps
    ]
    print_table("", ["row", "stage", "dataset", "it was", "reason", ""], lines)
    _show_registered(f"In {len(found.registered)} registered versions", found.registered)


def _show_passage(passage: "Passage") -> None:
    span = None if passage.start is None else f"characters {passage.start} to {passage.end}"
    _pairs(
        {
            "document": passage.path or passage.document_id,
            "title": passage.title,
            "SHA-256": passage.sha256,
            "chunk": passage.chunk_id,
            "page": passage.page,
            "span": span,
            "text": passage.text,
        }
    )


def _show_document(found: "DocumentTrace") -> None:
    for document in found.documents:
        names = ("path", "document_id", "sha256", "media_type", "parser", "title", "language")
        _pairs({name: document[name] for name in (*names, "reason", "detail") if name in document})
        console.print()
    lines = [
        (c["chunk_id"], c["page"] or "", f"{c['start']}-{c['end']}", c.get("reason") or "kept",
         " > ".join(c["heading_path"] or []))
        for c in found.chunks
    ]  # fmt: skip
    print_table(f"{len(lines)} chunks", ["chunk", "page", "span", "", "under"], lines)
    _show_rows(found.rows)
    show_versions(found.versions, found.models, found.registered)


def _show_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    lines = [
        (r["example_id"], r["split"] or "", r["last_stage"], r.get("reason") or "kept",
         r["question"])
        for r in rows
    ]  # fmt: skip
    _print_some(f"{len(rows)} rows", ["row", "split", "last stage", "", "question"], lines)


def _show_model(found: "ModelTrace") -> None:
    others = {f"{split} rows": n for split, n in found.splits.items() if split != "train"}
    _pairs({"model": found.model, "dataset": found.dataset, "folder": found.folder} | others)
    _show_registered("Registered as", found.registered)
    documents = [(d["path"] or d["document_id"], d["chunks"], d["rows"]) for d in found.documents]
    title = f"{len(documents)} documents"
    _print_some(title, ["document", "chunks", "training rows"], documents)
    rows = [
        (r["example_id"], r["kind"], r["chunk_id"], r["path"] or r["document_id"], r["question"])
        for r in found.rows
    ]
    title = f"{len(rows)} training rows on {len(found.chunks)} chunks"
    _print_some(title, ["row", "kind", "chunk", "document", "question"], rows)


def show_versions(
    versions: "Sequence[Containing]",
    models: "Sequence[TunedOn]",
    registered: "Sequence[RegisteredVersion]",
) -> None:
    """Print the dataset versions that hold a document, and the models trained on these."""
    console.print()
    lines = [(f"{v.stage}/{v.fingerprint[:12]}", v.created, v.kept, v.dropped) for v in versions]
    title = f"In {len(lines)} dataset versions"
    print_table(title, ["dataset", "created", "rows kept", "dropped"], lines)
    console.print()
    trained = [
        (m.fingerprint[:12], m.method, m.created, ", ".join(name[:12] for name in m.datasets))
        for m in models
    ]
    print_table(f"In {len(trained)} models", ["model", "method", "created", "trained on"], trained)
    _show_registered(f"In {len(registered)} registered versions", registered)


def _show_registered(title: str, registered: "Sequence[RegisteredVersion]") -> None:
    console.print()
    lines = [
        (f"{v.name}/{v.version}", ", ".join(v.aliases), v.verdict, v.model[:12]) for v in registered
    ]
    print_table(title, ["version", "aliases", "verdict", "model"], lines)


def _print_some(title: str, columns: Sequence[str], lines: Sequence[Sequence[object]]) -> None:
    console.print()
    print_table(title, columns, lines[:_LINES_SHOWN])
    if len(lines) > _LINES_SHOWN:
        console.print(f"... and {len(lines) - _LINES_SHOWN} more (--json)")


def _pairs(pairs: Mapping[str, object]) -> None:
    print_pairs({name: value for name, value in pairs.items() if value not in (None, "", [])})
