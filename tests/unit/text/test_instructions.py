"""Orders to a model are found; ordinary policy text is left alone."""

import base64
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.text.instructions import find_instructions
from tests.unit.text.injection_samples import BENIGN, HOSTILE

HANDBOOK = Path(__file__).parents[4] / "shared" / "data" / "docs" / "18f-handbook"


def test_the_samples_are_as_many_as_the_figures_say() -> None:
    assert len(set(HOSTILE)) >= 60
    assert len(set(BENIGN)) >= 100


@pytest.mark.parametrize("text", HOSTILE)
def test_orders_to_a_model_are_found(text: str) -> None:
    assert find_instructions(text)


@pytest.mark.parametrize("text", HOSTILE[:10])
def test_they_are_found_in_the_midst_of_a_page(text: str) -> None:
    page = f"Leave is booked by the manager.\n\nSome rules apply. {text} Others do not.\n\nThe end."
    assert find_instructions(page)[0].start > 20


@pytest.mark.parametrize("text", BENIGN)
def test_ordinary_sentences_are_left_alone(text: str) -> None:
    assert find_instructions(text) == []


def test_a_real_handbook_raises_no_false_alarm() -> None:
    if not HANDBOOK.is_dir():
        pytest.skip("the shared handbook is not on this machine")
    pages = [p.read_text(errors="ignore") for p in sorted(HANDBOOK.rglob("*.md"))]
    sentences = [s for page in pages for s in re.split(r"(?<=[.!?])\s", page)]
    assert len(sentences) > 5_000
    assert [f for page in pages for f in find_instructions(page)] == []


@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "Zs")), max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    find_instructions(text)


@given(st.binary(min_size=24, max_size=90))
def test_a_blob_that_holds_no_order_is_no_finding(blob: bytes) -> None:
    assert find_instructions(base64.b64encode(blob).decode()) == []
