"""RTF: words of all encodings, structure, what is to be left out."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.ingestion.parser import UnreadableFile
from tasks.ingestion.parsers.rtf import RtfParser
from tests.unit.ingestion.make_files import RTF


def parse(content: bytes) -> str:
    return RtfParser().parse(Path("a.rtf"), content).text


def test_headings_lists_tables_and_every_encoding() -> None:
    parsed = RtfParser().parse(Path("a.rtf"), RTF)
    assert parsed.title == "Gangway notice –2026"
    assert parsed.date == "2026-01-15"
    assert parsed.text == (
        "# Gangway über Nacht\n\nCafé €uro 😀 with bold and a link.\n\n"
        "- First\n- Second\n1. One\n2. Two\n\nПривет\n\n"
        "| Ship | Cars |\n| --- | --- |\n| Wren | 78 |\n\nAfter the table."
    )


def test_large_type_is_a_heading_where_styles_say_nothing() -> None:
    body = rb"\pard\fs24 All crew read this, and it is the body of the whole text.\par"
    assert parse(rb"{\rtf1\ansi\pard\b\fs36 Notice\par" + body + b"}").startswith("# Notice\n\nAll")


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs")), min_size=1))
def test_any_text_comes_back(words: str) -> None:
    units = words.encode("utf-16-le")
    pairs = zip(units[::2], units[1::2], strict=True)
    source = "".join(rf"\u{low + 256 * high}?" for low, high in pairs)
    assert parse(rb"{\rtf1\ansi a" + source.encode() + b"z}") == f"a{words}z"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (RTF[:-1], "corrupt"),
        (rb"{\rtf1 a}}", ""),
        (rb"{\rtf1 " + b"{" * 5000 + b"a" + b"}" * 5001, "too_complex"),
        (rb"{\rtf1\bin99999 a}", "corrupt"),
    ],
)
def test_broken_groups(content: bytes, reason: str) -> None:
    if not reason:
        assert parse(content) == "a"
        return
    with pytest.raises(UnreadableFile) as raised:
        parse(content)
    assert raised.value.reason == reason
