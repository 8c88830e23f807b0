"""A question whose passage is shown among others that do not answer it.

After RAFT (Zhang et al. 2024, "RAFT: Adapting Language Model to Domain Specific RAG"): the
model learns to pick the right passage and to leave the others alone.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from data_contracts.base import Result, digest
from tasks.generation.asking import PassageGenerator, as_form, one_line, place
from tasks.generation.base import GENERATORS, Candidate, ChunkView, Subject
from tasks.generation.evidence import quoted
from tasks.generation.verdict import answering_sentence


class RaftReply(Result):
    """What the model is to reply."""

    evidence: str
    question: str
    answer: str


@GENERATORS.register
class RaftGenerator(PassageGenerator):
    """Asks a language model about one passage and shows it among distractors.

    The distractors come from the same document, or from the one document it is paired with.
    Rows that show a passage belong to the group of that passage's document, or training would
    see held-out text; distractors from anywhere would so join all documents into one group,
    and nothing could be held out.
    """

    needs_passage: ClassVar[bool] = True

    generator: Literal["raft"] = "raft"
    distractors: int = Field(3, description="Passages shown beside the right one.", ge=1, le=9)
    cite: bool = Field(True, description="Have the answer name the passage's number, as in [2].")

    response_format: ClassVar[type[BaseModel]] = RaftReply

    def subject(
        self, chunk: ChunkView, partner: ChunkView | None, neighbours: Sequence[ChunkView]
    ) -> Subject | None:
        """Return the chunk with distractors from its own document first."""
        fit = [other for other in neighbours if len(other.text.split()) >= self.fewest_words]
        own = [other for other in fit if other.document_id == chunk.document_id]
        theirs = [other for other in fit if other.document_id != chunk.document_id]
        ranked = [*_by_hash(own, chunk), *_by_hash(theirs, chunk)]
        chosen = tuple(ranked[: self.distractors])
        return Subject(chunk, distractors=chosen) if chosen else None

    def parse(self, reply: BaseModel, subject: Subject) -> Sequence[Candidate]:
        """Return the candidate with all passages, numbered, as its context."""
        said = as_form(reply, RaftReply)
        span = quoted(said.evidence, subject.chunk)
        question, answer = one_line(said.question), said.answer.strip()
        shown = _by_hash([subject.chunk, *subject.distractors], subject.chunk)
        numbered = [
            f"[{number}] {place(chunk)}\n\n{chunk.passage.strip()}"
            for number, chunk in enumerate(shown, start=1)
        ]
        cited = f"{answer} [{shown.index(subject.chunk) + 1}]" if self.cite else answer
        return [
            Candidate(
                "raft",
                question,
                cited,
                *span,
                flaw=_flaw(question, subject),
                claim=answer,
                context="\n\n".join(numbered),
            )
        ]


def _by_hash(chunks: Sequence[ChunkView], chunk: ChunkView) -> list[ChunkView]:
    return sorted(chunks, key=lambda other: digest([chunk.chunk_id, other.chunk_id]))


def _flaw(question: str, subject: Subject) -> str:
    for other in subject.distractors:
        found = answering_sentence(question, other.passage, [other.name, *other.headings])
        if found:
            return f"another of the passages shown may answer it, too: {found}"
    return ""
