"""Reading order of pages in columns, and scans read by Tesseract."""

import shutil
from pathlib import Path

import pytest

from data_contracts.errors import DocumentsError
from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.ocr import OcrConfig, tesseract_version
from tasks.ingestion.parser import UnreadableFile, parser_for
from tasks.ingestion.parsers.pdf import PdfParser
from tests.unit.ingestion.conftest import MakePdf
from tests.unit.ingestion.make_files import PROSE, make_scan, make_two_columns

needs_tesseract = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="there is no tesseract on this machine"
)


@pytest.mark.parametrize("by_rows", [False, True])
def test_columns_are_read_one_after_the_other(by_rows: bool) -> None:
    text = PdfParser().parse(Path("a.pdf"), make_two_columns(by_rows)).text
    assert text.endswith(
        f"# The harbour desk and how it works\n\n{PROSE} {PROSE.replace('desk', 'office')}"
    )


def test_a_table_of_prose_is_no_columns(make_pdf: MakePdf) -> None:
    cells = [
        "The key switch turns the desk on, and the key",
        "hangs in the red box that never leaves port.",
    ]
    rows = [
        (f"{text} {row}"[:46], x, 700 - 60 * row - 13 * n, 10)
        for row in range(6)
        for x in (60, 320)
        for n, text in enumerate(cells)
    ]
    text = PdfParser().parse(Path("a.pdf"), make_pdf([rows])).text
    order = [int(cell[-1]) for cell in text.split("\n\n")]
    assert order == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_dates_are_those_of_the_file(make_pdf: MakePdf) -> None:
    parsed = PdfParser().parse(Path("a.pdf"), make_pdf([[("Some words", 60, 700, 10)]]))
    assert parsed.date == "2000-01-01"  # what reportlab writes where files are to be equal


def test_a_scan_is_dropped_unless_ocr_is_set() -> None:
    with pytest.raises(UnreadableFile, match="Set `ocr`") as raised:
        parser_for("application/pdf", IngestionConfig()).parse(
            Path("a.pdf"), make_scan(make_two_columns(), 72)
        )
    assert raised.value.reason == "scanned"


@needs_tesseract
class TestOcr:
    def test_a_scan_is_read_in_order(self) -> None:
        parser = parser_for("application/pdf", IngestionConfig(ocr=OcrConfig()))
        parsed = parser.parse(Path("a.pdf"), make_scan(make_two_columns()))
        assert parsed.text.endswith(
            f"# The harbour desk and how it works\n\n{PROSE} {PROSE.replace('desk', 'office')}"
        )
        assert [page.page for page in parsed.pages] == [1]
        assert parser.versions()["tesseract"][0].isdigit()

    def test_a_blank_scan_is_still_a_scan(self, make_pdf: MakePdf) -> None:
        with pytest.raises(UnreadableFile, match="OCR found none") as raised:
            PdfParser(ocr=OcrConfig(dpi=72)).parse(Path("a.pdf"), make_scan(make_pdf([[]]), 72))
        assert raised.value.reason == "scanned"

    def test_bounds(self, make_pdf: MakePdf) -> None:
        scan = make_scan(make_pdf([[], []]), 72)
        with pytest.raises(UnreadableFile, match="ocr.max_pages"):
            PdfParser(ocr=OcrConfig(max_pages=1)).parse(Path("a.pdf"), scan)
        slow = OcrConfig(page_seconds=0.001)
        with pytest.raises(UnreadableFile) as raised:
            PdfParser(ocr=slow).parse(Path("a.pdf"), scan)
        assert raised.value.reason == "timeout"

    def test_a_missing_language_stops_before_anything_starts(self) -> None:
        with pytest.raises(DocumentsError, match="tesseract-ocr-LANGUAGE"):
            PdfParser(ocr=OcrConfig(languages=("tlh",))).versions()


def test_a_missing_program_stops_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    tesseract_version.cache_clear()
    with pytest.raises(DocumentsError, match="apt-get install tesseract-ocr"):
        PdfParser(ocr=OcrConfig()).versions()
    tesseract_version.cache_clear()
