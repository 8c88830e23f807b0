"""Files of the newer formats, made by their own libraries or by hand where there is none."""

import io
import json
import textwrap
import zipfile
from collections.abc import Mapping, Sequence

import pptx
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

PROSE = (
    "The harbour desk is the control room of the company. It watches all ships, gives out berth "
    "windows and tells the public what is happening on the water. It is staffed day and night by "
    "two people at least, and by three of them in August. The desk sits above the quay, and from "
    "its window one can see the whole harbour. Whoever works there has been at sea for five years "
    "or more. A shift lasts for eight hours and begins with the reading of the log."
)


def make_pptx() -> bytes:
    """A deck: title slide, bullets with notes, a table, a hidden slide, a chart."""
    deck = pptx.Presentation()
    first = deck.slides.add_slide(deck.slide_layouts[0])
    first.shapes.title.text = "Mooring für Anfänger"
    first.placeholders[1].text = "Crew training"
    second = deck.slides.add_slide(deck.slide_layouts[1])
    second.shapes.title.text = "Before arrival"
    frame = second.placeholders[1].text_frame
    frame.text = "Check the lines"
    for text, level in (("no frayed strands", 1), ("Put on the helmet", 0)):
        paragraph = frame.add_paragraph()
        paragraph.text, paragraph.level = text, level
    second.notes_slide.notes_text_frame.text = "Show the red rope."
    third = deck.slides.add_slide(deck.slide_layouts[5])
    third.shapes.title.text = "Ropes"
    table = third.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
    for n, text in enumerate(("Rope", "Metres", "Spring", "40")):
        table.cell(n // 2, n % 2).text = text
    hidden = deck.slides.add_slide(deck.slide_layouts[5])
    hidden.shapes.title.text = "Spare slide"
    hidden._element.set("show", "0")
    fifth = deck.slides.add_slide(deck.slide_layouts[6])
    data = CategoryChartData()
    data.categories = ["2024", "2025"]
    data.add_series("Ropes bought", (12, 7.5))
    fifth.shapes.add_chart(
        XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(1), Inches(4), Inches(3), data
    )
    target = io.BytesIO()
    deck.save(target)
    return target.getvalue()


def make_epub(
    chapters: Mapping[str, str], spine: Sequence[str] = (), extra: Mapping[str, str] | None = None
) -> bytes:
    """A book; `spine` names the chapters in their order of reading."""
    items = "".join(
        f'<item id="{name}" href="text/{name}.xhtml" media-type="application/xhtml+xml"/>'
        for name in chapters
    )
    refs = "".join(f'<itemref idref="{name}"/>' for name in spine or chapters)
    parts = {
        "META-INF/container.xml": '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:'
        'names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OEBPS/book.opf" '
        'media-type="application/oebps-package+xml"/></rootfiles></container>',
        "OEBPS/book.opf": '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" version="3.0"><metadata>'
        "<dc:title>Tales of the Sound</dc:title><dc:rights>CC BY 4.0</dc:rights>"
        '<meta property="dcterms:modified">2026-01-09T10:00:00Z</meta></metadata><manifest>'
        '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
        f'{items}</manifest><spine><itemref idref="nav"/>{refs}</spine></package>',
        "OEBPS/nav.xhtml": page("<nav><ol><li>Contents</li></ol></nav>"),
        **{f"OEBPS/text/{name}.xhtml": page(body) for name, body in chapters.items()},
        **(extra or {}),
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as book:
        book.writestr("mimetype", "application/epub+zip")
        for name, part in parts.items():
            book.writestr(name, part)
    return target.getvalue()


def page(body: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml"><head>'
        f"<title>x</title></head><body>{body}</body></html>"
    )


def make_notebook(cells: Sequence[Mapping[str, object]]) -> bytes:
    return json.dumps(
        {
            "cells": list(cells),
            "metadata": {"language_info": {"name": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    ).encode()


RTF = rb"""{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss\fcharset0 Arial;}
{\f1\fnil\fcharset204 Times;}}{\stylesheet{\s0 Normal;}{\s1\sb240 heading 1;}}
{\info{\title Gangway notice \u8211?{}2026}{\creatim\yr2025\mo3\dy1}{\revtim\yr2026\mo1\dy15}}
{\header Never shown}
\pard\s1\b\fs36 Gangway \'fcber Nacht\par
\pard\plain\fs24 Caf\'e9 \u8364?uro \u-10179?\u-8704? with {\b bold} and
 {\field{\*\fldinst HYPERLINK "http://x.example"}{\fldrslt a link}}.\par
{\pntext\f0\'B7\tab}{\*\pn\pnlvlblt{\pntxtb\'B7}}First\par
{\pntext\f0\'B7\tab}Second\par
\pard {\listtext 1.\tab}\ls1 One\par
\pard {\listtext 2.\tab}\ls1 Two\par
\pard\f1 \'cf\'f0\'e8\'e2\'e5\'f2\f0\par
\trowd\cellx1000\cellx2000\pard\intbl Ship\cell Cars\cell\row
\trowd\cellx1000\cellx2000\pard\intbl Wren\cell 78\cell\row
\pard After{\*\unknown secret}{\pict 0a0b} the table.\par
}"""


def make_two_columns(by_rows: bool = False) -> bytes:
    """A page in two columns, written column by column or line by line across both."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4, invariant=True)
    canvas.setFont("Helvetica", 18)
    canvas.drawString(60, 760, "The harbour desk and how it works")
    canvas.setFont("Helvetica", 8)
    canvas.drawString(60, 810, "Varnsey")
    canvas.drawRightString(535, 810, "Handbook")
    canvas.setFont("Helvetica", 10)
    lines = textwrap.wrap(f"{PROSE} {PROSE.replace('desk', 'office')}", 46)
    half = (len(lines) + 1) // 2
    placed = [
        (60 if n < half else 310, 720 - 13 * (n % half), line) for n, line in enumerate(lines)
    ]
    order = sorted(placed, key=lambda place: (-place[1], place[0])) if by_rows else placed
    for x, y, line in order:
        canvas.drawString(x, y, line)
    canvas.showPage()
    canvas.save()
    return target.getvalue()


def make_scan(pdf: bytes, dpi: int = 200) -> bytes:
    """A PDF whose pages are pictures of another one's."""
    import pypdfium2

    source = pypdfium2.PdfDocument(pdf)
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4, invariant=True)
    for number in range(len(source)):
        sheet = source[number]
        picture = sheet.render(scale=dpi / 72, grayscale=True).to_pil()
        canvas.drawImage(ImageReader(picture), 0, 0, *A4)
        canvas.showPage()
        sheet.close()
    source.close()
    canvas.save()
    return target.getvalue()
