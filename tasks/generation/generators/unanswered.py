"""Questions that another passage of the document answers, shown with one that does not."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from data_contracts.base import digest
from tasks.generation.base import GENERATORS, Candidate, ChunkView, Parent, RowGenerator, Subject
from tasks.generation.refusals import REFUSALS, choose_refusal
from tasks.generation.verdict import answering_sentence
from tasks.grounding.claims import content_sequence, numbers
from tasks.grounding.judge import support_score

# A passage that supports more of the known answer may hold it.
_SUPPORT = 0.5


@GENERATORS.register
class UnansweredGenerator(RowGenerator):
    """Pairs a passage with a question that only another passage of its document answers.

    It needs no language model: the right answer is known, so it can be checked that the
    passage shown does not hold it.
    """

    refuses: ClassVar[bool] = True
    needs_passage: ClassVar[bool] = True

    generator: Literal["unanswered"] = "unanswered"
    per_document: int = Field(2, description="Most such rows of one document.", ge=1)
    fewest_words: int = Field(25, description="Shorter chunks are not shown.", ge=1)
    refusals: tuple[str, ...] = Field(
        REFUSALS, min_length=1, description="Wordings of the refusal, chosen by hash."
    )

    def derive(
        self, chunks: Sequence[ChunkView], rows: Sequence[Parent]
    ) -> Iterator[tuple[Subject, Candidate, str | None]]:
        """Yield up to `per_document` refusals, each for another passage and question."""
        found, used = 0, set()
        shown = [chunk for chunk in chunks if len(chunk.text.split()) >= self.fewest_words]
        asking = [row for row in rows if not row.refuses and row.question.endswith("?")]
        by_id = {chunk.chunk_id: chunk for chunk in chunks}
        for chunk in sorted(shown, key=lambda c: digest(["unanswered", c.chunk_id])):
            ranked = sorted(asking, key=lambda r: digest([chunk.chunk_id, r.example_id]))
            row = next((r for r in ranked if r.example_id not in used and _misses(chunk, r)), None)
            if row is not None and found < self.per_document:
                found += 1
                used.add(row.example_id)
                answer = choose_refusal(self.refusals, row.question)
                candidate = Candidate(
                    "unanswered", row.question, answer, 0, len(chunk.text), refuses=True
                )
                subject = Subject(chunk, distractors=(by_id[row.chunk_id],))
                yield subject, candidate, row.example_id


def _misses(chunk: ChunkView, row: Parent) -> bool:
    """Whether a passage is on the subject of a question but does not hold its answer.

    It does not if it lacks a figure of the answer, or most words of one without figures.
    """
    near = set(content_sequence(row.question)) & set(content_sequence(chunk.text))
    if row.chunk_id == chunk.chunk_id or not near:
        return False
    if answering_sentence(row.question, chunk.passage, [chunk.name, *chunk.headings]):
        return False
    figures = {value for value, _, _ in numbers(row.answer)}
    if figures:
        return bool(figures - {value for value, _, _ in numbers(chunk.passage)})
    return support_score(row.answer, chunk.text) < _SUPPORT
