"""DOCX through mammoth, which knows headings, lists and tables by Word's styles."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from tasks.ingestion.media_type import DOCX
from tasks.ingestion.package import DAMAGE, core_properties, corrupt, open_package, parse_xml
from tasks.ingestion.parser import PARSERS, ParsedDocument, Parser

_BODY = "word/document.xml"
_SHEET = "word/styles.xml"
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='Subtitle'] => p:fresh
p[style-name='Code'] => pre:separator('\\n')
p[style-name='HTML Preformatted'] => pre:separator('\\n')
b =>
i =>
comment-reference =>
"""


@PARSERS.register
class DocxParser(Parser):
    """Word documents since 2007."""

    parser: Literal["docx"] = Field("docx", description="Name of the parser.")
    media_types: ClassVar[tuple[str, ...]] = (DOCX,)
    format_name: ClassVar[str] = "Word"
    distributions: ClassVar[tuple[str, ...]] = ("beautifulsoup4", "mammoth", "markdownify")
    inline_markup: ClassVar[bool] = True

    def parse(self, path: Path, content: bytes) -> ParsedDocument:
        """Return headings, paragraphs, lists and tables."""
        from tasks.ingestion.html_text import html_to_markdown

        text = html_to_markdown(_html(content))
        stated = core_properties(content)
        # the property is often that of an older document, from which this one was made
        title = "" if text.startswith("# ") or "\n# " in text else stated.title
        return ParsedDocument(text=text, title=title, date=stated.date)


def _html(content: bytes) -> str:
    import mammoth

    try:
        result = mammoth.convert_to_html(
            io.BytesIO(_simplified(content)),
            style_map=_STYLES,
            convert_image=mammoth.images.img_element(lambda _: {}),
        )
    except DAMAGE as error:
        raise corrupt("DOCX", error) from error
    return str(result.value)


def _simplified(content: bytes) -> bytes:
    """Return the package in a form that mammoth reads well.

    Mammoth drops equations, so their characters become words. Of a style it reads the name and
    the list it numbers, but it takes the whole style sheet apart: nine tenths of its time.
    """
    package = open_package(content)
    try:
        parts = {name: package.read(name) for name in package.namelist()}
        if b"oMath>" in parts.get(_BODY, b""):
            parts[_BODY] = _without_math(parts[_BODY])
        if _SHEET in parts:
            parts[_SHEET] = _names_and_lists(parts[_SHEET])
        return _packed(parts)
    except DAMAGE as error:
        raise corrupt("DOCX", error) from error


def _names_and_lists(styles: bytes) -> bytes:
    from lxml import etree

    root = parse_xml(styles)
    for style in list(root):
        if style.tag != f"{_WORD}style":
            root.remove(style)
            continue
        for part in list(style):
            if part.tag not in (f"{_WORD}name", f"{_WORD}pPr"):
                style.remove(part)
    return bytes(etree.tostring(root))


def _without_math(body: bytes) -> bytes:
    from lxml import etree

    root = parse_xml(body)
    for equation in list(root.iter(f"{_MATH}oMath")):
        words = " ".join(part.text or "" for part in equation.iter(f"{_MATH}t"))
        run = etree.Element(f"{_WORD}r")
        etree.SubElement(run, f"{_WORD}t").text = words
        run.tail = equation.tail
        place = equation
        if equation.getparent().tag == f"{_MATH}oMathPara":
            place = equation.getparent()
        place.getparent().replace(place, run)
    return bytes(etree.tostring(root))


def _packed(parts: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as package:
        for name, part in parts.items():
            package.writestr(name, part)
    return target.getvalue()
