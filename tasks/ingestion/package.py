"""Opens the ZIP packages in which Office and EPUB keep a document's parts."""

import io
import zipfile
import zlib
from dataclasses import dataclass
from typing import Any
from xml.parsers.expat import ExpatError

from tasks.ingestion.parser import UnreadableFile
from tasks.ingestion.stated import stated_date, stated_title

# Large workbooks unpack to some tens of megabytes.
_MOST_UNPACKED_BYTES = 300_000_000
_MOST_PARTS = 20_000

_CORE = "docProps/core.xml"
_DC = "{http://purl.org/dc/elements/1.1/}"
_TERMS = "{http://purl.org/dc/terms/}"

# Whatever the readers of ZIP, XML and Office formats meet in a damaged package, they let through.
DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ExpatError,
    LookupError,
    OSError,
    RuntimeError,  # RecursionError and NotImplementedError too
    SyntaxError,  # the base of ElementTree's and lxml's errors
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class CoreProperties:
    """What an Office document states about itself; each empty if it does not."""

    title: str = ""
    date: str = ""


def open_package(content: bytes) -> zipfile.ZipFile:
    """Open a package whose parts together are of a sane size.

    Raises:
        UnreadableFile: It is damaged, encrypted, or unpacks to too much.
    """
    try:
        package = zipfile.ZipFile(io.BytesIO(content))
    except DAMAGE as error:
        raise UnreadableFile(
            "corrupt",
            f"It starts like a ZIP container (DOCX, XLSX, ...), but cannot be opened: {error}.",
        ) from error
    parts = package.infolist()
    # zipfile reads no more of a part than its stated size
    total = sum(part.file_size for part in parts)
    if total > _MOST_UNPACKED_BYTES or len(parts) > _MOST_PARTS:
        raise UnreadableFile(
            "archive_bomb",
            f"It unpacks to {total:,} bytes in {len(parts):,} parts; the most read is "
            f"{_MOST_UNPACKED_BYTES:,} in {_MOST_PARTS:,}.",
        )
    if any(part.flag_bits & 1 for part in parts):
        raise UnreadableFile("encrypted", "Its parts are encrypted: it needs a password.")
    return package


def parse_xml(content: bytes) -> Any:
    """Return the root of an XML part; entities and addresses are left alone.

    Raises:
        UnreadableFile: It is no XML.
    """
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        return etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableFile("corrupt", f"A part of it is no XML: {error}") from error


def corrupt(format_name: str, error: Exception) -> UnreadableFile:
    """Return what to raise when a reader fails."""
    cause = str(error).strip().split("\n")[0]
    return UnreadableFile(
        "corrupt", f"The {format_name} cannot be read: {type(error).__name__}: {cause}"
    )


def core_properties(content: bytes) -> CoreProperties:
    """Return the title and the date of last change that an Office document states."""
    try:
        root = parse_xml(open_package(content).read(_CORE))
    except (UnreadableFile, *DAMAGE):  # they are no condition of reading the document
        return CoreProperties()
    changed = stated_date(root.findtext(f"{_TERMS}modified"))
    created = stated_date(root.findtext(f"{_TERMS}created"))
    return CoreProperties(stated_title(root.findtext(f"{_DC}title")), changed or created)
