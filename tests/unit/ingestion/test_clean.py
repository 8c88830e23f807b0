"""Unicode, boilerplate, navigation, hyphens, scrubbing and page spans."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.ingestion.clean import (
    CleanText,
    clean_document,
    remove_boilerplate,
    repair,
    scrub_document,
)
from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.hyphens import join_divided
from tasks.ingestion.navigation import is_navigation
from tasks.ingestion.parser import PageSpan, ParsedDocument
from tasks.ingestion.shared_lines import find_boilerplate, line_hashes, sharing
from tasks.scrubbing.config import ScrubbingConfig
from tasks.scrubbing.scrub import Scrubber

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
    assert repair(broken, Counter()) == mended


def shared(texts: Sequence[str], copies: Sequence[int] = ()) -> dict[str, int]:
    counted = np.array([place not in copies for place in range(len(texts))])
    columns = pa.chunked_array([texts], pa.string()), hashed(texts)
    return find_boilerplate(*columns, counted, CONFIG)


def hashed(texts: Sequence[str]) -> pa.ChunkedArray:
    return pa.chunked_array([[line_hashes(text) for text in texts]], pa.list_(pa.uint64()))


def test_shared_lines_go_whatever_their_numbers() -> None:
    texts = [f"# Contact\n\nText {'abc'[n]}.\n\nFor internal use only. Page {n}" for n in range(3)]
    lines = frozenset(shared([*texts, "Another."]))
    cleaned = [remove_boilerplate(CleanText(text), lines).text for text in texts]
    assert cleaned == [f"# Contact\n\nText {n}." for n in "abc"]


def test_headings_and_table_rows_are_never_boilerplate() -> None:
    text = "## FAQ\n\n| Name | Phone |\n| --- | --- |\n| Ada | 1 |"
    assert shared([text] * 9) == {}


def test_few_documents_make_no_boilerplate() -> None:
    assert shared(["Same."] * 2) == {}
    assert shared(["Same."] * 5 + ["Other."] * 5) == {}  # not more than half
    assert shared(["Same."] * 6 + [f"{'x' * n}." for n in range(4)]) == {"same.": 6}


def test_copies_do_not_count() -> None:
    assert shared(["Same."] * 6 + ["Else."] * 2, copies=range(4)) == {}
    assert shared(["Same."] * 6 + ["Else."] * 2) == {"same.": 6}


@pytest.mark.parametrize("most", [1 << 24, 7])  # of hashes that are sorted at once
def test_all_lines_that_too_many_share_are_found(most: int, monkeypatch) -> None:
    monkeypatch.setattr("tasks.ingestion.shared_lines._MOST_SORTED", most)
    texts = [f"Own {chr(97 + n)}.\nOne.\nTwo.\n\nOne." for n in range(8)] + ["Three."] * 3
    assert shared(texts) == {"one.": 8, "two.": 8}
    has = sharing(hashed([*texts, ""]), {"two.": 8})
    assert has.tolist() == [True] * 8 + [False] * 4


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


@pytest.mark.parametrize(
    ("wrapped", "joined"),
    [
        ("the infor-\nmation desk", "the information desk"),
        ("a well-\nknown rule", "a well-known rule"),
        ("the work-\nflow; any workflow", "the workflow; any workflow"),
        ("set-\nup now. The set-up was", "set-up now. The set-up was"),
        ("bed and rest: the bed-\nrest rule", "bed and rest: the bed-rest rule"),
        ("Anglo-\nAmerican law", "Anglo-American law"),
        ("state-of-\nthe-art", "state-of-the-art"),
        ("pages 3-\n5 and x -\ny", "pages 3-\n5 and x -\ny"),
        ("```\nls long-\nname\n```", "```\nls long-\nname\n```"),
    ],
)  # fmt: skip
def test_divided_words_are_joined_and_compounds_keep_their_hyphen(wrapped, joined) -> None:
    text, count = join_divided(wrapped)
    assert text == joined
    assert count == (wrapped != joined)


NAVIGATION = """
Edit this page
- Back to top ↑
« Previous
Skip to main content
Next →
Home > Docs > Leave policy
Home » HR / Travel
Nach oben
Volver arriba
"""
SENTENCES = """
Click the Edit this page link.
Next, ask your manager.
Home is where the heart is.
Home > Docs > Leave. Then ask your manager.
## Next
The previous page says so.
"""


@pytest.mark.parametrize("line", NAVIGATION.strip().split("\n"))
def test_navigation_is_known(line: str) -> None:
    assert is_navigation(line)


@pytest.mark.parametrize("line", SENTENCES.split("\n"))
def test_sentences_about_pages_are_no_navigation(line: str) -> None:
    assert not is_navigation(line)


def test_every_change_is_counted() -> None:
    text = (
        "Home > Docs > Leave\n\n- [A](/a)\n- [B](/b)\n- [C](/c)\n\n# Leave\n\n"
        "You donâ€™t need infor-\nmation\u200b. <!-- no --> See {% page 'x' %}now.\n\nBack to top"
    )
    clean = clean_document(ParsedDocument(text), inline_markup=True)
    assert clean.text == "# Leave\n\nYou don’t need information. See now."
    assert {kind: n for kind, n in clean.changes.items() if n} == {
        "encoding": 1,
        "hyphenation": 1,
        "invisible_character": 1,
        "comment": 1,
        "template": 1,
        "navigation": 3,
    }
    shared = remove_boilerplate(clean, frozenset({"you don’t need information. see now."}))
    assert shared.text == "# Leave" and shared.changes["boilerplate_line"] == 1


def test_code_keeps_lines_that_look_like_navigation() -> None:
    text = "```\nNext\n```"
    assert clean_document(ParsedDocument(text), inline_markup=True).text == text


def test_scrubbing_keeps_page_spans_and_counts() -> None:
    pages = (PageSpan(1, 0, 19), PageSpan(2, 21, 37))
    clean = CleanText("Ask bob@x.org first\n\nor 415-762-3310.", pages, {"encoding": 1})
    scrubbed = scrub_document(clean, Scrubber(ScrubbingConfig()))
    first, second = (scrubbed.text[page.start : page.end] for page in scrubbed.pages)
    assert first.startswith("Ask [EMAIL_") and first.endswith("] first")
    assert second.startswith("or [PHONE_") and second.endswith("].")
    assert scrubbed.changes == {"encoding": 1, "scrubbed.email": 1, "scrubbed.phone": 1}
