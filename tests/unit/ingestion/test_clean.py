"""Unicode, boilerplate and page spans."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.ingestion.clean import (
    CleanText,
    clean_document,
    find_boilerplate,
    remove_boilerplate,
    repair,
)
from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.parser import PageSpan, ParsedDocument

CONFIG = IngestionConfig(boilerplate_share=0.5, boilerplate_min_documents=3)


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        ("donâ€™t", "don’t"),
        ("Cafe\u0301", "Café"),
        ("zero\u200bwidth soft\u00adhyphen", "zerowidth softhyphen"),
        ("a\u00a0b", "a b"),
        ("it’s “so” &amp; fine", "it’s “so” &amp; fine"),
    ],
)
def test_damage_is_mended_and_nothing_else(broken: str, mended: str) -> None:
    assert repair(broken) == mended


def test_shared_lines_go_whatever_their_numbers() -> None:
    texts = [f"# Contact\n\nText {'abc'[n]}.\n\nFor internal use only. Page {n}" for n in range(3)]
    lines = frozenset(find_boilerplate([*texts, "Another."], CONFIG))
    cleaned = [remove_boilerplate(CleanText(text), lines).text for text in texts]
    assert cleaned == [f"# Contact\n\nText {n}." for n in "abc"]


def test_headings_and_table_rows_are_never_boilerplate() -> None:
    text = "## FAQ\n\n| Name | Phone |\n| --- | --- |\n| Ada | 1 |"
    assert find_boilerplate([text] * 9, CONFIG) == {}


def test_few_documents_make_no_boilerplate() -> None:
    assert find_boilerplate(["Same."] * 2, CONFIG) == {}
    assert find_boilerplate(["Same."] * 5 + ["Other."] * 5, CONFIG) == {}  # not more than half
    assert find_boilerplate(["Same."] * 6 + [f"{'x' * n}." for n in range(4)], CONFIG) == {
        "same.": 6
    }


@given(st.lists(st.text("ab .\n#*-|", max_size=40), min_size=1, max_size=5))
def test_page_spans_hold_each_pages_own_text(pages: list[str]) -> None:
    spans, text = [], ""
    for number, page in enumerate(pages, start=1):
        text += "\n\n" if text else ""
        spans.append(PageSpan(number, len(text), len(text) + len(page)))
        text += page
    clean = clean_document(ParsedDocument(text, pages=tuple(spans)), inline_markup=False)
    alone = [clean_document(ParsedDocument(page), inline_markup=False).text for page in pages]
    assert [clean.text[span.start : span.end] for span in clean.pages] == alone
    assert clean.text == "\n\n".join(part for part in alone if part)
