"""Evidence: where a quote stands in a chunk, and which fact it belongs to."""

import re

from data_contracts.base import digest
from tasks.generation.base import ChunkView, Subject
from tasks.generation.passage import parse_blocks, plain, sentences
from tasks.grounding.claims import content_sequence
from tasks.llm.structured import InvalidReply
from tasks.text.normalise import normalise

# Between two words of a quote: punctuation, Markdown, the address of a link, white space.
_GAP = r"(?:\]\([^)\s]*\)|[\W_])+"

# A shorter quote could stand anywhere.
_FEWEST_WORDS = 3


def find_quote(quote: str, text: str) -> tuple[int, int] | None:
    """Return where a quote of at least three words stands.

    White space, case, punctuation and Markdown are set aside: models copy the words of a
    passage and tidy up the rest.
    """
    words = re.findall(r"[^\W_]+", quote)
    if len(words) < _FEWEST_WORDS:
        return None
    match = re.search(_GAP.join(map(re.escape, words)), text, re.IGNORECASE)
    return _whole(match, text) if match else None


def _whole(match: re.Match[str], text: str) -> tuple[int, int]:
    """Return the span with the punctuation that ends its sentence."""
    end = match.end()
    while end < len(text) and text[end] in ".!?\"”')":
        end += 1
    return match.start(), end


def quoted(quote: str, chunk: ChunkView, field: str = "evidence") -> tuple[int, int]:
    """Return where a quote stands in a chunk.

    Raises:
        InvalidReply: It does not stand there; the message names the reply's field.
    """
    span = find_quote(quote, chunk.text)
    if span is None:
        raise InvalidReply(f'its "{field}" is not copied from the passage word by word')
    return span


def quoted_all(quotes: list[str], chunk: ChunkView, field: str = "evidence") -> tuple[int, int]:
    """Return the span from the first to the last of several quotes.

    Raises:
        InvalidReply: There is none, or one does not stand in the chunk.
    """
    if not quotes:
        raise InvalidReply(f'its "{field}" is empty')
    spans = [quoted(quote, chunk, field) for quote in quotes]
    return min(start for start, _ in spans), max(end for _, end in spans)


def evidence_sentences(chunk: ChunkView, start: int, end: int) -> list[str]:
    """Return the normalised sentences of a chunk that a span touches."""
    found = [
        normalise(sentence.text)
        for block in parse_blocks(chunk.text)
        for sentence in sentences(chunk.text, block)
        if sentence.start < end and start < sentence.end
    ]
    return found or [normalise(plain(chunk.text[start:end]))]


def fact_id(subject: Subject, start: int, end: int) -> str:
    """Return the name that rows about the same fact share.

    A fact is what the touched sentences of one document say; a row over two passages rests on
    a fact of its own.
    """
    chunk = subject.chunk
    second = [other.chunk_id for other in subject.sources[1:]]
    said = evidence_sentences(chunk, start, end)
    return digest([chunk.document_id, said, *second], length=16)


def quoted_pair(first: str, second: str, subject: Subject) -> tuple[int, int]:
    """Return where the first of two quotes stands; both must stand in their passage.

    Raises:
        InvalidReply: One does not.
    """
    one, *others = subject.sources
    for other in others:
        quoted(second, other, "evidence_2")
    return quoted(first, one, "evidence_1")


def needs_both(text: str, subject: Subject) -> str:
    """Return why a text does not rest on both passages, or nothing."""
    first, second = (set(content_sequence(chunk.passage)) for chunk in subject.sources)
    said = set(content_sequence(text))
    if not said & (first - second):
        return "nothing in it comes from the first passage alone"
    if not said & (second - first):
        return "nothing in it comes from the second passage alone"
    return ""
