"""Limits over the whole dataset: rows wanted, refusals, both answers of yes and no."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tasks.generation.limit import surplus_rows

REFUSING = frozenset({"out_of_scope"})


def row(number: int, generator: str, answer: str = "It is so.", documents: int = 7) -> Any:
    return {
        "example_id": f"row-{number}",
        "document_id": f"doc-{number % documents}",
        "generator": generator,
        "kind": generator,
        "answer": answer,
    }


def left(rows: list[Any], wanted: dict[str, int], share: float = 1.0) -> list[Any]:
    surplus = surplus_rows(rows, wanted, REFUSING, share, seed=0)
    return [r for r in rows if r["example_id"] not in surplus]


@given(st.integers(0, 60), st.integers(0, 60), st.sampled_from([0.0, 0.05, 0.1, 0.5, 1.0]))
def test_refusals_keep_to_their_share_and_nothing_else_is_dropped(others, refusals, share) -> None:
    rows = [row(n, "fact") for n in range(others)]
    rows += [row(n, "out_of_scope") for n in range(others, others + refusals)]
    kept = left(rows, {}, share)
    refused = sum(r["generator"] == "out_of_scope" for r in kept)
    assert len(kept) - refused == others
    assert refused <= share * len(kept) + 1e-9
    if refused < refusals:  # and no more of them are dropped than must be
        assert refused + 1 > share * (len(kept) + 1) - 1e-9


@given(st.integers(0, 60), st.integers(1, 60))
def test_no_more_rows_than_wanted_are_kept(there: int, wanted: int) -> None:
    kept = left([row(n, "fact") for n in range(there)], {"fact": wanted})
    assert len(kept) == min(there, wanted)


def test_documents_take_turns_where_there_are_more_rows_than_wanted() -> None:
    rows = [row(n, "fact", documents=1) for n in range(50)]
    rows += [row(50 + n, "fact") | {"document_id": f"small-{n}"} for n in range(4)]
    kept = left(rows, {"fact": 10})
    assert len({r["document_id"] for r in kept}) == 5


def test_neither_yes_nor_no_is_much_commoner() -> None:
    rows = [row(n, "yes_no", "Yes. It is.") for n in range(30)]
    rows += [row(30 + n, "yes_no", "No. It is not.") for n in range(4)]
    answers = [r["answer"][:2] for r in left(rows, {})]
    assert (answers.count("Ye"), answers.count("No")) == (6, 4)


def test_the_choice_does_not_depend_on_the_order_of_rows() -> None:
    rows = [row(n, "fact") for n in range(30)]
    kept = {r["example_id"] for r in left(rows, {"fact": 8})}
    assert {r["example_id"] for r in left(rows[::-1], {"fact": 8})} == kept
