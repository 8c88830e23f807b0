from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.curation.config import CurationConfig
from tasks.curation.duplicates import find_duplicates
from tasks.text.rows import RowTexts
from tasks.text.shingles import character_shingles, jaccard

CONFIG = CurationConfig()

LONG = (
    "A berth window is the period in which a ship has the sole right to use a berth, from ten "
    "minutes before the planned arrival to five minutes after the planned departure."
)


def dropped(table, rows, config=CONFIG):
    """Return identifier -> (reason, identifier of the kept row)."""
    examples = table(rows)
    names = examples.column("example_id").to_pylist()
    found = find_duplicates(examples, config)
    return {names[i]: (d.reason, names[d.kept]) for i, d in found.items()}


def test_same_words_are_exact_duplicates_whatever_case_and_punctuation(table) -> None:
    rows = [
        {"example_id": "a", "question": "What is a berth?", "answer": "A place."},
        {"example_id": "b", "question": "WHAT is a berth", "answer": "a place"},
        {"example_id": "c", "question": "What is a bridge?", "answer": "A place."},
    ]
    assert dropped(table, rows) == {"b": ("exact_duplicate", "a")}


def test_nearly_the_same_words_are_near_duplicates(table) -> None:
    rows = [
        {"example_id": "a", "question": "What is a berth window?", "answer": LONG},
        {
            "example_id": "b",
            "question": "What is a berth window?",
            "answer": LONG.replace("sole right", "only right"),
        },
    ]
    assert dropped(table, rows) == {"b": ("near_duplicate", "a")}


def test_a_row_that_stands_in_a_better_one_is_a_duplicate_where_that_is_asked_for(table) -> None:
    more = " Ships that come later wait outside the harbour until a berth is free again." * 3
    rows = [
        {"example_id": "a", "question": "What is a berth window?", "answer": LONG + more},
        {"example_id": "b", "question": "What is a berth window?", "answer": LONG},
        {"example_id": "c", "question": "Who keeps the register of berths?", "answer": LONG},
        {
            "example_id": "d",
            "question": "What is a berth window?",
            "answer": LONG.replace("five minutes", "9 minutes"),
        },
    ]
    assert dropped(table, rows) == {}
    config = CurationConfig(substring_threshold=0.9)
    assert dropped(table, rows, config) == {"b": ("substring_duplicate", "a")}
    (found,) = find_duplicates(table(rows), config).values()
    assert found.similarity == 1.0


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"grounding": 0.9}, {"grounding": 0.8, "answer": LONG + " It is short."}),
        ({"answer": LONG + " It is short."}, {}),
        ({}, {"example_id": "z"}),
    ],
)
def test_the_best_row_stays(table, better, worse) -> None:
    common = {"question": "What is a berth window?", "answer": LONG}
    rows = [common | {"example_id": "x"} | worse, common | {"example_id": "b"} | better]
    assert list(dropped(table, rows)) == [rows[0]["example_id"]]


@pytest.mark.parametrize(
    "other",
    [
        LONG.replace("ten", "twelve"),
        LONG.replace("has the sole", "has not the sole"),
        LONG.replace("a ship has", "the Wren has"),
    ],
)
def test_rows_that_differ_in_a_fact_are_both_kept(table, other) -> None:
    rows = [
        {"question": "What is it?", "answer": LONG},
        {"question": "What is it?", "answer": other},
    ]
    assert dropped(table, rows) == {}


def test_with_and_without_passage_are_two_tasks(table) -> None:
    row = {"question": "What is it?", "answer": LONG}
    assert dropped(table, [row, row | {"context": "Berths."}]) == {}


def test_a_copy_of_a_dropped_row_names_the_row_that_is_kept(table) -> None:
    common = {"question": "What is a berth window?"}
    rows = [
        common | {"example_id": "a", "answer": LONG + " Yes."},
        common | {"example_id": "b", "answer": LONG},
        common | {"example_id": "c", "answer": LONG.upper().lower()},
    ]
    found = dropped(table, rows)
    assert {name: kept for name, (_, kept) in found.items()} == {"b": "a", "c": "a"}


WORDS = [
    "berth", "ship", "crew", "deck", "bridge",
    "window", "harbour", "sailing", "master", "engine",
]  # fmt: skip


def variants(seed: int) -> list[dict]:
    """Make rows in clusters of edited copies."""
    random = Random(seed)
    rows = []
    for _ in range(random.randint(1, 4)):
        words = random.choices(WORDS, k=25)
        for _ in range(random.randint(1, 5)):
            edited = list(words)
            for _ in range(random.randint(0, 3)):
                edited[random.randrange(25)] = random.choice(WORDS)
            rows.append({"question": "what is it?", "answer": " ".join(edited)})
    return [row | {"example_id": f"r{random.getrandbits(40)}"} for row in rows]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6))
def test_dropped_rows_repeat_a_kept_row_and_kept_rows_repeat_none(table, seed: int) -> None:
    examples = table(variants(seed))
    found = find_duplicates(examples, CONFIG)
    sets = [character_shingles(text, 5) for text in RowTexts(examples).said]
    for row, duplicate in found.items():
        assert duplicate.kept not in found
        assert duplicate.similarity == pytest.approx(jaccard(sets[row], sets[duplicate.kept]))
        assert duplicate.similarity >= CONFIG.duplicate_threshold
    kept = [i for i in range(len(sets)) if i not in found]
    for i, j in combinations(kept, 2):
        assert jaccard(sets[i], sets[j]) < CONFIG.duplicate_threshold


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_order_of_the_rows_does_not_matter(table, seed: int, random: Random) -> None:
    rows = variants(seed)
    before = dropped(table, rows)
    random.shuffle(rows)
    assert dropped(table, rows) == before
