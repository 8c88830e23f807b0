"""`temper trace`, from rows to documents and back, and `temper forget`, a dataset without one."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data_contracts.errors import ConfigError
from flows.commands.dataset import built
from flows.commands.output import (
    Documents,
    Json,
    Overrides,
    Profile,
    console,
    prepare_profile,
    print_json,
    print_pairs,
    print_table,
)
from flows.commands.versions import named_version
from tasks.settings import Settings

if TYPE_CHECKING:
    from tasks.lineage.document import Containing, DocumentTrace, TunedOn
    from tasks.lineage.forget import Forgetting
    from tasks.lineage.row import Passage, RowTrace
    from tasks.versions.find import Version

_ROWS_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add this module's verbs."""
    app.command()(trace)
    app.command()(forget)


def trace(
    name: Annotated[
        str,
        typer.Argument(help="An example_id; or a document's path, or its document_id."),
    ],
    dataset: Annotated[
        str,
        typer.Option(
            help="Where to look: a profile, a dataset's folder or the start of its fingerprint; "
            "without one, the newest finished dataset."
        ),
    ] = "",
    json_output: Json = False,
) -> None:
    """Say where a row comes from, or what came of a document.

    Example: temper trace operations/berth-windows.md
    Example: temper trace 5c1f0ad29be1f6a3 --dataset demo
    """
    from tasks.lineage.document import trace_document
    from tasks.lineage.row import trace_row
    from tasks.versions.find import ancestors

    home = Settings().resolved_home
    version = dataset_to_look_in(dataset)
    lineage = ancestors(home, version)
    row = trace_row(lineage, name)
    if row is not None:
        print_json(row.model_dump(mode="json")) if json_output else _show_row(row)
        return
    document = trace_document(home, lineage, name)
    if document is None:
        raise ConfigError(
            f"{name!r} is neither a row nor a document of dataset "
            f"{version.manifest.stage}/{version.manifest.fingerprint[:12]}. `temper dataset show` "
            "shows its rows with their identifiers; a document is named by its path below the "
            "documents folder. Another dataset is looked in with --dataset."
        )
    print_json(document.model_dump(mode="json")) if json_output else _show_document(document)


def forget(
    document: Annotated[
        str, typer.Argument(help="Path of the document below its folder, or its document_id.")
    ],
    profile: Profile = "demo",
    documents: Documents = None,
    settings: Overrides = None,
    purge: Annotated[
        bool, typer.Option("--purge", help="Delete the dataset versions that hold it, for good.")
    ] = False,
    json_output: Json = False,
) -> None:
    """Build a profile's dataset without a document, and prove that nothing of it is left.

    The profile does not read it again, nor a copy of it. What caches hold of it is deleted.
    Dataset versions and models made with it are listed; the versions are deleted with --purge.

    Example: temper forget operations/berth-windows.md demo
    Example: temper forget minutes/2024-03.pdf ours.yaml --purge
    """
    prepare_profile(profile, documents, settings)
    from flows.config import load_config
    from tasks.lineage.forget import conclude, exclude, find_subject, remove_cached

    home = Settings().resolved_home
    subject = find_subject(home, document)
    exclude(home, load_config(profile, documents, settings or []).name, subject)
    removed = remove_cached(home, subject)
    dataset = built(profile, documents, settings).examples.fingerprint
    done = conclude(home, subject, removed, dataset, purge)
    if json_output:
        print_json(done.model_dump(mode="json") | {"passed": done.absence.passed})
    else:
        _show_forgetting(done, purge)
    if not done.absence.passed:
        raise typer.Exit(1)


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
    show_versions(found.versions, found.models)


def _show_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    console.print()
    lines = [
        (r["example_id"], r["split"] or "", r["last_stage"], r.get("reason") or "kept",
         r["question"])
        for r in rows
    ]  # fmt: skip
    title = f"{len(rows)} rows"
    print_table(title, ["row", "split", "last stage", "", "question"], lines[:_ROWS_SHOWN])
    if len(rows) > _ROWS_SHOWN:
        console.print(f"... and {len(rows) - _ROWS_SHOWN} more (--json)")


def show_versions(versions: "Sequence[Containing]", models: "Sequence[TunedOn]") -> None:
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


def _show_forgetting(done: "Forgetting", purge: bool) -> None:
    for document in done.documents:
        console.print(f"Forgotten: {document.path} ({document.document_id})", markup=False)
    show_versions(done.versions, done.models)
    if done.models:
        console.print("\nThese models have learnt from it: train them again on the new dataset.")
    if done.versions and not purge:
        console.print("\nThe old versions still hold it: --purge deletes them.")
    console.print()
    print_pairs({"removed: " + name: count for name, count in done.removed.model_dump().items()})
    absence = done.absence.model_dump(exclude={"near_duplicates"})
    console.print()
    print_pairs({"new dataset": done.dataset} | {f"left: {k}": n for k, n in absence.items()})
    for near in done.absence.near_duplicates:
        console.print(
            f"Nearly the same stands in {near.document_id}, chunk {near.chunk_id} "
            f"({near.similarity:.2f}): forget that document as well.",
            markup=False,
        )
    said = "Nothing of it is left." if done.absence.passed else "Something of it is left."
    console.print(f"\n{said}", style="green" if done.absence.passed else "bold red")


def _pairs(pairs: Mapping[str, object]) -> None:
    print_pairs({name: value for name, value in pairs.items() if value not in (None, "", [])})
