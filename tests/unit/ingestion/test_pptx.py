"""PowerPoint decks, made by python-pptx."""

from pathlib import Path, PurePosixPath

import pytest

from tasks.ingestion.media_type import PPTX, detect_media_type
from tasks.ingestion.parser import UnreadableFile
from tasks.ingestion.parsers.pptx import PptxParser
from tests.unit.ingestion.make_files import make_pptx


def test_a_deck_reads_slide_by_slide() -> None:
    content = make_pptx()
    parsed = PptxParser().parse(Path("deck.pptx"), content)
    assert detect_media_type(PurePosixPath("x.zip"), content) == PPTX
    pages = {page.page: parsed.text[page.start : page.end] for page in parsed.pages}
    assert pages == {
        1: "# Mooring für Anfänger\n\nCrew training",
        2: "## Before arrival\n\n- Check the lines\n  - no frayed strands\n- Put on the helmet\n\n"
        "Show the red rope.",
        3: "## Ropes\n\n| Rope | Metres |\n| --- | --- |\n| Spring | 40 |",
        5: "|  | Ropes bought |\n| --- | --- |\n| 2024 | 12 |\n| 2025 | 7.5 |",
    }
    assert "Spare slide" not in parsed.text


def test_a_damaged_deck_is_corrupt() -> None:
    with pytest.raises(UnreadableFile) as raised:
        PptxParser().parse(Path("deck.pptx"), make_pptx()[:4000])
    assert raised.value.reason == "corrupt"
