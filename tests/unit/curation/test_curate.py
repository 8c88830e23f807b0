from random import Random

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.schemas import EXAMPLE, dropped_schema
from data_contracts.validation import schema_failures
from tasks.curation.config import CurationConfig
from tasks.curation.curate import curate_examples

CONFIG = CurationConfig()
WORDS = [
    "berth", "ship", "crew", "deck", "bridge",
    "window", "harbour", "sailing", "master", "engine",
]  # fmt: skip


def corpus(seed: int) -> list[dict]:
    """Make documents of rows that partly repeat each other, within and across documents."""
    random = Random(seed)
    pool = [" ".join(random.choices(WORDS, k=16)) for _ in range(6)]
    rows = []
    for document in range(random.randint(1, 6)):
        for _ in range(random.randint(1, 4)):
            words = random.choice(pool).split()
            words[random.randrange(16)] = random.choice(WORDS)
            row = {"document_id": f"d{document}", "chunk_id": f"c{document}"}
            rows.append(row | {"answer": " ".join(words), "question": f"what {words[0]}?"})
    return [row | {"example_id": f"r{random.getrandbits(40)}"} for row in rows]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_order_of_the_rows_does_not_matter(table, seed: int, random: Random) -> None:
    rows = corpus(seed)
    before = curate_examples(table(rows), CONFIG)
    random.shuffle(rows)
    after = curate_examples(table(rows), CONFIG)
    assert before.kept.equals(after.kept)
    assert before.dropped.equals(after.dropped)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6))
def test_curating_what_was_curated_changes_nothing(table, seed: int) -> None:
    once = curate_examples(table(corpus(seed)), CONFIG)
    twice = curate_examples(once.kept, CONFIG)
    assert twice.kept.equals(once.kept)
    assert twice.dropped.num_rows == 0


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6))
def test_every_row_is_kept_or_dropped_and_documents_stay_whole(table, seed: int) -> None:
    rows = corpus(seed)
    result = curate_examples(table(rows), CONFIG)
    names = result.kept.column("example_id").to_pylist()
    names += result.dropped.column("example_id").to_pylist()
    assert sorted(names) == sorted(row["example_id"] for row in rows)
    pairs = result.kept.select(["document_id", "group_id"]).to_pylist()
    assert len({(p["document_id"], p["group_id"]) for p in pairs}) == len(
        {p["document_id"] for p in pairs}
    )


def test_tables_have_their_schemas_and_dropped_rows_say_why(table) -> None:
    row = {"question": "What is a berth?", "answer": "A place for a ship."}
    result = curate_examples(table([row | {"example_id": "b"}, row | {"example_id": "a"}]), CONFIG)
    assert schema_failures(result.kept, EXAMPLE) == []
    assert schema_failures(result.dropped, dropped_schema(EXAMPLE)) == []
    (gone,) = result.dropped.to_pylist()
    assert (gone["example_id"], gone["duplicate_of"], gone["similarity"]) == ("b", "a", 1.0)
    assert gone["reason"] == "exact_duplicate"
    assert "a" in gone["detail"]
    assert result.figures["groups"] == 1
    assert result.figures["largest_group_share"] == 1.0


def test_an_empty_table_stays_empty() -> None:
    result = curate_examples(EXAMPLE.empty_table(), CONFIG)
    assert isinstance(result.kept, pa.Table)
    assert (result.kept.num_rows, result.dropped.num_rows, result.rows_in) == (0, 0, 0)
