"""Looks at a profile's documents and tells Prefect when they changed.

The event starts the deployment `pipeline / on-change`. It is sent before what was seen is noted,
so a crash between the two sends it twice, never not at all; the second run finds every stage made.
"""

import asyncio
from collections.abc import Sequence

from prefect import flow
from prefect.events import Event, Resource

from data_contracts.errors import ConfigError
from flows.config import PipelineConfig, load_config
from tasks.ingestion.changes import (
    DocumentChanges,
    compare_versions,
    document_versions,
    note_seen,
    read_seen,
    seen_path,
)
from tasks.ingestion.discover import find_files
from tasks.settings import Settings

DOCUMENTS_CHANGED = "temper.documents.changed"

# Paths told in the event, whose size Prefect limits; the counts are always whole.
_PATHS_TOLD = 20


@flow(name="watch", retries=2, retry_delay_seconds=60)
def watch(
    profile: str = "demo", documents: str | None = None, settings: Sequence[str] = ()
) -> DocumentChanges:
    """Compare the documents with the last look; emit an event if they differ.

    The first look only notes what is there.

    Args:
        profile: Name of a profile, or path of a YAML file.
        documents: Replaces the profile's documents folder.
        settings: Overrides such as `ingestion.include=["*.md"]`.
    """
    config = load_config(profile, documents, settings)
    if config.documents is None:
        raise ConfigError(f"Profile {profile} names no documents to watch. Set `documents`.")
    note = seen_path(Settings().resolved_home, f"{config.name} {config.documents}")
    now = document_versions(find_files(config.documents, config.ingestion))
    before = read_seen(note)
    changes = compare_versions(now if before is None else before, now)
    if changes:
        asyncio.run(_send(changed_event(config, profile, documents, settings, changes)))
    note_seen(note, now)
    return changes


def changed_event(
    config: PipelineConfig,
    profile: str,
    documents: str | None,
    settings: Sequence[str],
    changes: DocumentChanges,
) -> Event:
    """Return the event, which carries the parameters that the pipeline is to be run with."""
    told = [*changes.added, *changes.changed, *changes.removed][:_PATHS_TOLD]
    return Event(
        event=DOCUMENTS_CHANGED,
        resource=Resource(
            {
                "prefect.resource.id": f"temper.documents.{config.name}",
                "prefect.resource.name": config.name,
            }
        ),
        payload={
            "parameters": {
                "profile": profile,
                "documents": documents,
                "settings": list(settings),
            },
            "added": len(changes.added),
            "changed": len(changes.changed),
            "removed": len(changes.removed),
            "paths": told,
        },
    )


async def _send(event: Event) -> None:
    """Send an event and wait until the server has confirmed it; `emit_event` would not."""
    from prefect.events.clients import get_events_client

    async with get_events_client(checkpoint_every=1) as client:
        await client.emit(event)
