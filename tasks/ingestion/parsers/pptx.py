"""PPTX through python-pptx: each slide a page with its title as heading."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from tasks.ingestion.media_type import PPTX
from tasks.ingestion.package import DAMAGE, core_properties, corrupt, open_package, parse_xml
from tasks.ingestion.parser import PARSERS, PageSpan, ParsedDocument, Parser
from tasks.ingestion.tables import markdown_table

_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}dm"
# Placeholders that stand on every slide alike: date, footer, number (ECMA-376, ST_PlaceholderType).
_FURNITURE = {"dt", "ftr", "sldNum", "hdr"}


@PARSERS.register
class PptxParser(Parser):
    """PowerPoint presentations since 2007, with speakers' notes; hidden slides are left out."""

    parser: Literal["pptx"] = Field("pptx", description="Name of the parser.")
    media_types: ClassVar[tuple[str, ...]] = (PPTX,)
    format_name: ClassVar[str] = "PowerPoint"
    distributions: ClassVar[tuple[str, ...]] = ("python-pptx",)
    inline_markup: ClassVar[bool] = False

    def parse(self, path: Path, content: bytes) -> ParsedDocument:
        """Return the slides in order; a page is a slide."""
        text, spans = "", list[PageSpan]()
        for number, slide in _slides(content):
            separator = "\n\n" if text and slide else ""
            start = len(text) + len(separator)
            text += separator + slide
            spans.append(PageSpan(number, start, len(text)))
        stated = core_properties(content)
        title = "" if text.startswith("# ") else stated.title
        return ParsedDocument(text=text, title=title, pages=tuple(spans), date=stated.date)


def _slides(content: bytes) -> list[tuple[int, str]]:
    import pptx
    from pptx.exc import PythonPptxError

    open_package(content).close()
    try:
        slides = list(pptx.Presentation(io.BytesIO(content)).slides)
        return [
            (number, _slide(slide, 1 if number == 1 else 2))
            for number, slide in enumerate(slides, start=1)
            if slide._element.get("show") != "0"
        ]
    except (PythonPptxError, *DAMAGE) as error:
        raise corrupt("presentation", error) from error


def _slide(slide: Any, level: int) -> str:
    title = slide.shapes.title
    heading = " ".join(title.text_frame.text.split()) if title is not None else ""
    blocks = [f"{'#' * level} {heading}"] if heading else []
    # python-pptx makes a new object for a shape each time it is asked
    others = [shape for shape in slide.shapes if title is None or shape._element != title._element]
    for shape in sorted(others, key=lambda shape: (shape.top or 0, shape.left or 0)):
        blocks += _shape(shape, slide)
    notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
    blocks += _paragraphs(notes, bullets=False) if notes is not None else []
    return "\n\n".join(filter(None, blocks))


def _shape(shape: Any, slide: Any) -> Iterator[str]:
    """Yield the blocks of a shape."""
    if hasattr(shape, "shapes"):  # a group
        for inner in shape.shapes:
            yield from _shape(inner, slide)
    elif getattr(shape, "has_table", False):
        yield markdown_table([[_cell(cell) for cell in row.cells] for row in shape.table.rows])
    elif getattr(shape, "has_chart", False):
        yield from _chart(shape.chart)
    elif shape.has_text_frame and _placeholder(shape) not in _FURNITURE:
        bullets = _placeholder(shape) in ("body", "obj")
        yield from _paragraphs(shape.text_frame, bullets)
    else:
        yield from _diagram(shape, slide)


def _cell(cell: Any) -> str:
    return "" if cell.is_spanned else str(cell.text_frame.text)


def _placeholder(shape: Any) -> str:
    """Return the type of a placeholder; empty for any other shape."""
    if not shape.is_placeholder:
        return ""
    return str(shape._element.ph.get("type", "obj"))


def _paragraphs(frame: Any, bullets: bool) -> list[str]:
    """Return a text frame's blocks: one list, or its paragraphs if it is none."""
    rows = [(p.level, " ".join(p.text.split())) for p in frame.paragraphs]
    filled = [(level, words) for level, words in rows if words]
    if bullets and len(filled) > 1:
        return ["\n".join(f"{'  ' * level}- {words}" for level, words in _nested(filled))]
    return [words for _, words in filled]


def _nested(rows: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield rows so that none lies more than one level below the one above it."""
    before = -1
    for level, words in rows:
        before = min(level, before + 1)
        yield before, words


def _chart(chart: Any) -> Iterator[str]:
    """Yield a chart's title and its figures as a table."""
    if chart.has_title and chart.chart_title.has_text_frame:
        yield " ".join(chart.chart_title.text_frame.text.split())
    for plot in chart.plots:
        head = ["", *(series.name for series in plot.series)]
        columns = [list(series.values) for series in plot.series]
        rows = [
            [str(category), *(_figure(column, n) for column in columns)]
            for n, category in enumerate(plot.categories)
        ]
        yield markdown_table([head, *rows])


def _figure(values: list[float | None], n: int) -> str:
    value = values[n] if n < len(values) else None
    return "" if value is None else f"{value:g}"


def _diagram(shape: Any, slide: Any) -> Iterator[str]:
    """Yield the words of a SmartArt diagram as a list."""
    for ids in shape._element.iter(f"{_DIAGRAM}relIds"):
        root = parse_xml(slide.part.related_part(ids.get(_RELATION)).blob)
        points = ["".join(t.itertext()) for t in root.iter(f"{_DIAGRAM}t")]
        yield "\n".join(f"- {' '.join(words.split())}" for words in points if words.strip())
