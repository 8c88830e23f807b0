"""Summaries: the sentences that open a section's paragraphs, where they carry the section."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from tasks.generation.base import GENERATORS, Candidate, ChunkView, RuleGenerator
from tasks.generation.generators.heading import is_quotable
from tasks.generation.passage import Span, sentences
from tasks.generation.screen import screened
from tasks.generation.sections import is_whole_section, quoted
from tasks.generation.vocabulary import AUXILIARIES, VERBS, is_order
from tasks.generation.wording import choose, content_words, points_elsewhere

# Sentences that announce instead of telling, and remarks.
_ANNOUNCES = re.compile(
    r"\b(?:following|below|here|let's|welcome|this (?:page|section|guide|document|handbook)|ways|"
    r"steps|several|few|example|thanks|fun fact|questions?|note|see|unfortunately|interestingly|"
    r"occasionally|sometimes|in addition|finally|decision|action)\b|[?!:]",
    re.IGNORECASE,
)
_VERB = re.compile(
    rf"\b(?:{'|'.join(sorted(AUXILIARIES))}|(?:{'|'.join(sorted(VERBS))})(?:e?s|d|ed)?)\b"
)


@GENERATORS.register
class LeadSummaryGenerator(RuleGenerator):
    """Asks for a section's summary where the first sentences of its paragraphs are one."""

    generator: Literal["lead_summary"] = "lead_summary"
    fewest_words: int = Field(50, description="Fewest words of a section.", ge=10)
    most_paragraphs: int = Field(5, description="Most paragraphs of a section.", ge=2)
    longest_share: float = Field(
        0.65, gt=0, lt=1, description="Largest share of a section's words that its summary has."
    )
    min_coverage: float = Field(
        0.6,
        gt=0,
        le=1,
        description="Smallest share of the words that recur in a section which its summary has.",
    )

    def generate(self, chunk: ChunkView) -> Iterator[Candidate]:
        """Yield at most one candidate."""
        return screened(chunk, self._candidates(chunk))

    def _candidates(self, chunk: ChunkView) -> Iterator[Candidate]:
        blocks = chunk.blocks
        prose = all(block.kind == "paragraph" for block in blocks)
        if not (prose and is_whole_section(chunk) and is_quotable(chunk)):
            return
        if not 2 <= len(blocks) <= self.most_paragraphs or not 3 <= len(chunk.name) <= 80:
            return
        paragraphs = [list(sentences(chunk.text, block)) for block in blocks]
        leads = [paragraph[0] for paragraph in paragraphs]
        if self._carry(leads, [span for paragraph in paragraphs for span in paragraph]):
            answer = " ".join(lead.text for lead in leads)
            span = (leads[0].start, leads[-1].end)
            yield Candidate("summary", _ask(chunk), answer, *span, asks="")

    def _carry(self, leads: Sequence[Span], spans: Sequence[Span]) -> bool:
        """Whether the leads state what the other sentences come back to."""
        if not all(map(_states, leads)):
            return False
        text = " ".join(span.text for span in leads)
        whole = sum(len(span.text.split()) for span in spans)
        if whole < self.fewest_words or len(text.split()) > self.longest_share * whole:
            return False
        topics = _recurring(spans)
        said = len(topics & content_words(text))
        return len(topics) > 2 and said >= self.min_coverage * len(topics)


def _states(span: Span) -> bool:
    text = span.text
    return (
        text.endswith(".")
        and text[:1].isupper()
        and not is_order(text)
        and not points_elsewhere(text)
        and not _ANNOUNCES.search(text)
        and _VERB.search(text) is not None
    )


def _recurring(spans: Sequence[Span]) -> set[str]:
    """Return the content words that stand in at least two sentences."""
    counts = Counter(word for span in spans for word in content_words(span.text))
    return {word for word, count in counts.items() if count > 1}


def _ask(chunk: ChunkView) -> str:
    name, heading = chunk.name.replace('"', "'"), quoted(chunk.heading)
    return choose(
        heading,
        f'What are the main points made under "{heading}" in "{name}"?',
        f'Summarise what "{name}" says under "{heading}".',
        f'Summarise "{heading}" from "{name}" in a few sentences.',
    )
