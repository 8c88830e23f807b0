"""Quotes are found in passages, and rows about one fact share its name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.generation.base import Subject
from tasks.generation.evidence import fact_id, find_quote
from tests.unit.generation.conftest import view

TEXT = "The **harbour desk** answers [calls](https://x.example/a_b) from 7:00.\nIt closes at noon."


@pytest.mark.parametrize(
    "quote",
    [
        "The harbour desk answers calls from 7:00.",
        "the harbour desk answers",
        "“answers calls from 7:00”",
        "calls from 7:00. It closes at noon",
    ],
)
def test_a_quote_is_found_whatever_its_markup(quote: str) -> None:
    start, end = find_quote(quote, TEXT) or (0, 0)
    assert quote.strip("“”").split()[-1].rstrip(".") in TEXT[start:end]


@pytest.mark.parametrize(
    "quote", ["", "harbour desk", "The harbour office answers calls", "desk harbour the answers"]
)
def test_what_is_not_there_is_not_found(quote: str) -> None:
    assert find_quote(quote, TEXT) is None


@given(st.text(alphabet="ab c.d[](*", max_size=60), st.text(alphabet="ab c.d[](*", max_size=20))
def test_any_text_can_be_looked_for(text: str, quote: str) -> None:
    found = find_quote(quote, text)
    assert found is None or 0 <= found[0] < found[1] <= len(text)


def test_a_part_of_a_sentence_is_the_same_fact_as_the_whole() -> None:
    subject = Subject(view("A ticket costs EUR 8 at the desk. The desk is open on Mondays."))
    whole, part, other = (fact_id(subject, *span) for span in [(0, 33), (2, 20), (34, 62)])
    assert whole == part != other
    assert fact_id(subject, 0, 62) not in (whole, other)
