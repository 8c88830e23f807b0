"""Chunks: the law of spans, and where cuts may be made."""

import re
from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.errors import DocumentsError
from data_contracts.schemas import CHUNK, DOCUMENT, blank_row, dropped_schema
from data_contracts.validation import schema_failures
from tasks.ingestion.blocks import find_blocks
from tasks.ingestion.chunk import chunk_documents, remembered_chunks
from tasks.ingestion.config import ChunkingConfig


def count_words(texts: Sequence[str]) -> list[int]:
    return [len(re.findall(r"\w+|[^\w\s]", text)) for text in texts]


def documents(*texts: str, pages: Sequence[dict[str, int]] = ()) -> pa.Table:
    rows = [
        blank_row(DOCUMENT)
        | {
            "document_id": f"doc-{n}", "path": f"{n}.md", "sha256": "0" * 64,
            "media_type": "text/markdown", "parser": "markdown", "title": f"Title {n}",
            "raw_text": text, "text": text, "pages": list(pages),
        }
        for n, text in enumerate(texts)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=DOCUMENT)


def chunks(text: str, max_tokens: int = 20, min_tokens: int = 1) -> list[dict]:
    config = ChunkingConfig(max_tokens=max_tokens, min_tokens=min_tokens)
    result = chunk_documents(documents(text), config, count_words)
    return result.kept.to_pylist()


SENTENCE = "The ship leaves the port at nine in the morning."  # 11 tokens

_word = st.sampled_from(["harbour", "ship", "e.g.", "Dr.", "9.40", "a|b", "quay", "(see", "été"])
_sentence = st.lists(_word, min_size=1, max_size=40).map(lambda words: " ".join(words) + ".")
_block = st.one_of(
    _sentence,
    st.lists(_sentence, min_size=1, max_size=4).map(" ".join),
    st.lists(_sentence, min_size=1, max_size=5).map(lambda i: "\n".join(f"- {s}" for s in i)),
    st.lists(_word, min_size=1, max_size=3).map(lambda words: "## " + " ".join(words)),
    st.lists(_word, min_size=1, max_size=6).map(
        lambda cells: "\n".join(["| A |", "| --- |", *(f"| {cell} |" for cell in cells)])
    ),
    st.just("```\ncode {\n\n}\n```"),
    st.text(max_size=60),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_block, max_size=8).map("\n\n".join), st.integers(16, 40))
def test_chunks_are_spans_in_order_that_lose_no_words(text: str, max_tokens: int) -> None:
    config = ChunkingConfig(max_tokens=max_tokens, min_tokens=3)
    table = documents(text, SENTENCE * 2)
    result = chunk_documents(table, config, count_words)
    assert result.kept.num_rows + result.dropped.num_rows == result.rows_in
    assert schema_failures(result.kept, CHUNK) == []
    assert schema_failures(result.dropped, dropped_schema(CHUNK)) == []
    rows = [*result.kept.to_pylist(), *result.dropped.to_pylist()]
    rows = sorted((row for row in rows if row["document_id"] == "doc-0"), key=lambda r: r["start"])
    assert [row["chunk_index"] for row in rows] == list(range(len(rows)))
    end = 0
    for row in rows:
        assert row["text"] == text[row["start"] : row["end"]]
        assert row["text"] == row["text"].strip() != ""
        assert row["start"] >= end
        assert row["n_tokens"] <= max_tokens or len(row["text"]) == 1
        between = text[end : row["start"]]
        assert not between.strip() or "#" in between  # only headings lie between chunks
        end = row["end"]
    assert len({row["chunk_id"] for row in rows}) == len(rows)


def test_no_chunk_spans_two_headings_and_paths_nest() -> None:
    text = f"# A\n\n{SENTENCE}\n\n### B\n\n{SENTENCE}\n\n## C\n\n{SENTENCE}\n\n# D\n\n{SENTENCE}"
    rows = chunks(text, max_tokens=100)
    assert [row["heading_path"] for row in rows] == [["A"], ["A", "B"], ["A", "C"], ["D"]]
    assert {row["text"] for row in rows} == {SENTENCE}
    assert len({row["chunk_id"] for row in rows}) == 4


def test_a_list_stays_whole_where_it_fits() -> None:
    items = "- one two\n- three four\n- five six"
    rows = chunks(f"{SENTENCE}\n\n{items}", max_tokens=16)
    assert [row["text"] for row in rows] == [SENTENCE, items]


def test_a_lead_in_goes_with_its_list() -> None:
    items = "- one two three\n- four five six"
    rows = chunks(f"{SENTENCE}\n\nBring the following:\n\n{items}", max_tokens=17)
    assert rows[1]["text"] == f"Bring the following:\n\n{items}"


def test_long_tables_are_cut_between_rows() -> None:
    table = "| A | B |\n| --- | --- |\n" + "\n".join(f"| {n} | the ship sails |" for n in range(12))
    rows = chunks(table, max_tokens=30)
    assert len(rows) > 1
    assert rows[0]["text"].startswith("| A | B |\n| --- | --- |\n| 0 | the ship sails |")
    assert all(row["text"].endswith("|") for row in rows)


def test_a_tables_head_is_never_a_chunk_by_itself() -> None:
    table = f"| A | B |\n| --- | --- |\n| {SENTENCE} | x |\n| {SENTENCE} | y |"
    (block,) = find_blocks(table)
    assert [table[slice(*part)].count("\n") for part in block.parts] == [2, 0]


def test_long_paragraphs_are_cut_at_sentence_ends() -> None:
    abbreviated = "Ask Dr. Brown, e.g. Monday, about the ships and ports."
    rows = chunks(f"{SENTENCE} {abbreviated} {SENTENCE}", max_tokens=20)
    assert [row["text"] for row in rows] == [SENTENCE, abbreviated, SENTENCE]


def test_a_word_longer_than_a_chunk_is_cut_all_the_same() -> None:
    config = ChunkingConfig(max_tokens=16, min_tokens=1)
    result = chunk_documents(documents("=" * 100, SENTENCE), config, count_words)
    assert result.dropped["reason"].to_pylist() == ["no_prose"] * 8
    assert "".join(result.dropped["text"].to_pylist()) == "=" * 100


def test_short_and_wordless_chunks_are_dropped() -> None:
    text = f"# A\n\nSee above.\n\n# B\n\nhttps://a.b/c me@x.org 555-0100\n\n# C\n\n{SENTENCE}"
    config = ChunkingConfig(max_tokens=60, min_tokens=5)
    result = chunk_documents(documents(text), config, count_words)
    assert result.dropped["reason"].to_pylist() == ["too_short", "no_prose"]
    assert "min_tokens" in result.dropped["detail"].to_pylist()[0]


def test_pages_come_from_where_chunks_start() -> None:
    text = f"{SENTENCE}\n\n{SENTENCE}"
    pages = [
        {"page": 1, "start": 0, "end": len(SENTENCE)},
        {"page": 2, "start": len(SENTENCE) + 2, "end": len(text)},
    ]
    result = chunk_documents(
        documents(text, pages=pages), ChunkingConfig(max_tokens=16, min_tokens=1), count_words
    )
    assert result.kept["page"].to_pylist() == [1, 2]


def test_nothing_left_says_what_to_do() -> None:
    with pytest.raises(DocumentsError, match=r"1 too_short.*lower it"):
        chunk_documents(documents("Hi."), ChunkingConfig(), count_words)


def test_only_changed_documents_are_cut_again_and_the_result_is_the_same(tmp_path) -> None:
    counted: list[str] = []

    def count(texts: Sequence[str]) -> list[int]:
        counted.extend(texts)
        return count_words(texts)

    texts = ["Dogs may enter the office on Fridays.", "The gate is closed at nine each night."]
    config = ChunkingConfig(max_tokens=20, min_tokens=1)
    for changed in (False, True):
        counted.clear()
        now = [texts[0], texts[1] + " It opens at six."] if changed else texts
        known = remembered_chunks(tmp_path, "basis")
        result = chunk_documents(documents(*now), config, count, known)
        assert result.kept.equals(chunk_documents(documents(*now), config, count_words).kept)
    assert counted
    assert not any("Dogs" in text for text in counted)
