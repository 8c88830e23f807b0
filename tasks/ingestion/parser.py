"""What a parser is, what it returns, and how the parser of a file is found."""

from abc import abstractmethod
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar, Literal

from data_contracts.base import Config
from data_contracts.errors import DocumentsError
from tasks.registry import Registry

DropReason = Literal[
    "empty",  # no bytes
    "too_large",  # more bytes than the configuration allows
    "unreadable",  # the operating system refuses
    "unsupported",  # a format without a parser
    "undecodable",  # text in no known encoding
    "corrupt",  # the parser's library cannot read the file
    "encrypted",  # needs a password
    "scanned",  # pages of pictures, without text
    "no_text",  # readable, but nothing is left to learn from
    "duplicate_file",  # the same bytes as another file
]


class UnreadableFile(DocumentsError):
    """A file that yields no document; it becomes a dropped row.

    Args:
        reason: One word of the vocabulary.
        detail: A sentence for a person.
    """

    def __init__(self, reason: DropReason, detail: str) -> None:
        self.reason, self.detail = reason, detail
        super().__init__(detail)

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        """Keep the error picklable."""
        return (type(self), (self.reason, self.detail))


@dataclass(frozen=True)
class PageSpan:
    """The span of one page in a text; pages count from 1."""

    page: int
    start: int
    end: int


@dataclass(frozen=True)
class ParsedDocument:
    """What a parser makes of a file.

    Attributes:
        text: Markdown: `#` headings, `-` and `1.` lists, tables, blank lines between blocks.
        title: The title that the file states; empty if it states none.
        pages: Spans of the pages in `text`, in order; empty where a format has no pages.
    """

    text: str
    title: str = ""
    pages: tuple[PageSpan, ...] = ()


class Parser(Config):
    """Reads one format. A subclass names itself in a `Literal` field called `parser`."""

    media_types: ClassVar[tuple[str, ...]]
    # Whether the text has links, emphasis and HTML in it; if not, characters such as
    # `*`, `_` and `<` are the author's own and are kept.
    inline_markup: ClassVar[bool]

    @abstractmethod
    def parse(self, path: Path, content: bytes) -> ParsedDocument:
        """Turn a file's bytes into text.

        Args:
            path: Where the file lies; for what the bytes do not say. It is not opened.
            content: The file's bytes.

        Raises:
            UnreadableFile: The bytes yield no text.
        """


PARSERS: Registry[Parser] = Registry("parser", "tasks.ingestion.parsers", "parser")


@cache
def parser_for(media_type: str) -> Parser:
    """Return the parser of a media type.

    Raises:
        UnreadableFile: There is none.
    """
    for parser in PARSERS:
        if media_type in parser.media_types:
            return parser()
    known = ", ".join(PARSERS.names())
    raise UnreadableFile(
        "unsupported",
        f"The content is {media_type}, for which there is no parser. Parsers: {known}.",
    )


def parser_name(parser: Parser) -> str:
    """Return the name under which a parser is registered."""
    return str(type(parser).model_fields[PARSERS.discriminator].default)
