"""Dates, titles and licences as documents state them."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.ingestion.front_matter import split_front_matter
from tasks.ingestion.stated import stated_date, stated_text, stated_title


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("D:20260131120000+01'00'", "2026-01-31"),
        ("2026-01-31T10:00:00Z", "2026-01-31"),
        ("20260131", "2026-01-31"),
        ("31 January 2026", "2026-01-31"),
        ("January 31, 2026", "2026-01-31"),
        ("Sat, 31 Jan 2026 10:00:00 GMT", "2026-01-31"),
        (datetime(2026, 1, 31, 9), "2026-01-31"),
        ("2026", ""),
        ("2026-13-40", ""),
        ("yesterday", ""),
        (None, ""),
    ],
)
def test_dates(value: object, expected: str) -> None:
    assert stated_date(value) == expected


@given(st.dates())
def test_every_date_comes_back(day: date) -> None:
    assert stated_date(day.isoformat()) == day.isoformat() == stated_date(day)


@given(st.text())
def test_no_text_raises(text: str) -> None:
    stated_date(text)
    stated_text(text)


def test_titles_that_programs_wrote_are_none() -> None:
    for junk in ("Microsoft Word - Report", "untitled", "scan0001.pdf", "PowerPoint Presentation"):
        assert stated_title(junk) == ""
    assert stated_title(" The\n desk ") == "The desk"


def test_front_matter_states_all_three() -> None:
    text = "---\ntitle: A &amp; B\ndate: 2025-01-01\nupdated: 9 Jan 2026\nlicense: CC0\n---\nx"
    front, body = split_front_matter(text)
    assert (front.title, front.date, front.licence, body) == ("A & B", "2026-01-09", "CC0", "x")


@pytest.mark.parametrize("value", ["2026-02-31", "[[", "*a"])
def test_front_matter_that_cannot_be_read_goes(value: str) -> None:
    front, body = split_front_matter(f"---\ndate: {value}\n---\nBody")
    assert (front.date, body) == ("", "Body")
