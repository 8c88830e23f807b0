"""Pairs of passages from two documents."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.generation.base import ChunkView
from tasks.generation.related import find_related

TICKET = "The day ticket for the garage costs eight euros at the front desk."
DESK = "The front desk sells the day ticket for the garage until six in the evening."
SOUP = "Soup is served in the canteen on Mondays with fresh bread and butter."


def chunk(document: str, number: int, text: str) -> ChunkView:
    return ChunkView(f"{document}-{number}", document, (), text, document_id=document)


def test_passages_on_one_subject_are_paired_and_strangers_are_not() -> None:
    chunks = [chunk("a", 0, TICKET), chunk("b", 0, DESK), chunk("c", 0, SOUP)]
    related = find_related(chunks, 0.1, 0.9)
    assert {k: v.chunk_id for k, v in related.partners.items()} == {"a-0": "b-0"}
    assert related.documents == {"a": "b", "b": "a"}


def test_copies_are_no_pair() -> None:
    assert find_related([chunk("a", 0, TICKET), chunk("b", 0, TICKET)], 0.1, 0.9).partners == {}


def test_texts_without_words_are_no_pair() -> None:
    assert find_related([chunk("a", 0, "- - -"), chunk("b", 0, "...")], 0.0, 1.0).partners == {}
    assert find_related([], 0.0, 1.0).partners == {}


WORDS = ("ticket", "garage", "desk", "soup", "bread", "canteen", "euro")

texts = st.lists(st.sampled_from(WORDS), min_size=1)
chunk_lists = st.lists(st.tuples(st.sampled_from("abcdef"), texts), max_size=24)


@settings(deadline=None)
@given(chunk_lists)
def test_a_document_belongs_to_one_pair_at_most(found) -> None:
    chunks = [chunk(document, n, " ".join(words)) for n, (document, words) in enumerate(found)]
    related = find_related(chunks, 0.0, 0.99)
    documents = {c.chunk_id: c.document_id for c in chunks}
    for first, second in related.partners.items():
        assert documents[first] != second.document_id
        assert related.documents[documents[first]] == second.document_id
        assert related.documents[second.document_id] == documents[first]
    again = find_related(chunks[::-1], 0.0, 0.99).documents
    assert all(again[b] == a for a, b in again.items())
