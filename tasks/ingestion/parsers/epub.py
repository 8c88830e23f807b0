"""EPUB: the chapters in the order of the spine."""

import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import unquote

from pydantic import Field

from tasks.ingestion.decode import decode
from tasks.ingestion.media_type import EPUB
from tasks.ingestion.package import DAMAGE, corrupt, open_package, parse_xml
from tasks.ingestion.parser import PARSERS, ParsedDocument, Parser, UnreadableFile
from tasks.ingestion.stated import stated_date, stated_text

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
# Obfuscated fonts are no copy protection (EPUB 3.3, section 4.4).
_FONT_ALGORITHMS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_PAGES = ("application/xhtml+xml", "text/html")


@dataclass(frozen=True)
class _Book:
    """The package document (EPUB 3.3, section 5): what the book is made of."""

    root: Any
    folder: str

    def texts(self, name: str) -> list[str]:
        """Return what the metadata says under a name."""
        found = self.root.xpath("//*[local-name()=$name]", name=name)
        return [words for element in found if (words := stated_text(element.text))]

    def chapters(self) -> Iterator[str]:
        """Yield the paths of the pages in the order of reading."""
        items = {item.get("id"): item for item in self.root.xpath("//*[local-name()='item']")}
        for place in self.root.xpath("//*[local-name()='itemref']"):
            item = items.get(place.get("idref"))
            if item is None or place.get("linear") == "no":
                continue
            is_contents = "nav" in (item.get("properties") or "").split()
            if item.get("media-type") in _PAGES and not is_contents:
                yield posixpath.normpath(posixpath.join(self.folder, unquote(item.get("href", ""))))


@PARSERS.register
class EpubParser(Parser):
    """Electronic books without copy protection."""

    parser: Literal["epub"] = Field("epub", description="Name of the parser.")
    media_types: ClassVar[tuple[str, ...]] = (EPUB,)
    format_name: ClassVar[str] = "EPUB"
    distributions: ClassVar[tuple[str, ...]] = ("beautifulsoup4", "lxml", "markdownify")
    inline_markup: ClassVar[bool] = True

    def parse(self, path: Path, content: bytes) -> ParsedDocument:
        """Return all chapters."""
        package = open_package(content)
        try:
            _check_readable(package)
            book = _book(package)
            chapters = [_chapter(package, name) for name in book.chapters()]
            dates = [*_modified(book), *map(stated_date, book.texts("date"))]
            return ParsedDocument(
                text="\n\n".join(filter(None, chapters)),
                title=next(iter(book.texts("title")), ""),
                date=next(filter(None, dates), ""),
                licence=next(iter(book.texts("rights")), ""),
            )
        except DAMAGE as error:
            raise corrupt("EPUB", error) from error


def _check_readable(package: zipfile.ZipFile) -> None:
    if _ENCRYPTION not in package.namelist():
        return
    root = parse_xml(package.read(_ENCRYPTION))
    methods = root.xpath("//*[local-name()='EncryptionMethod']/@Algorithm")
    if any(method not in _FONT_ALGORITHMS for method in methods):
        raise UnreadableFile("encrypted", "The book is protected against copying.")


def _book(package: zipfile.ZipFile) -> _Book:
    container = parse_xml(package.read(_CONTAINER))
    paths = container.xpath("//*[local-name()='rootfile']/@full-path")
    if not paths:
        raise UnreadableFile("corrupt", f"The EPUB names no package document in {_CONTAINER}.")
    return _Book(parse_xml(package.read(paths[0])), posixpath.dirname(paths[0]))


def _modified(book: _Book) -> list[str]:
    stated = book.root.xpath("//*[local-name()='meta'][@property='dcterms:modified']")
    return [stated_date(element.text) for element in stated]


def _chapter(package: zipfile.ZipFile, name: str) -> str:
    import trafilatura
    from lxml import etree

    from tasks.ingestion.html_text import html_to_markdown

    tree = trafilatura.load_html(decode(package.read(name)))
    body = tree.find("body") if tree is not None else None
    if body is None:
        return ""
    return html_to_markdown(etree.tostring(body, encoding="unicode", method="html"))
