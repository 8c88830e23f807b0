"""From candidates to rows of the EXAMPLE schema, each judged."""

from collections.abc import Set as AbstractSet
from typing import Any

from data_contracts.base import digest
from data_contracts.schemas import EXAMPLE, blank_row
from tasks.generation.base import Candidate, ChunkView, Generator, LLMGenerator, Parent, Subject
from tasks.generation.config import GenerationConfig
from tasks.generation.conversation import Outcome
from tasks.generation.documents import SourceChunk, SourceDocument
from tasks.generation.evidence import fact_id
from tasks.generation.verdict import assess
from tasks.grounding.judge import Judgement

# Why a row was dropped that a later run may well get.
NO_REPLY = "no_reply"


class RowMaker:
    """Collects the rows of one document: `kept`, and `dropped` with their reasons.

    Args:
        source: The document.
        config: Thresholds and limits.
    """

    def __init__(self, source: SourceDocument, config: GenerationConfig) -> None:
        self.source, self.config = source, config
        self.kept: list[dict[str, Any]] = []
        self.dropped: list[dict[str, Any]] = []
        self._chunks = {chunk.view.chunk_id: chunk for chunk in source.chunks}
        self._questions: dict[str, str] = {}
        self._refusing = {g.generator for g in config.generators if g.refuses}

    def add(
        self, generator: Generator, subject: Subject, outcome: Outcome, parent: str | None = None
    ) -> None:
        """Judge what a generator made of a subject and file it."""
        if outcome.failure:
            row = self._row(generator, subject, None, outcome.prompt_sha256)
            found = "The model's reply is of no use" if outcome.replied else "There is no reply"
            reason = "invalid_reply" if outcome.replied else NO_REPLY
            self._drop(row, reason, f"{found}: {outcome.failure.rstrip('.')}.")
        for candidate in outcome.candidates:
            row = self._row(generator, subject, candidate, outcome.prompt_sha256)
            row["parent_id"] = parent
            self._file(row, assess(generator, subject, candidate, self.config.min_grounding))

    def parents(self) -> list[Parent]:
        """Return the rows kept so far, as generators see them that derive rows from rows."""
        return [
            Parent(
                example_id=row["example_id"],
                chunk_id=row["chunk_id"],
                question=row["question"],
                answer=row["answer"],
                refuses=row["generator"] in self._refusing,
            )
            for row in self.kept
            if not row["history"]
        ]

    def drop_all_but(self, keep: AbstractSet[str], limit: int) -> None:
        """Drop the rows that are not among `keep` because the document gives enough."""
        surplus = [row for row in self.kept if row["example_id"] not in keep]
        self.kept = [row for row in self.kept if row["example_id"] in keep]
        for row in surplus:
            self._drop(row, "over_limit", f"The document already gives {limit} rows.")

    def _file(self, row: dict[str, Any], judgement: Judgement) -> None:
        row["grounding"] = judgement.score
        refuses = row["generator"] in self._refusing
        turns = [turn["content"] for turn in row["history"]]
        asked = digest([" ".join(row["question"].lower().split()), refuses, turns])
        if judgement.reason is not None:
            self._drop(row, judgement.reason, judgement.detail)
        elif asked in self._questions:
            detail = "Another row of the document asks the same question."
            self._drop(row, "duplicate", detail, duplicate_of=self._questions[asked])
        else:
            self._questions[asked] = row["example_id"]
            self.kept.append(row)

    def _drop(
        self, row: dict[str, Any], reason: str, detail: str, duplicate_of: str | None = None
    ) -> None:
        why = {"reason": reason, "detail": detail, "duplicate_of": duplicate_of}
        self.dropped.append({**row, **why, "similarity": None})

    def _row(
        self, generator: Generator, subject: Subject, candidate: Candidate | None, prompt: str
    ) -> dict[str, Any]:
        chunk = self._chunks[subject.chunk.chunk_id]
        row = self._origin(generator, chunk, subject, prompt)
        if candidate is not None:
            row |= self._content(generator, subject, candidate)
            if not candidate.refuses:
                row |= self._evidence(chunk, subject, candidate)
        given = [row[c] for c in ("generator", "chunk_id", "question", "answer", "context")]
        further = [value for value in (row["history"], row["other_chunks"]) if value]
        row["example_id"] = digest([*given, *further], length=16)
        return row

    def _origin(
        self, generator: Generator, chunk: SourceChunk, subject: Subject, prompt: str
    ) -> dict[str, Any]:
        flags = {flag for view in (subject.chunk, *subject.others) for flag in view.flags}
        model = self.config.llm.model if isinstance(generator, LLMGenerator) else None
        return blank_row(EXAMPLE) | {
            "kind": generator.generator,
            "document_id": self.source.document_id,
            "chunk_id": chunk.view.chunk_id,
            "page": self.source.page_at(chunk, chunk.start),
            "generator": generator.generator,
            "generator_model": model,
            "prompt_sha256": prompt or None,
            "other_chunks": [
                {"document_id": other.document_id, "chunk_id": other.chunk_id}
                for other in subject.others
            ],
            "language": chunk.view.language,
            "flags": sorted(flags),
        }

    def _content(
        self, generator: Generator, subject: Subject, candidate: Candidate
    ) -> dict[str, Any]:
        shows = self.config.with_context or generator.needs_passage
        passages = "\n\n".join(passage_for(chunk) for chunk in subject.sources)
        context = candidate.context if candidate.context is not None else passages
        return {
            "kind": candidate.kind,
            "history": [{"role": r, "content": content} for r, content in candidate.history],
            "context": context if shows else None,
            "question": candidate.question,
            "answer": candidate.answer,
            "language": candidate.language or subject.chunk.language,
        }

    def _evidence(
        self, chunk: SourceChunk, subject: Subject, candidate: Candidate
    ) -> dict[str, Any]:
        start = chunk.start + candidate.start
        return {
            "evidence_start": start,
            "evidence_end": chunk.start + candidate.end,
            "page": self.source.page_at(chunk, start),
            "fact_id": fact_id(subject, candidate.start, candidate.end),
        }


def passage_for(chunk: ChunkView) -> str:
    """Return the passage that is given with a question: headings, then the text."""
    named = " > ".join(dict.fromkeys(h for h in (chunk.name, *chunk.headings) if h))
    return "\n\n".join(part for part in (named, chunk.passage.strip()) if part)
