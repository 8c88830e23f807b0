"""What each generator with a language model can be asked about, in the order of asking."""

from collections.abc import Sequence

from data_contracts.base import digest
from tasks.generation.base import ChunkView, LLMGenerator, Subject
from tasks.generation.documents import SourceDocument
from tasks.generation.related import Related
from tasks.text.instructions import FLAG


def is_safe(chunk: ChunkView) -> bool:
    """Whether a chunk may be sent to a language model."""
    return FLAG not in chunk.flags


def ranked_subjects(
    generator: LLMGenerator, sources: Sequence[SourceDocument], related: Related, seed: int
) -> list[Subject]:
    """Return all subjects of a generator, those with the smallest hashes first.

    A changed document so displaces few of the others.
    """
    chunks = {
        source.document_id: [c.view for c in source.chunks if is_safe(c.view)] for source in sources
    }
    found = []
    for document_id, own in chunks.items():
        theirs = chunks.get(related.documents.get(document_id, ""), [])
        for chunk in own:
            neighbours = [other for other in own if other is not chunk] + theirs
            partner = related.partners.get(chunk.chunk_id)
            usable = partner if partner is not None and is_safe(partner) else None
            subject = generator.subject(chunk, usable, neighbours)
            if subject is not None and generator.messages(subject) is not None:
                found.append(subject)
    return sorted(found, key=lambda s: digest([seed, generator.generator, s.chunk.chunk_id]))
