"""Reads pictures of pages with Tesseract, a program of its own (Debian: tesseract-ocr)."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from statistics import median
from typing import Any

from pydantic import Field

from data_contracts.base import Config
from data_contracts.errors import DocumentsError
from tasks.ingestion.package import parse_xml
from tasks.ingestion.parser import UnreadableFile
from tasks.ingestion.pdf_lines import Cell, PdfLine

# What Tesseract takes bullets for.
_MISREAD_BULLETS = ("¢", "«", "»")
_PROGRAM = "tesseract"
_POINTS_PER_INCH = 72
# Words read with less confidence, in per cent, are stains and ornaments.
_LEAST_CONFIDENCE = 10.0
# Tesseract measures from the highest letters' top to the lowest ones' foot; a font's size is
# a little more.
_SIZE_OF_LETTERS = 1.06
# Gaps wider than this many sizes divide cells, as in text layers.
_CELL_GAP = 1.5
# Sizes are measured from pictures: those within this share of the usual one are the same.
_SAME_SIZE = 0.18


class OcrConfig(Config):
    """How scanned pages are read; the program Tesseract must be installed."""

    languages: tuple[str, ...] = Field(
        ("eng",),
        min_length=1,
        description="Languages of the pages by Tesseract's names: `eng`, `deu`, `fra`. "
        "Each needs its data: `apt-get install tesseract-ocr-deu`.",
    )
    dpi: int = Field(
        200,
        ge=72,
        le=600,
        description="Dots per inch at which pages are drawn; small print needs "
        "300, at twice the time.",
    )
    max_pages: int = Field(
        100,
        ge=1,
        description="Longer scans are dropped with the reason `scanned`. A page takes about two "
        "seconds; five times `seconds_per_file` must suffice for a file.",
    )
    page_seconds: float = Field(
        60.0, gt=0, description="A page that takes longer makes its file be dropped as `timeout`."
    )


@cache
def tesseract_version(languages: tuple[str, ...]) -> str:
    """Return the version of Tesseract.

    Args:
        languages: Which must be there.

    Raises:
        DocumentsError: The program or a language is not installed.
    """
    program = shutil.which(_PROGRAM)
    if program is None:
        raise DocumentsError(
            "`ocr` is set, but there is no program `tesseract` on this machine. Install it "
            "(Debian: apt-get install tesseract-ocr), or leave `ocr` out to drop scanned pages."
        )
    known = _output([program, "--list-langs"]).split("\n")[1:]
    missing = [language for language in languages if language not in known]
    if missing:
        raise DocumentsError(
            f"Tesseract has no data for {', '.join(missing)}; it has "
            f"{', '.join(filter(None, known))}. Install it (Debian: apt-get install "
            "tesseract-ocr-LANGUAGE) or change `ocr.languages`."
        )
    return _output([program, "--version"]).split("\n")[0].removeprefix("tesseract ")


def _output(command: list[str]) -> str:
    # the program is found on the PATH by its fixed name
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout  # noqa: S603


def read_pages(
    content: bytes, numbers: Sequence[int], config: OcrConfig
) -> dict[int, list[PdfLine]]:
    """Return the lines of pages of a PDF by page, read from their pictures.

    Args:
        content: The PDF.
        numbers: Which pages, counted from 0.
        config: Options.

    Raises:
        UnreadableFile: There are too many pages, or one takes too long.
        DocumentsError: Tesseract is not installed.
        pypdfium2.PdfiumError: The PDF cannot be read.
    """
    tesseract_version(config.languages)
    if len(numbers) > config.max_pages:
        raise UnreadableFile(
            "scanned",
            f"{len(numbers)} pages of the PDF are scans; at most {config.max_pages} are read "
            "(ocr.max_pages).",
        )
    import pypdfium2

    document = pypdfium2.PdfDocument(content)
    try:
        return {number: _read_page(document[number], config) for number in numbers}
    finally:
        document.close()


def _read_page(page: Any, config: OcrConfig) -> list[PdfLine]:
    picture = _picture(page, config.dpi)
    command = [_PROGRAM, "stdin", "stdout", "-l", "+".join(config.languages)]
    command += ["--dpi", str(config.dpi), "hocr"]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program; languages are checked before
            command, input=picture, capture_output=True, timeout=config.page_seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise UnreadableFile(
            "timeout",
            f"Tesseract took more than {config.page_seconds:g} seconds for a page "
            "(ocr.page_seconds).",
        ) from error
    if done.returncode:
        cause = done.stderr.decode(errors="replace").strip().split("\n")[-1]
        raise UnreadableFile("scanned", f"Tesseract cannot read a page: {cause}")
    return _lines(done.stdout, config.dpi)


def _picture(page: Any, dpi: int) -> bytes:
    """Return a page as a grey picture (PGM), which needs no library to write or read."""
    bitmap = page.render(scale=dpi / _POINTS_PER_INCH, grayscale=True)
    try:
        pixels = bitmap.to_numpy()
        height, width = pixels.shape[:2]
        return b"P5 %d %d 255\n" % (width, height) + bytes(pixels.tobytes())
    finally:
        bitmap.close()
        page.close()


def _lines(hocr: bytes, dpi: int) -> list[PdfLine]:
    """Return the lines of a page in hOCR, an XHTML page with places in `title` attributes."""
    scale = _POINTS_PER_INCH / dpi
    root = parse_xml(hocr)
    found = [_line(element, scale) for element in root.iter() if _is_line(element)]
    lines = [line for line in found if line is not None]
    if not lines:
        return []
    usual = median(line.size for line in lines for _ in range(len(line.text)))
    return [
        PdfLine(line.cells, line.baseline, round(_snapped(line.size, usual), 1)) for line in lines
    ]


def _snapped(size: float, usual: float) -> float:
    """Return the usual size for one that is close to it, else a step of a coarse scale."""
    steps = round((size / usual - 1) / (2 * _SAME_SIZE))
    return usual * (1 + steps * 2 * _SAME_SIZE)


def _is_line(element: Any) -> bool:
    # lines, and what Tesseract takes for headings and captions
    return element.get("class") in ("ocr_line", "ocr_header", "ocr_caption", "ocr_textfloat")


def _line(element: Any, scale: float) -> PdfLine | None:
    stated = _properties(element)
    size = float(stated.get("x_size", ["12"])[0]) * _SIZE_OF_LETTERS * scale
    rise = float(stated.get("baseline", ["0", "0"])[1])  # of the letters above the box's foot
    bottom = (float(stated["bbox"][3]) + rise) * scale
    words = [cell for word in element if (cell := _word(word, scale)) is not None]
    if len(words) > 1 and words[0].text in _MISREAD_BULLETS:
        words[0] = replace(words[0], text="\u2022")
    # hOCR counts from the top, PDF from the bottom
    return PdfLine(tuple(_cells(words, size)), -bottom, size) if words else None


def _word(element: Any, scale: float) -> Cell | None:
    stated = _properties(element)
    text = "".join(element.itertext()).strip()
    if not text or float(stated.get("x_wconf", ["100"])[0]) < _LEAST_CONFIDENCE:
        return None
    return Cell(text, float(stated["bbox"][0]) * scale, float(stated["bbox"][2]) * scale)


def _properties(element: Any) -> dict[str, list[str]]:
    parts = [part.split() for part in (element.get("title") or "").split(";")]
    return {part[0]: part[1:] for part in parts if part}


def _cells(words: list[Cell], size: float) -> Iterator[Cell]:
    """Yield words joined to cells, between which there are wide gaps.

    A bar at a cell's edge is a table's rule; within a sentence it is an I misread.
    """
    cells: list[list[Cell]] = []
    for word in words:
        if not cells or word.left - cells[-1][-1].right > _CELL_GAP * size:
            cells.append([])
        cells[-1].append(word)
    for cell in cells:
        while len(cell) > 1 and cell[0].text == "|":
            cell = cell[1:]
        while len(cell) > 1 and cell[-1].text == "|":
            cell = cell[:-1]
        text = " ".join("I" if word.text == "|" else word.text for word in cell)
        yield Cell(text, cell[0].left, cell[-1].right)
