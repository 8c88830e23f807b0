"""Tells a file's media type from its content.

Binary formats are told by their signatures, which are exact. (The classifier magika, which
comes with markitdown, was tried: 22 ms a file, and it took Markdown for Ruby.) Text formats
have no signature; among them the extension breaks ties, once the content has ruled out
what it contradicts.
"""

import json
import re
import zipfile
from pathlib import PurePath

from tasks.ingestion.languages import code_type, told_language
from tasks.ingestion.package import DAMAGE, open_package
from tasks.ingestion.parser import UnreadableFile
from tasks.ingestion.tables import find_delimiter

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
EPUB = "application/epub+zip"
RTF = "application/rtf"
JSON = "application/json"
JSON_LINES = "application/jsonl"
NOTEBOOK = "application/x-ipynb+json"
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
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"{\\rtf", RTF),
    (b"\x7fELF", "application/x-executable"),
    (b"%!PS", "application/postscript"),
)
_OFFICE_PARTS = (
    ("word/document.xml", DOCX),
    ("xl/workbook.xml", XLSX),
    ("ppt/presentation.xml", PPTX),
)

# Office before 2007 and Outlook; told apart by the names of their streams, in UTF-16.
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS = (
    ("WordDocument", "application/msword"),
    ("PowerPoint Document", "application/vnd.ms-powerpoint"),
    ("Workbook", "application/vnd.ms-excel"),
    ("Book", "application/vnd.ms-excel"),
    ("__substg1.0_", "application/vnd.ms-outlook"),
)
_OLE_ENCRYPTED = "EncryptedPackage"

_MARKDOWN_SUFFIXES = {".md", ".markdown", ".mdown", ".mkd", ".mdx"}
_CSV_SUFFIXES = {".csv", ".tsv"}
_HTML_SUFFIXES = {".html", ".htm", ".xhtml"}
_LINES_SUFFIXES = {".jsonl", ".ndjson"}
# Text that is neither prose nor a program: style sheets, templates, logs.
_MACHINE_SUFFIX = re.compile(r"\.(css|less|liquid|lock|log|njk|scss|svg|vue|xml)")

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
        UnreadableFile: It is a damaged or encrypted container, whose type cannot be told.
    """
    if b"%PDF-" in content[:1024]:
        return PDF
    if content.startswith(_OLE):
        return _ole_type(content)
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


def _ole_type(content: bytes) -> str:
    if _OLE_ENCRYPTED.encode("utf-16-le") in content:
        raise UnreadableFile("encrypted", "The Office document needs a password.")
    for stream, media_type in _OLE_STREAMS:
        if stream.encode("utf-16-le") in content:
            return media_type
    return "application/x-ole-storage"


def _zip_type(content: bytes) -> str:
    package = open_package(content)
    names = set(package.namelist())
    for part, media_type in _OFFICE_PARTS:
        if part in names:
            return media_type
    return _stated_type(package) if "mimetype" in names else "application/zip"


def _stated_type(package: zipfile.ZipFile) -> str:
    """Return the type that EPUB and OpenDocument state in a part of their own."""
    try:
        stated = package.read("mimetype").decode("ascii").strip()
    except DAMAGE:
        return "application/zip"
    return stated if re.fullmatch(r"application/[\w.+-]+", stated) else "application/zip"


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
    language = told_language(suffix, head)
    if language:
        return code_type(language)
    if head.startswith("#!") or _MACHINE_SUFFIX.fullmatch(suffix):
        return CODE
    return _json_type(suffix, head, content) or _prose_type(suffix, head)


def _prose_type(suffix: str, head: str) -> str:
    if suffix in _CSV_SUFFIXES and find_delimiter(head):
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


def _json_type(suffix: str, head: str, content: bytes) -> str:
    """Return the sort of JSON a text is, or nothing if it is none."""
    if not head.startswith(("{", "[")):
        return ""
    if suffix == ".ipynb":
        return NOTEBOOK
    if suffix in _LINES_SUFFIXES or _opens_lines(head):
        return JSON_LINES
    if suffix == ".json":  # the parser says what is wrong with it, if anything is
        return JSON
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return ""
    return JSON


def _opens_lines(head: str) -> bool:
    """Whether each of the first two lines is a JSON object by itself."""
    lines = head.split("\n", 2)[:2]
    try:
        return len(lines) == 2 and all(isinstance(json.loads(line), dict) for line in lines)
    except (ValueError, RecursionError):
        return False
