"""From candidates to rows of the EXAMPLE schema, each judged."""

from collections.abc import Set as AbstractSet
from typing import Any

from data_contracts.base import digest
from tasks.generation.base import Candidate, ChunkView, Generator, LLMGenerator
from tasks.generation.config import GenerationConfig
from tasks.generation.conversation import Outcome
from tasks.generation.documents import SourceChunk, SourceDocument
from tasks.generation.grounding import Judgement, judge


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
        self._questions: dict[str, str] = {}

    def add(self, generator: Generator, chunk: SourceChunk, outcome: Outcome) -> None:
        """Judge what a generator made of a chunk and file it."""
        if outcome.failure:
            row = self._row(generator, chunk, None, outcome.prompt_sha256)
            self._drop(row, "invalid_reply", f"The model's reply is of no use: {outcome.failure}.")
        for candidate in outcome.candidates:
            row = self._row(generator, chunk, candidate, outcome.prompt_sha256)
            judgement = _judge(generator, chunk.view, candidate, self.config)
            if candidate.flaw and judgement.reason is None:
                detail = f"The question misses the answer: {candidate.flaw}."
                judgement = Judgement(judgement.score, "unfit_question", detail)
            self._file(row, judgement)

    def drop_all_but(self, keep: AbstractSet[str], limit: int) -> None:
        """Drop the rows that are not among `keep` because the document gives enough."""
        surplus = [row for row in self.kept if row["example_id"] not in keep]
        self.kept = [row for row in self.kept if row["example_id"] in keep]
        for row in surplus:
            self._drop(row, "over_limit", f"The document already gives {limit} rows.")

    def _file(self, row: dict[str, Any], judgement: Judgement) -> None:
        row["grounding"] = judgement.score
        asked = " ".join(row["question"].lower().split())
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
        self, generator: Generator, chunk: SourceChunk, candidate: Candidate | None, prompt: str
    ) -> dict[str, Any]:
        question = candidate.question if candidate else None
        answer = candidate.answer if candidate else None
        context = passage_for(chunk.view) if self.config.with_context else None
        start = chunk.start + (candidate.start if candidate else 0)
        identity = [generator.generator, chunk.view.chunk_id, question, answer, context]
        uses_model = isinstance(generator, LLMGenerator)
        return {
            "example_id": digest(identity, length=16),
            "kind": candidate.kind if candidate else generator.generator,
            "history": [],
            "context": context,
            "question": question,
            "answer": answer,
            "document_id": self.source.document_id,
            "chunk_id": chunk.view.chunk_id,
            "evidence_start": start if candidate else None,
            "evidence_end": chunk.start + candidate.end if candidate else None,
            "page": self.source.page_at(chunk, start),
            "generator": generator.generator,
            "generator_model": self.config.llm.model if uses_model else None,
            "prompt_sha256": prompt or None,
            "parent_id": None,
            "grounding": None,
            "group_id": None,
            "split": None,
        }


def passage_for(chunk: ChunkView) -> str:
    """Return the passage that is given with a question: headings, then the text."""
    named = " > ".join(dict.fromkeys(h for h in (chunk.name, *chunk.headings) if h))
    return "\n\n".join(part for part in (named, chunk.passage.strip()) if part)


def _judge(
    generator: Generator, chunk: ChunkView, candidate: Candidate, config: GenerationConfig
) -> Judgement:
    return judge(
        candidate.question,
        candidate.answer,
        chunk.passage,
        (chunk.name, *chunk.headings),
        config.min_grounding,
        generator.shown_questions(),
    )
