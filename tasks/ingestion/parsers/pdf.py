"""PDF through pypdfium2: text page by page, paragraphs rebuilt from where the lines stand.

Scanned pages are read by Tesseract if `ocr` is set.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from tasks.ingestion.layout import Line, continues, join, to_markdown, vocabulary
from tasks.ingestion.media_type import PDF
from tasks.ingestion.ocr import OcrConfig, read_pages, tesseract_version
from tasks.ingestion.parser import PARSERS, PageSpan, ParsedDocument, Parser, UnreadableFile
from tasks.ingestion.pdf_columns import in_reading_order
from tasks.ingestion.pdf_lines import PdfLine, merge_rows, page_lines
from tasks.ingestion.pdf_tables import rebuild_tables
from tasks.ingestion.stated import stated_date, stated_title

_DIGITS = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(r"^[\W_]*(page|seite)?\s*\d+(\s*(of|von|/)\s*\d+)?[\W_]*$", re.IGNORECASE)

# Running heads and feet are looked for in this many lines at either end of a page.
_EDGE_LINES = 3
# A line this much larger than the body's is a heading; smaller steps occur within prose.
_HEADING_SIZE = 1.12
_HEADING_CHARACTERS = 120
# Single spacing puts baselines 1.2 sizes apart; a paragraph's end adds at least a third.
_PARAGRAPH_GAP = 1.3


@dataclass(frozen=True)
class _Facts:
    """What a PDF states about itself."""

    title: str
    date: str


@PARSERS.register
class PdfParser(Parser):
    """PDF; pages that are pictures only where there is OCR."""

    parser: Literal["pdf"] = Field("pdf", description="Name of the parser.")
    ocr: OcrConfig | None = Field(
        None, description="How scanned PDFs are read; without it they are dropped as `scanned`."
    )
    media_types: ClassVar[tuple[str, ...]] = (PDF,)
    format_name: ClassVar[str] = "PDF"
    distributions: ClassVar[tuple[str, ...]] = ("pypdfium2",)
    inline_markup: ClassVar[bool] = False

    def parse(self, path: Path, content: bytes) -> ParsedDocument:
        """Return the text of all pages with their spans."""
        facts, pages = _read(content)
        bodies = _bodies(pages)
        if self.ocr and not all(bodies):
            scanned = _scanned(content, [n for n, body in enumerate(bodies) if not body], self.ocr)
            bodies = _bodies([scanned.get(n, page) for n, page in enumerate(pages)])
        if not any(bodies):
            hint = "OCR found none either." if self.ocr else "Set `ocr` to have it read."
            raise UnreadableFile(
                "scanned",
                f"The PDF has {len(pages)} pages and no text on them but page numbers or running "
                f"heads: it is a scan. {hint}",
            )
        return _assemble(facts, _layout(bodies))

    def versions(self) -> dict[str, str]:
        """Return the versions of PDFium's package and, if it is used, of Tesseract.

        Raises:
            DocumentsError: `ocr` is set, but Tesseract or a language is not installed.
        """
        tesseract = {"tesseract": tesseract_version(self.ocr.languages)} if self.ocr else {}
        return super().versions() | tesseract


def _bodies(pages: Sequence[Sequence[PdfLine]]) -> list[list[PdfLine]]:
    return [rebuild_tables(page) for page in _without_running_lines(pages)]


def _read(content: bytes) -> tuple[_Facts, list[list[PdfLine]]]:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
        try:
            pages = [page_lines(page) for page in document]
            stated = document.get_metadata_dict()
        finally:
            document.close()
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise UnreadableFile("encrypted", "The PDF needs a password.") from error
        raise UnreadableFile("corrupt", f"PDFium cannot read it: {error}") from error
    facts = _Facts(stated_title(stated.get("Title")), stated_date(stated.get("CreationDate")))
    return facts, [in_reading_order(page) or merge_rows(page) for page in pages]


def _scanned(content: bytes, numbers: Sequence[int], ocr: OcrConfig) -> dict[int, list[PdfLine]]:
    import pypdfium2

    try:
        pages = read_pages(content, numbers, ocr)
    except pypdfium2.PdfiumError as error:
        raise UnreadableFile("corrupt", f"PDFium cannot draw it: {error}") from error
    return {n: in_reading_order(lines) or merge_rows(lines) for n, lines in pages.items()}


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
    edge = max(line.right for line in lines)
    return [[_line(page, n, levels, edge) for n in range(len(page))] for page in pages]


def _line(page: Sequence[PdfLine], n: int, levels: dict[float, int], page_edge: float) -> Line:
    line = page[n]
    level = levels.get(line.size, 0) if len(line.text) <= _HEADING_CHARACTERS else 0
    gap = n == 0 or _is_gap(page[n - 1], line)
    unit = (line.right - line.left) / max(len(line.text), 1)
    edge = page_edge if line.edge is None else line.edge
    cells = tuple(cell.text for cell in line.cells)
    return Line(cells, line.left, line.right, edge, unit, gap=gap, heading=level)


def _is_gap(before: PdfLine, after: PdfLine) -> bool:
    step = before.baseline - after.baseline
    if step < 0:  # a new column; a sentence may run on in it
        return not after.text[:1].islower()
    return step > 1.2 * max(before.size, after.size) * _PARAGRAPH_GAP


def _assemble(facts: _Facts, pages: Sequence[Sequence[Line]]) -> ParsedDocument:
    """Join the pages; a paragraph that runs over a page's end is not torn apart."""
    words = vocabulary([line for page in pages for line in page])
    text, spans = "", list[PageSpan]()
    for number, lines in enumerate(pages, start=1):
        part = to_markdown(lines, words)
        before = pages[number - 2] if number > 1 else ()
        separator = "\n\n" if text and part else ""
        if before and lines and continues(before[-1], lines[0]):
            separator = " "
            joined = join(text, part, words)
            text, part = joined[: len(joined) - len(part)].rstrip(), part
        start = len(text) + len(separator)
        text += separator + part
        spans.append(PageSpan(number, start, len(text)))
    return ParsedDocument(text=text, title=facts.title, pages=tuple(spans), date=facts.date)
