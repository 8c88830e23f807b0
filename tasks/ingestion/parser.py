"""What a parser is, what it returns, and how the parser of a file is found."""

from abc import abstractmethod
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar, Literal

from data_contracts.base import Config
from data_contracts.errors import DocumentsError, Unusable
from tasks.registry import Registry

DropReason = Literal[
    "empty",  # no bytes
    "too_large",  # more bytes than the configuration allows
    "unreadable",  # the operating system refuses
    "unsupported",  # a format without a parser
    "lock_file",  # versions and hashes, written by a package manager for itself
    "undecodable",  # text in no known encoding
    "corrupt",  # the parser's library cannot read the file
    "encrypted",  # needs a password
    "scanned",  # pages of pictures, without text
    "no_text",  # readable, but nothing is left to learn from
    "duplicate_file",  # the same bytes as another file
    "forgotten",  # the user had it forgotten
    "other_language",  # not one of the configured languages
    "duplicate_name",  # another member of the archive has the same name
    "unsafe_path",  # a name that climbs out of its archive
    "link",  # a link in an archive
    "archive_bomb",  # unpacks to more than is allowed
    "too_complex",  # nested deeper, or in more parts, than is allowed
    "timeout",  # parsing takes more time than is allowed
    "out_of_memory",  # parsing takes more memory than is allowed
    "crashed",  # the parser's process died over it
]


class UnreadableFile(Unusable, DocumentsError):
    """A file that yields no document; it becomes a dropped row."""

    reason: DropReason

    def __init__(self, reason: DropReason, detail: str) -> None:
        super().__init__(reason, detail)


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
        date: YYYY-MM-DD, as the file itself states it; empty if it does not.
        licence: As the file states it; empty if it does not.
    """

    text: str
    title: str = ""
    pages: tuple[PageSpan, ...] = ()
    date: str = ""
    licence: str = ""


class Parser(Config):
    """Reads one format. A subclass names itself in a `Literal` field called `parser`.

    A field of the same name as one of the stage's configuration takes its value from there.
    """

    media_types: ClassVar[tuple[str, ...]]
    # What people call the format.
    format_name: ClassVar[str]
    # The installed packages on which the text depends.
    distributions: ClassVar[tuple[str, ...]] = ()
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

    def versions(self) -> dict[str, str]:
        """Return the versions of everything on which the text depends, for the cache's key."""
        return {name: version(name) for name in self.distributions}


PARSERS: Registry[Parser] = Registry("parser", "tasks.ingestion.parsers", "parser")


# Formats without a parser that people do have, and how to get at their text.
_CONVERSION = "Save it as {}, or run `soffice --headless --convert-to {} FILE` (LibreOffice)."
_ADVICE = {
    "application/msword": "A Word document of before 2007. " + _CONVERSION.format("DOCX", "docx"),
    "application/vnd.ms-excel": "An Excel workbook of before 2007. "
    + _CONVERSION.format("XLSX", "xlsx"),
    "application/vnd.ms-powerpoint": "A presentation of before 2007. "
    + _CONVERSION.format("PPTX", "pptx"),
    "application/vnd.oasis.opendocument.text": "An OpenDocument text. "
    + _CONVERSION.format("DOCX", "docx"),
    "application/vnd.oasis.opendocument.spreadsheet": "An OpenDocument spreadsheet. "
    + _CONVERSION.format("XLSX", "xlsx"),
    "application/vnd.oasis.opendocument.presentation": "An OpenDocument presentation. "
    + _CONVERSION.format("PPTX", "pptx"),
    "application/vnd.ms-outlook": "An Outlook message. Save it as EML.",
}


def known_formats() -> str:
    """Return the names of all formats that can be read, for a sentence."""
    names = sorted({parser.format_name for parser in PARSERS}, key=str.casefold)
    return f"{', '.join(names[:-1])} or {names[-1]}"


@cache
def parser_for(media_type: str, config: Config | None = None) -> Parser:
    """Return the parser of a media type.

    Args:
        media_type: As `detect_media_type` tells it.
        config: The stage's configuration; the parser takes the fields that it shares with it.

    Raises:
        UnreadableFile: There is none.
    """
    for parser in PARSERS:
        if media_type in parser.media_types:
            shared = parser.model_fields.keys() & type(config).model_fields.keys() if config else ()
            return parser(**{name: getattr(config, name) for name in shared})
    advice = _ADVICE.get(media_type, f"Formats that are read: {known_formats()}.")
    raise UnreadableFile(
        "unsupported", f"The content is {media_type}, for which there is no parser. {advice}"
    )


def parser_name(parser: Parser) -> str:
    """Return the name under which a parser is registered."""
    return str(type(parser).model_fields[PARSERS.discriminator].default)
