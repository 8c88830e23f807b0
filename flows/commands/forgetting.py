"""`temper forget`, a dataset without a document."""

from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.dataset import built
from flows.commands.lineage import show_versions
from flows.commands.output import (
    Documents,
    Json,
    Overrides,
    Profile,
    console,
    prepare_profile,
    print_json,
    print_pairs,
)
from tasks.settings import Settings

if TYPE_CHECKING:
    from tasks.lineage.forget import Forgetting


def register(app: typer.Typer) -> None:
    """Add this module's verb."""
    app.command()(forget)


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
    Dataset versions, models and registered versions made with it are listed; the dataset versions
    are deleted with --purge, from the store too where TEMPER_STORE names one. Other machines do not
    read the document again, but what their own homes hold of it is deleted by running this there.

    Example: temper forget operations/berth-windows.md demo
    Example: temper forget minutes/2024-03.pdf ours.yaml --purge
    """
    prepare_profile(profile, documents, settings)
    from flows.config import load_config
    from tasks.lineage.forget import conclude, exclude, find_subject, remove_cached
    from tasks.lineage.proof import write_proof
    from tasks.lineage.registered import registered_versions
    from tasks.shared_datasets import take_all
    from tasks.tracking import connect

    places = Settings()
    home, client = places.resolved_home, connect(places.resolved_tracking_uri).MlflowClient()
    take_all(home, even_forgotten=purge)  # other machines' datasets may hold the document too
    subject = find_subject(home, document, registered_versions(client))
    exclude(home, load_config(profile, documents, settings or []).name, subject)
    removed = remove_cached(home, subject)
    dataset = built(profile, documents, settings).examples.fingerprint
    done = conclude(home, subject, removed, dataset, purge)
    proof = write_proof(home, done)
    if json_output:
        told = {"passed": done.absence.passed, "proof": str(proof)}
        print_json(done.model_dump(mode="json") | told)
    else:
        _show_forgetting(done, purge)
        console.print(f"The proof is kept in {proof}", markup=False)
    if not done.absence.passed:
        raise typer.Exit(1)


def _show_forgetting(done: "Forgetting", purge: bool) -> None:
    for document in done.documents:
        console.print(f"Forgotten: {document.path} ({document.document_id})", markup=False)
    show_versions(done.versions, done.models, done.registered)
    if done.models or done.registered:
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
