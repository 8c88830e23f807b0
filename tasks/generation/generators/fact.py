"""Facts: statements with a number, an amount, a date or an agent, turned into questions."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from tasks.generation.base import GENERATORS, Candidate, ChunkView, RuleGenerator
from tasks.generation.grammar import in_sentence, parse_clause
from tasks.generation.passage import Span
from tasks.generation.patterns import ask_about
from tasks.generation.wording import anchor


@GENERATORS.register
class FactGenerator(RuleGenerator):
    """Asks for the number, date, amount or agent that a simple statement gives."""

    generator: Literal["fact"] = "fact"
    longest_sentence: int = Field(45, description="Longest sentence asked about, in words.", ge=5)

    def generate(self, chunk: ChunkView) -> Iterator[Candidate]:
        """Yield a candidate for each statement that a pattern fits."""
        for sentence in chunk.statements():
            if 4 <= len(sentence.text.split()) <= self.longest_sentence:
                yield from _ask(chunk, sentence)


def _ask(chunk: ChunkView, sentence: Span) -> Iterator[Candidate]:
    clause = parse_clause(in_sentence(sentence.text, chunk.document))
    question = ask_about(clause) if clause is not None else None
    standing = anchor(question, chunk.name) if question is not None else None
    if standing is not None:
        yield Candidate("fact", standing, sentence.text, sentence.start, sentence.end)
