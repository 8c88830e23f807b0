"""Tells a file's media type from its content.

Binary formats are told by their signatures, which are exact. (The classifier magika, which
comes with markitdown, was tried: 22 ms a file, and it took Markdown for Ruby.) Text formats
have no signature; among them the extension breaks ties, once the content has ruled out
what it contradicts.
"""

import csv
import io
import json
import re
import zipfile
from pathlib import PurePath

from tasks.ingestion.parser import UnreadableFile

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
HTML = "text/html"
MARKDOWN = "text/markdown"
CSV = "text/csv"
PLAIN = "text/plain"
CODE = "text/x-code"
BINARY = "application/octet-stream"

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),  # Office before 2007
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"{\\rtf", "application/rtf"),
    (b"\x7fELF", "application/x-executable"),
    (b"%!PS", "application/postscript"),
)
_OFFICE_PARTS = (
    ("word/document.xml", DOCX),
    ("xl/workbook.xml", XLSX),
    ("ppt/presentation.xml", PPTX),
)

_MARKDOWN_SUFFIXES = {".md", ".markdown", ".mdown", ".mkd", ".mdx"}
_CSV_SUFFIXES = {".csv", ".tsv"}
_HTML_SUFFIXES = {".html", ".htm", ".xhtml"}
# Text that is no prose: programs, templates, settings.
_CODE_SUFFIX = re.compile(
    r"\.(bash|bat|c|cfg|conf|cpp|cs|css|go|h|ini|ipynb|java|js|jsonl|jsx|kt|less|liquid|lock|log|"
    r"lua|njk|php|pl|ps1|py|r|rb|rs|scss|sh|sql|svg|swift|toml|ts|tsx|vue|xml|ya?ml)"
)

_COMMENTS = r"(?:\s*<!--.*?-->)*\s*"
_HTML_PAGE = re.compile(
    rf"{_COMMENTS}<(!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_HTML_FRAGMENT = re.compile(
    rf"{_COMMENTS}<(title|meta|main|article|section|div|table|p|ul|ol|h[1-6])\b[^>]*>",
    re.IGNORECASE | re.DOTALL,
)
_HTML_ANYWHERE = re.compile(r"<(html|body|main|section|div|table|p|h[1-6])\b[^>]*>", re.IGNORECASE)
_MARKDOWN_SIGN = re.compile(r"\A---\s*$.+?^---\s*$|^#{1,6} \S", re.MULTILINE | re.DOTALL)

# How much of a text is looked at; a page's head with its scripts can be long.
_HEAD_BYTES = 65_536


def detect_media_type(path: PurePath, content: bytes) -> str:
    """Return the media type of a file.

    Args:
        path: Its name, asked only where the content leaves a choice.
        content: Its bytes, not empty.

    Raises:
        UnreadableFile: It is a damaged container, whose type cannot be told.
    """
    if b"%PDF-" in content[:1024]:
        return PDF
    for signature, media_type in _SIGNATURES:
        if content.startswith(signature):
            return media_type
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_type(content)
    if _is_binary(content[:_HEAD_BYTES]):
        return BINARY
    return _text_type(path.suffix.lower(), content)


def _zip_type(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise UnreadableFile(
            "corrupt",
            f"It starts like a ZIP container (DOCX, XLSX, ...), but cannot be opened: {error}.",
        ) from error
    for part, media_type in _OFFICE_PARTS:
        if part in names:
            return media_type
    return "application/zip"


def _is_binary(head: bytes) -> bool:
    """Whether bytes are no text in any usual encoding."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16 with its byte order mark
        return False
    controls = sum(byte < 32 and byte not in b"\t\n\f\r\x1b" for byte in head)
    return b"\x00" in head or controls > len(head) / 100


def _text_type(suffix: str, content: bytes) -> str:
    head = _head(content)
    if _is_html(suffix, head):
        return HTML
    if head.startswith("<?xml"):
        return "application/xml"
    if head.startswith("#!") or _CODE_SUFFIX.fullmatch(suffix):
        return CODE
    if _is_json(head, content):
        return "application/json"
    if suffix in _CSV_SUFFIXES and is_delimited(head):
        return CSV
    if suffix in _MARKDOWN_SUFFIXES or _MARKDOWN_SIGN.search(head):
        return MARKDOWN
    return PLAIN


def _head(content: bytes) -> str:
    """Decode the head for looking only: ASCII markup reads the same in all these encodings."""
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    encoding = "utf-16" if wide else "utf-8-sig"
    return content[:_HEAD_BYTES].decode(encoding, errors="replace").lstrip()


def _is_html(suffix: str, head: str) -> bool:
    if _HTML_PAGE.match(head):
        return True
    if suffix in _HTML_SUFFIXES:
        return _HTML_ANYWHERE.search(head) is not None
    # Markdown pages often open with a <div> or a centred <p>
    return suffix not in _MARKDOWN_SUFFIXES and _HTML_FRAGMENT.match(head) is not None


def _is_json(head: str, content: bytes) -> bool:
    if not head.startswith(("{", "[")):
        return False
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


def is_delimited(text: str) -> bool:
    """Whether text is rows of at least two columns, nearly all of one length."""
    lines = text.splitlines()[:200]
    try:
        dialect = csv.Sniffer().sniff("\n".join(lines[:20]), delimiters=",;\t|")
        lengths = [len(row) for row in csv.reader(lines, dialect) if row]
    except csv.Error:
        return False
    if not lengths:
        return False
    usual = max(set(lengths), key=lengths.count)
    return usual >= 2 and lengths.count(usual) >= 0.8 * len(lengths)
