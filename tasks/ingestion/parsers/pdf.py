"""PDF through pypdfium2: text page by page, paragraphs rebuilt from where the lines stand."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from tasks.ingestion.layout import Line, continues, join, to_markdown, vocabulary
from tasks.ingestion.media_type import PDF
from tasks.ingestion.parser import PARSERS, PageSpan, ParsedDocument, Parser, UnreadableFile
from tasks.ingestion.pdf_lines import PdfLine, page_lines
from tasks.ingestion.pdf_tables import rebuild_tables

_DIGITS = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(r"^[\W_]*(page|seite)?\s*\d+(\s*(of|von|/)\s*\d+)?[\W_]*$", re.IGNORECASE)
_JUNK_TITLE = re.compile(r"untitled|\.(docx?|indd|pdf|xlsx?|pptx?)$|^microsoft", re.IGNORECASE)

# Running heads and feet are looked for in this many lines at either end of a page.
_EDGE_LINES = 3
# A line this much larger than the body's is a heading; smaller steps occur within prose.
_HEADING_SIZE = 1.12
_HEADING_CHARACTERS = 120
# Single spacing puts baselines 1.2 sizes apart; a paragraph's end adds at least a third.
_PARAGRAPH_GAP = 1.3


@PARSERS.register
class PdfParser(Parser):
    """PDF with a text layer. A scan is recognised and refused: there is no OCR yet."""

    parser: Literal["pdf"] = Field("pdf", description="Name of the parser.")
    media_types: ClassVar[tuple[str, ...]] = (PDF,)
    inline_markup: ClassVar[bool] = False

    def parse(self, path: Path, content: bytes) -> ParsedDocument:
        """Return the text of all pages with their spans."""
        title, pages = _read(content)
        bodies = [rebuild_tables(page) for page in _without_running_lines(pages)]
        if not any(bodies):
            raise UnreadableFile(
                "scanned",
                f"The PDF has {len(pages)} pages and no text on them but page numbers or running "
                "heads: it needs OCR.",
            )
        return _assemble(title, _layout(bodies))


def _read(content: bytes) -> tuple[str, list[list[PdfLine]]]:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
        try:
            pages = [page_lines(page) for page in document]
            return _title(document), pages
        finally:
            document.close()
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise UnreadableFile("encrypted", "The PDF needs a password.") from error
        raise UnreadableFile("corrupt", f"PDFium cannot read it: {error}") from error


def _title(document: Any) -> str:
    title = str(document.get_metadata_dict().get("Title", "")).strip()
    return "" if _JUNK_TITLE.search(title) else title


def _without_running_lines(pages: Sequence[Sequence[PdfLine]]) -> list[list[PdfLine]]:
    """Drop heads and feet: what most pages have at one place of their edge, and page numbers."""
    counts = Counter(key for page in pages for key in set(_edge_keys(page).values()))
    shared = {key for key, n in counts.items() if n >= 2 and n > len(pages) / 2}
    kept = []
    for page in pages:
        keys = _edge_keys(page)
        running = {
            n for n, key in keys.items() if key in shared or _PAGE_NUMBER.match(page[n].text)
        }
        kept.append([line for n, line in enumerate(page) if n not in running])
    return kept


def _edge_keys(page: Sequence[PdfLine]) -> dict[int, tuple[int, str]]:
    """Return, for the lines near a page's edges, their place and their text without numbers.

    Places count from the nearer edge, so that two items of one list, the last above and the
    first below a page break, are not taken for a running line.
    """
    keys = {}
    for n, line in enumerate(page):
        place = n if n < len(page) - n else n - len(page)
        if -_EDGE_LINES <= place < _EDGE_LINES:
            keys[n] = (place, _DIGITS.sub("#", line.text.strip().lower()))
    return keys


def _layout(pages: Sequence[Sequence[PdfLine]]) -> list[list[Line]]:
    """Tell headings and gaps, which need the whole document's sizes."""
    lines = [line for page in pages for line in page]
    sizes = Counter[float]()
    for line in lines:
        sizes[line.size] += len(line.text)
    body = sizes.most_common(1)[0][0]
    larger = sorted((size for size in sizes if size >= body * _HEADING_SIZE), reverse=True)
    levels = {size: min(n, 4) for n, size in enumerate(larger, start=1)}
    return [[_line(page, n, levels) for n in range(len(page))] for page in pages]


def _line(page: Sequence[PdfLine], n: int, levels: dict[float, int]) -> Line:
    line = page[n]
    level = levels.get(line.size, 0) if len(line.text) <= _HEADING_CHARACTERS else 0
    gap = n == 0 or _is_gap(page[n - 1], line)
    unit = (line.right - line.left) / max(len(line.text), 1)
    return Line(
        tuple(cell.text for cell in line.cells), line.left, line.right, unit, gap=gap, heading=level
    )


def _is_gap(before: PdfLine, after: PdfLine) -> bool:
    step = before.baseline - after.baseline
    usual = 1.2 * max(before.size, after.size)
    return step > usual * _PARAGRAPH_GAP or step < 0  # below zero: a new column


def _assemble(title: str, pages: Sequence[Sequence[Line]]) -> ParsedDocument:
    """Join the pages; a paragraph that runs over a page's end is not torn apart."""
    every = [line for page in pages for line in page]
    words, edge = vocabulary(every), max(line.right for line in every)
    text, spans = "", list[PageSpan]()
    for number, lines in enumerate(pages, start=1):
        part = to_markdown(lines, edge, words)
        before = pages[number - 2] if number > 1 else ()
        separator = "\n\n" if text and part else ""
        if before and lines and continues(before[-1], lines[0], edge):
            separator = " "
            joined = join(text, part, words)
            text, part = joined[: len(joined) - len(part)].rstrip(), part
        start = len(text) + len(separator)
        text += separator + part
        spans.append(PageSpan(number, start, len(text)))
    return ParsedDocument(text=text, title=title, pages=tuple(spans))
