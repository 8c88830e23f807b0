"""Facts: statements with a number, an amount, a date or an agent, turned into questions."""

import re
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from tasks.generation.base import GENERATORS, Candidate, ChunkView, RuleGenerator
from tasks.generation.grammar import in_sentence, parse_clause
from tasks.generation.passage import Span
from tasks.generation.patterns import ask_about
from tasks.generation.screen import screened
from tasks.generation.sections import place
from tasks.generation.wording import content_words, name_document, runs_on

# An abbreviation given in brackets, which would part a noun from what belongs to it.
_ABBREVIATION = re.compile(r" \([A-Z][\w&/-]{1,9}\)")

# What holds in an example, or leans on another sentence.
_UNFIT = re.compile(
    r"\b(?:above|below|the same|for example|e\.g\.|as follows|this|these|those|however|also)\b",
    re.IGNORECASE,
)


_ENOUGH = 4  # words by which a reader knows what a question is about without its document
_EXAMPLE = re.compile(r"\b(?:example|scenario|case study)", re.IGNORECASE)


@GENERATORS.register
class FactGenerator(RuleGenerator):
    """Asks for the number, date, amount or agent that a simple statement gives."""

    generator: Literal["fact"] = "fact"
    longest_sentence: int = Field(45, description="Longest sentence asked about, in words.", ge=5)

    def generate(self, chunk: ChunkView) -> Iterator[Candidate]:
        """Yield a candidate for each statement that a pattern fits."""
        return screened(chunk, self._candidates(chunk))

    def _candidates(self, chunk: ChunkView) -> Iterator[Candidate]:
        for sentence in chunk.statements():
            if _EXAMPLE.search(chunk.heading):
                return
            fits = 4 <= len(sentence.text.split()) <= self.longest_sentence
            if fits and not _UNFIT.search(sentence.text) and not runs_on(sentence.text):
                yield from _ask(chunk, sentence)


def _ask(chunk: ChunkView, sentence: Span) -> Iterator[Candidate]:
    text = _ABBREVIATION.sub("", sentence.text)
    clause = parse_clause(in_sentence(text, chunk.document))
    question = ask_about(clause) if clause is not None else None
    standing = _standing(question, chunk) if question is not None else None
    if standing is not None:
        yield Candidate("fact", standing, sentence.text, sentence.start, sentence.end)


def _standing(question: str, chunk: ChunkView) -> str | None:
    """Return the question, with its document and section named unless it says what it is about."""
    about = content_words(question)
    leans = re.search(r"\b(?:the (?![A-Z])|your |an? )", question)
    known = about & (content_words(chunk.name) | content_words(chunk.heading))
    if known and not leans and len(about) >= _ENOUGH:
        return question
    return name_document(question, place(chunk))
