"""What a generator is: a plug-in that turns a chunk into candidates for rows.

There are three sorts. One works by rules on a chunk; one makes rows of rows that the document
gave already; the third says which messages a language model is to be sent and how its reply
is read, and leaves the sending to others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import ClassVar

from pydantic import BaseModel

from data_contracts.base import Config
from tasks.generation.passage import EDGE_PICTURES, Block, Span, parse_blocks, plain, sentences
from tasks.llm.request import Messages
from tasks.registry import Registry


@dataclass(frozen=True)
class ChunkView:
    """A chunk as generators see it.

    Attributes:
        chunk_id: Its identifier.
        title: Title of its document, in plain text.
        headings: Headings above it, outermost first, in plain text.
        text: Its text.
        document: Text of the whole document; the chunk's own text where none is given.
        start: Where the chunk begins in it.
        siblings: Texts of all chunks of its document, this one included, in order.
        document_id: The document's identifier.
        language: Language of the document (ISO 639-1), where it is known.
        flags: What a person should look at: `instructions` where it gives orders to a model.
        links: Words that are links in the document's source, which its plain text does not show.
    """

    chunk_id: str
    title: str
    headings: tuple[str, ...]
    text: str
    document: str = ""
    start: int = 0
    siblings: tuple[str, ...] = ()
    document_id: str = ""
    language: str | None = None
    flags: tuple[str, ...] = ()
    links: frozenset[str] = frozenset()

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks of the text; headings that open the chunk are in `headings` already."""
        found = parse_blocks(self.text)
        known = {self.title, *self.headings}
        return tuple(b for b in found if not (b.kind == "heading" or plain(b.raw) in known))

    @property
    def heading(self) -> str:
        """The innermost heading, or the title."""
        return self.headings[-1] if self.headings else self.title

    @cached_property
    def name(self) -> str:
        """What questions call the document: its title, as its top heading spells it out."""
        top = self.headings[0] if self.headings else ""
        name = top if top.lower().startswith(self.title.lower()) and top[-1:] != "?" else self.title
        name = EDGE_PICTURES.sub("", name)
        return name.capitalize() if name.isupper() and len(name) > 5 else name

    @cached_property
    def first(self) -> bool:
        """Whether the chunk begins right below a heading or at the document's top."""
        return not self._before.strip() or self._before.rstrip().rsplit("\n", 1)[-1].startswith("#")

    @cached_property
    def last(self) -> bool:
        """Whether the next thing after the chunk is a heading or the document's end."""
        after = self.document[self.start + len(self.text) :].lstrip()
        return not after or after.startswith("#")

    @cached_property
    def passage(self) -> str:
        """The text as a reader needs it: a table that began earlier gets its header again."""
        if not _is_row(self.text):
            return self.text
        end = next((b.start for b in parse_blocks(self.text) if b.kind != "row"), len(self.text))
        head = self.table_lines(0, end)[:2]
        return self.text if self.text.startswith(head[0]) else "\n".join([*head, self.text])

    @property
    def _before(self) -> str:
        return self.document[: self.start]

    def table_lines(self, start: int, end: int) -> list[str]:
        """Return all lines of the table of which the chunk's `start:end` is a part."""
        above = self._before.splitlines() if not self.text[:start].strip() else []
        below = self.document[self.start + len(self.text) :].lstrip("\n").splitlines()
        below = below if not self.text[end:].strip() else []
        head = list(takewhile(_is_row, reversed(above)))[::-1]
        return [*head, *self.text[start:end].splitlines(), *takewhile(_is_row, below)]

    def sentences(self, *kinds: str) -> Iterator[Span]:
        """Yield the sentences of all blocks of these kinds."""
        for block in self.blocks:
            if block.kind in kinds:
                yield from sentences(self.text, block)

    def statements(self) -> Iterator[Span]:
        """Yield the sentences that state something by themselves.

        The items of a list that a sentence with a colon opens are parts of that sentence.
        """
        opened = not self.first
        for block in self.blocks:
            if block.kind == "paragraph":
                opened = block.raw.rstrip().endswith(":")
                yield from sentences(self.text, block)
            elif block.kind == "item" and not opened:
                yield from sentences(self.text, block)


def _is_row(line: str) -> bool:
    return line.lstrip().startswith("|")


@dataclass(frozen=True)
class Subject:
    """What a generator works on: a chunk, and for some kinds further ones.

    Attributes:
        chunk: The chunk that the row belongs to.
        second: A chunk of a related document, for kinds that join two passages.
        distractors: Chunks that do not answer the question, for kinds that show them.
    """

    chunk: ChunkView
    second: ChunkView | None = None
    distractors: tuple[ChunkView, ...] = ()

    @property
    def sources(self) -> tuple[ChunkView, ...]:
        """The chunks that must support an answer."""
        return (self.chunk,) if self.second is None else (self.chunk, self.second)

    @property
    def others(self) -> tuple[ChunkView, ...]:
        """All chunks but the first."""
        return (*self.sources[1:], *self.distractors)


@dataclass(frozen=True)
class Candidate:
    """A question and its answer before any check.

    Attributes:
        kind: What sort of question it is.
        question: The question.
        answer: The answer.
        start: Where the evidence begins in the chunk's text.
        end: Where it ends.
        flaw: Why the generator itself thinks that the question misses the answer, if it does.
        asks: The question that is judged where it is not `question`: a multiple choice without
            its options, a follow-up spelled out, the original of a translation. Empty where
            the wording is Temper's own.
        claim: What the passage must support where it is not `answer`.
        sides: What each of two passages must support, in place of `claim`.
        refuses: Whether the answer says that the passage does not answer the question.
        history: Earlier turns, (role, content) each.
        context: The passage to show where it is not the chunk itself.
        language: Language of the question where it is not the chunk's.
    """

    kind: str
    question: str
    answer: str
    start: int
    end: int
    flaw: str = ""
    asks: str | None = None
    claim: str | None = None
    sides: tuple[str, ...] = ()
    refuses: bool = False
    history: tuple[tuple[str, str], ...] = ()
    context: str | None = None
    language: str | None = None


class Generator(Config):
    """Base of all generators; `generator` is the plug-in's name.

    Class attributes: `refuses`, whether its rows say that the passage gives no answer;
    `needs_passage`, whether its rows mean nothing without their passage, which they are then
    given whatever `with_context` says.
    """

    refuses: ClassVar[bool] = False
    needs_passage: ClassVar[bool] = False

    generator: str

    def shown_questions(self) -> tuple[str, ...]:
        """Return questions that a prompt shows as examples: a row must not copy them."""
        return ()

    def shown_subject(self) -> frozenset[str]:
        """Return the stems of the words that say what a prompt's example is about."""
        return frozenset()


class RuleGenerator(Generator):
    """A generator that needs no language model."""

    def generate(self, chunk: ChunkView) -> Iterator[Candidate]:
        """Yield candidates from one chunk."""
        raise NotImplementedError


@dataclass(frozen=True)
class Parent:
    """A row that a document gave, as generators see it that derive rows from rows."""

    example_id: str
    chunk_id: str
    question: str
    answer: str
    refuses: bool


class RowGenerator(Generator):
    """A generator that needs no language model, but rows that others made of the document."""

    def derive(
        self, chunks: Sequence[ChunkView], rows: Sequence[Parent]
    ) -> Iterator[tuple[Subject, Candidate, str | None]]:
        """Yield candidates, each with what it rests on and the row it was derived from.

        Args:
            chunks: All chunks of the document, in order.
            rows: The rows kept so far.
        """
        raise NotImplementedError


class LLMGenerator(Generator):
    """A generator that asks a language model, one conversation a subject.

    `response_format` is the reply that is wanted: a model whose fields come evidence first.
    """

    response_format: ClassVar[type[BaseModel]]

    def subject(
        self, chunk: ChunkView, partner: ChunkView | None, neighbours: Sequence[ChunkView]
    ) -> Subject | None:
        """Return what is asked about where a chunk is concerned, or None for nothing.

        Args:
            chunk: The chunk.
            partner: The chunk of another document that is nearest to it, if there is one.
            neighbours: The other chunks of its document, then those of its partner's.
        """
        return Subject(chunk)

    def messages(self, subject: Subject) -> Messages | None:
        """Return what to send, or None where the subject offers nothing to ask about."""
        raise NotImplementedError

    def parse(self, reply: BaseModel, subject: Subject) -> Sequence[Candidate]:
        """Return the candidates in a reply.

        Args:
            reply: An instance of `response_format`.
            subject: What was asked about.

        Raises:
            InvalidReply: The reply is of the right form but of no use.
        """
        raise NotImplementedError


GENERATORS: Registry[Generator] = Registry(
    kind="generator", package="tasks.generation.generators", discriminator="generator"
)
