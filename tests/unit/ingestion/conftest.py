"""Real files of every format, made on the spot."""

import io
from collections.abc import Callable, Sequence

import docx
import openpyxl
import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

# Text, x, y, size
Placed = tuple[str, float, float, float]
MakePdf = Callable[..., bytes]

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


def draw_pdf(pages: Sequence[Sequence[Placed]], title: str = "", password: str = "") -> bytes:
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4, encrypt=password or None, invariant=True)
    canvas.setTitle(title or "untitled")
    for page in pages:
        for text, x, y, size in page:
            canvas.setFont("Helvetica", size)
            canvas.drawString(x, y, text)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


@pytest.fixture
def make_pdf() -> MakePdf:
    return draw_pdf


@pytest.fixture
def docx_bytes() -> bytes:
    document = docx.Document()
    document.add_heading("Leave policy", level=1)
    document.add_paragraph("Every employee has 25 days of leave.")
    document.add_paragraph("Ask your manager", style="List Bullet")
    document.add_paragraph("Write it down", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for n, text in enumerate(("Kind", "Days", "Parental", "90")):
        table.cell(n // 2, n % 2).text = text
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


@pytest.fixture
def workbook() -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.active.title = "Ships"
    return book


@pytest.fixture
def save_workbook() -> Callable[[openpyxl.Workbook], bytes]:
    def save(book: openpyxl.Workbook) -> bytes:
        target = io.BytesIO()
        book.save(target)
        return target.getvalue()

    return save
