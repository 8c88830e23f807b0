"""EPUB: spine order, metadata, protection."""

from pathlib import Path, PurePosixPath

import pytest

from tasks.ingestion.media_type import EPUB, detect_media_type
from tasks.ingestion.parser import UnreadableFile
from tasks.ingestion.parsers.epub import EpubParser
from tests.unit.ingestion.make_files import make_epub

CHAPTERS = {"two": "<h1>Zwei</h1><p>The Gull’s crew &amp; cook.</p>", "one": "<h1>One</h1>"}
LOCKED = (
    '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><EncryptedData '
    'xmlns="http://www.w3.org/2001/04/xmlenc#"><EncryptionMethod Algorithm="{}"/></EncryptedData>'
    "</encryption>"
)


def test_chapters_in_the_order_of_the_spine() -> None:
    content = make_epub(CHAPTERS, spine=("one", "two"))
    parsed = EpubParser().parse(Path("a.epub"), content)
    assert detect_media_type(PurePosixPath("a.zip"), content) == EPUB
    assert parsed.text == "# One\n\n# Zwei\n\nThe Gull’s crew & cook."
    assert (parsed.title, parsed.date, parsed.licence) == (
        "Tales of the Sound",
        "2026-01-09",
        "CC BY 4.0",
    )


@pytest.mark.parametrize(
    ("algorithm", "is_locked"),
    [
        ("http://www.w3.org/2001/04/xmlenc#aes128-cbc", True),
        ("http://www.idpf.org/2008/embedding", False),
    ],
)
def test_copy_protection_is_told_from_obfuscated_fonts(algorithm: str, is_locked: bool) -> None:
    content = make_epub(CHAPTERS, extra={"META-INF/encryption.xml": LOCKED.format(algorithm)})
    if not is_locked:
        assert "Zwei" in EpubParser().parse(Path("a.epub"), content).text
        return
    with pytest.raises(UnreadableFile) as raised:
        EpubParser().parse(Path("a.epub"), content)
    assert raised.value.reason == "encrypted"


def test_a_book_without_its_parts_is_corrupt() -> None:
    for broken in (
        make_epub(CHAPTERS, extra={"META-INF/container.xml": "<container/>"}),
        make_epub(CHAPTERS, extra={"OEBPS/book.opf": "no XML"}),
    ):
        with pytest.raises(UnreadableFile) as raised:
            EpubParser().parse(Path("a.epub"), broken)
        assert raised.value.reason == "corrupt"
