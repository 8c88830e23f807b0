"""Where a chunk stands in its section, and what a question calls that place."""

import re

from tasks.generation.base import ChunkView
from tasks.generation.grammar import in_sentence
from tasks.generation.passage import EDGE_PICTURES, headings_of
from tasks.generation.vocabulary import word_set

# Headings that name no subject: questions that quote one would tell a reader nothing.
_EMPTY = word_set(
    "overview introduction background summary general details detail more other misc "
    "miscellaneous notes note contents content resources resource links link references reference "
    "see also further reading related information info credits acknowledgements intro about "
    "example examples questions faq contact contacts assumptions usage process documentation "
    "additional helpful useful general tips finally conclusion next steps section sections "
    "chapters footnotes readme index home context yes no do don't don’t pros cons docs"
)

# Words that headings in title case write small in a sentence.
_SMALL = re.compile(
    r"(?<=\s)(?:A|An|And|As|At|But|By|For|From|In|Into|Is|It|Its|Of|On|Or|Our|Per|The|Their|This|To|"
    r"Using|Via|With|You|Your|Yourself|Do|Does|Did|Can|Could|Should|Must|May|Will|Are|Was|Were|Have|"
    r"Has|My|We|How|What|When|Where|Which|Who|Why)(?=\s|$)"
)
_TITLED = re.compile(r"(?<=\s)[A-Z][a-z]+\b")

_CODE = re.compile(r"^\s*(?:```|~~~)", re.MULTILINE)
_LONGEST_PLACE = 90  # characters


def is_whole_section(chunk: ChunkView) -> bool:
    """Whether a chunk is all that its heading holds: nothing before it, no sections within."""
    if not (chunk.first and chunk.last and chunk.headings) or _CODE.search(chunk.text):
        return False  # plain text leaves code out: the section is more than what it holds
    after = chunk.document[chunk.start + len(chunk.text) :].lstrip()
    own = _last_heading(chunk.document, chunk.start)
    return not after or own == 0 or _level(after) <= own


def _last_heading(document: str, end: int) -> int:
    """Return the level of the heading line nearest above a position; 0 for none."""
    begin = document.rfind("\n#", 0, end)
    line = document[begin + 1 : end] if begin >= 0 else document[:end]
    return _level(line)


def _level(text: str) -> int:
    return len(text) - len(text.lstrip("#"))


def names_subject(heading: str) -> bool:
    """Whether a heading says what its section is about."""
    words = {word.strip("()&,.:").lower() for word in heading.split()}
    return bool(words - _EMPTY - {"and", "the", "of", "for", "to", "a", "", "your", "our"})


def recurs(chunk: ChunkView) -> bool:
    """Whether a document has a chunk's heading more than once: alone it then names no section.

    "Fixed" stands under each version of a change log, "Description" under each field.
    """
    return headings_of(chunk.document)[chunk.heading.lower()] > 1


def place(chunk: ChunkView) -> str:
    """Return what a question calls the passage: its document, with its heading if it names one.

    A heading that recurs gets the one above it.
    """
    heading = quoted(chunk.heading)
    if recurs(chunk) and len(chunk.headings) > 1:
        heading = f"{quoted(chunk.headings[-2])}: {heading}"
    both = f"{chunk.name}: {heading}"
    known = heading.lower() in chunk.name.lower() or not names_subject(heading)
    return chunk.name if known or len(both) > _LONGEST_PLACE else both


def quoted(heading: str) -> str:
    """Return a heading as it stands within quotation marks, without the pictures at its ends."""
    heading = EDGE_PICTURES.sub("", re.sub(r"\{#[^}]*\}", "", heading))
    return heading.strip().rstrip(":.?!").strip().replace('"', "'")


def spoken(heading: str, document: str) -> str:
    """Return a heading as it is said within a sentence: title case goes, names stay.

    A capitalised word stays if the document never writes it small.
    """
    text = _SMALL.sub(lambda match: match[0].lower(), heading.strip().rstrip(":."))
    text = _TITLED.sub(lambda match: _as_written(match[0], document), text)
    first = text.split(" ", 1)[0]
    if _as_written(first, document) != first and first[1:].islower():
        return text[0].lower() + text[1:]
    return in_sentence(text, document)


def _as_written(word: str, document: str) -> str:
    """Return a word in small letters if sentences of the document write it so, and never big."""
    small = word[:1].lower() + word[1:]
    # the plain look-ups come first: most words are settled by them, at a tenth of the time
    if f" {word}" in document and re.search(rf"[a-z,;] {re.escape(word)}\b", document):
        return word
    if small not in document:
        return word
    return small if re.search(rf"\s{re.escape(small)}(?=[\s.,;:)])", document) else word


def is_evenly_cased(phrase: str) -> bool:
    """Whether no title case is left in the middle of a phrase that begins small.

    Two capitalised words that follow each other are taken for such a rest, one for a name.
    """
    return phrase[:1].isupper() or not re.search(r"\s[A-Z][a-z]+ [A-Z][a-z]+", phrase)
